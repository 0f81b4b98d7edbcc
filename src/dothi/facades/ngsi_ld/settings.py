"""Settings of the NGSI-LD door (section `[ngsi_ld]` of dothi.toml)."""

import msgspec


class NgsiLdSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Limits of the API and the rules for what it may fetch."""

    is_enabled: bool = True
    """Whether /ngsi-ld/v1 answers at all."""
    source: str = "ngsi-ld"
    """Source id of what arrives here, unless the caller is a device with its own source."""
    default_limit: int = 20
    """Entities per page when the request has no `limit`."""
    max_limit: int = 1000
    """Largest `limit`."""
    temporal_page: int = 100
    """Instances per attribute in one temporal answer; the rest follows with 206."""
    max_body_bytes: int = 33_554_432
    """Largest request body."""
    context_timeout_s: float = 5.0
    """Time for fetching one remote @context, redirects included."""
    context_keep_s: float = 3600.0
    """How long a fetched @context is used before it is fetched again."""
    forward_timeout_s: float = 5.0
    """Time for the answer of another context source, unless its registration says otherwise."""
    forward_max_bytes: int = 16_777_216
    """Largest answer of another context source; a larger one is left out, with a warning."""
    egress_allow: tuple[str, ...] = ()
    """Addresses or networks (CIDR) of remote @contexts and registered context sources that may be
    called although they are loopback, link-local or private."""
    contexts: dict[str, str] = {}
    """URL -> file that holds the document of that @context; such a URL is never fetched."""
