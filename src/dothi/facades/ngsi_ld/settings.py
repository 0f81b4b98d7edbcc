"""Settings of the NGSI-LD door (section `[ngsi_ld]` of dothi.toml)."""

import msgspec

from dothi.facades.ngsi_ld.notify_settings import NotifySettings


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
    default_collation: str = ""
    """Order of texts where a query with `orderBy` has no `collation`: `und` (language-neutral),
    `vi` and others; empty: by code points. (The conformance suite expects code points.)"""
    temporal_page: int = 19
    """Instances per attribute in one temporal answer; the rest follows with 206. (The conformance
    suite of ETSI expects 20 not to fit.)"""
    max_body_bytes: int = 33_554_432
    """Largest request body."""
    context_timeout_s: float = 5.0
    """Time for fetching one remote @context, redirects included."""
    context_keep_s: float = 3600.0
    """How long a fetched @context is used before it is fetched again, where its server does not
    say (Cache-Control)."""
    contexts_cached: int = 500
    """Fetched @contexts that are kept; beyond it the one used longest ago goes."""
    contexts_hosted: int = 10_000
    """@contexts that users may have hosted here, or that were made for them."""
    forward_timeout_s: float = 5.0
    """Time for the answer of another context source, unless its registration says otherwise."""
    forward_max_bytes: int = 16_777_216
    """Largest answer of another context source; a larger one is left out, with a warning."""
    egress_allow: tuple[str, ...] = ()
    """Addresses or networks (CIDR) of remote @contexts, of registered context sources, and of
    those who hear about snapshots, that may be called although they are loopback, link-local or
    private."""
    contexts: dict[str, str] = {}
    """URL -> file that holds the document of that @context; such a URL is never fetched."""
    max_tenants: int = 100
    """Tenants (header NGSILD-Tenant) that may be created, each with its own database and lake below
    `tenants/` in the data directory; 0: none, the header is answered with 501."""
    tenants_open: int = 32
    """Tenants and snapshots that are kept open; beyond that the ones that nobody uses are closed.
    Each takes about 3 MB of memory and 16 open files."""
    tenant_idle_s: float = 900.0
    """A tenant that nobody asked for so long, and that has nothing to do, is closed."""
    max_snapshots: int = 20
    """Snapshots of one tenant; beyond it the one of the lowest priority goes. 0: none."""
    snapshot_keep_s: float = 86_400.0
    """How long a snapshot lives that does not say it."""
    snapshot_keep_most_s: float = 2_592_000.0
    """Longest snapshotLifetime; a longer one is cut."""
    notify: NotifySettings = NotifySettings()
