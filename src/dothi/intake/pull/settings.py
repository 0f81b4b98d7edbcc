"""Settings `[pull]`: what dothi fetches by itself, and how often."""

from typing import Literal

import msgspec


class ConnectorSettings(
    msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True, tag_field="kind"
):
    """What every `[pull.connectors.<name>]` has."""

    base_url: str
    """Address of the service. Nothing but this scheme, host and port is ever asked."""
    is_enabled: bool = True
    """false: the connector rests, its memory is kept."""
    every_s: float = 3600.0
    """Seconds between two runs."""
    jitter: float = 0.05
    """Share of `every_s` by which a run is put off at random, so that hubs do not ask together."""
    timeout_s: float = 30.0
    """For one request."""
    retries: int = 3
    """Further attempts of a request after a timeout, a broken connection, 429 or 5xx."""
    backoff_s: float = 2.0
    """Wait before the first further attempt; doubles with each."""
    first_span_s: float = 86_400.0
    """How far back the very first run fetches."""
    overlap_s: float = 10_800.0
    """How far each run reaches back before the last one: late and corrected values come so."""
    longest_span_s: float = 2_592_000.0
    """After a longer downtime only this much is fetched; import the rest."""
    max_bytes: int = 50_000_000
    """A larger answer is refused."""
    source: str = ""
    """Source id that bears the values; empty: the name of the connector."""
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    """Name or code at the service -> attribute, where the default does not suit."""


class Place(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[[pull.connectors.<name>.places]]`: a point to ask for."""

    id: str
    """Short and stable; the end of the entity's URI."""
    lon: float
    """Degrees east, WGS 84."""
    lat: float
    """Degrees north, WGS 84."""
    name: str = ""
    """What people read."""


class OpenMeteo(ConnectorSettings, kw_only=True, frozen=True, tag="open_meteo"):
    """Weather or air-quality forecast of Open-Meteo for places."""

    base_url: str = "https://api.open-meteo.com/v1/forecast"
    """Air quality: `https://air-quality-api.open-meteo.com/v1/air-quality`."""
    places: tuple[Place, ...] = ()
    """Points to ask for; 50 share a request."""
    hourly: tuple[str, ...] = ("temperature_2m", "relative_humidity_2m", "precipitation")
    """Variables as Open-Meteo names them."""
    forecast_days: int = 3
    """Days ahead."""
    entity_type: str = "WeatherForecast"
    """Type of the places' entities; `AirQualityForecast` for air quality."""


class OpenAq(ConnectorSettings, kw_only=True, frozen=True, tag="openaq"):
    """Measurements of OpenAQ version 3."""

    base_url: str = "https://api.openaq.org/v3"
    """Address with the version of the API."""
    key_file: str = ""
    """File that holds the API key and nothing else."""
    locations: tuple[int, ...] = ()
    """Numbers of the stations at OpenAQ."""
    parameters: tuple[str, ...] = ()
    """Only these (pm25, no2 ...); empty: all."""
    page_size: int = 1_000
    """Measurements of one answer (1,000 at most)."""
    entity_type: str = "AirQualityObserved"
    """Type of the stations' entities."""


class UsgsIv(ConnectorSettings, kw_only=True, frozen=True, tag="usgs_iv"):
    """Instantaneous values of the older USGS Water Services (announced to end in 2027)."""

    base_url: str = "https://waterservices.usgs.gov/nwis"
    """Address of the older services."""
    sites: tuple[str, ...] = ()
    """Site numbers, e.g. `01491000`."""
    parameters: tuple[str, ...] = ("00060", "00065")
    """Parameter codes: 00060 discharge, 00065 gage height ..."""
    format: Literal["json", "rdb"] = "json"
    """In which form to ask."""
    entity_type: str = "WaterObserved"
    """Type of the sites' entities."""


class UsgsOgc(ConnectorSettings, kw_only=True, frozen=True, tag="usgs_ogc"):
    """Continuous values of the USGS Water Data API (OGC API Features)."""

    base_url: str = "https://api.waterdata.usgs.gov/ogcapi/v0"
    """Address with the version of the API."""
    key_file: str = ""
    """File that holds the API key; without one the service allows fewer requests."""
    sites: tuple[str, ...] = ()
    """Monitoring locations, e.g. `USGS-06904500`."""
    parameters: tuple[str, ...] = ("00060", "00065")
    """Parameter codes: 00060 discharge, 00065 gage height ..."""
    page_size: int = 10_000
    """Values of one answer."""
    entity_type: str = "WaterObserved"
    """Type of the sites' entities."""


class CapFeed(ConnectorSettings, kw_only=True, frozen=True, tag="cap_feed"):
    """Public warnings of another authority: an Atom or RSS feed of CAP messages, or one message."""

    every_s: float = 300.0
    """Seconds between two runs; an unchanged feed costs one short answer."""
    entity_type: str = "Alert"
    """Type of the warnings' entities (Smart Data Models)."""
    statuses: tuple[Literal["Actual", "Exercise", "System", "Test"], ...] = ("Actual",)
    """Messages of other statuses are kept and shown, but make no entities."""
    languages: tuple[str, ...] = ("vi", "en")
    """Which text of a message is taken, the first that is there."""
    messages_per_run: int = 500
    """Most messages that one run fetches; the next goes on."""
    area_decimals: int = 4
    """Decimals of the coordinates of borders (4: about 10 m)."""


AnyConnector = OpenMeteo | OpenAq | UsgsIv | UsgsOgc | CapFeed


class PullSettings(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """`[pull]`."""

    use_system_proxy: bool = True
    """Go through the proxy named by HTTPS_PROXY and HTTP_PROXY, where there is one."""
    connectors: dict[str, AnyConnector] = msgspec.field(default_factory=dict)
    """Name -> connector; `kind` says which: open_meteo, openaq, usgs_iv, usgs_ogc,
    cap_feed."""
