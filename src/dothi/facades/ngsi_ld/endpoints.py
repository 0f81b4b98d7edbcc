"""The NGSI-LD API as a list of endpoints: its table of contents."""

from dataclasses import dataclass, field

from dothi.access.egress import EgressPolicy, egress_policy
from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.facades.ngsi_ld.context.preload import read_documents
from dothi.facades.ngsi_ld.context.remote import RemoteContexts
from dothi.facades.ngsi_ld.context.resolve import ContextLoader, Contexts
from dothi.facades.ngsi_ld.distributed.delivery import HttpDelivery
from dothi.facades.ngsi_ld.distributed.distribution import Distribution, Row
from dothi.facades.ngsi_ld.distributed.http_client import HttpClient
from dothi.facades.ngsi_ld.distributed.spreads import SPREADS
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.notifier import RegistrationNotifier
from dothi.facades.ngsi_ld.registrations.registry import Registry
from dothi.facades.ngsi_ld.routes import (
    attributes,
    batch,
    contexts,
    entities,
    registrations,
    temporal,
)
from dothi.facades.ngsi_ld.routes import registration_subscriptions as watching
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.routes.guard import Handler
from dothi.facades.ngsi_ld.routes.identity import identity_handler
from dothi.facades.ngsi_ld.routes.registration_list import registration_list
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.model.problem import Problem
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.context_sources import ContextSourceRecords
from dothi.ports.entity_query import Entities
from dothi.ports.history import History
from dothi.ports.ingest import Ingest

_ENTITY = "/entities/{entity_id:path}"
_ATTRIBUTES = f"{_ENTITY}/attrs"
_ATTRIBUTE = f"{_ATTRIBUTES}/{{attribute:path}}"


@dataclass(frozen=True)
class DoorOptions:
    """What a caller may hand over besides the stores."""

    loader: ContextLoader | None = None
    """Replaces the fetching of remote @contexts."""
    clock: Clock = field(default_factory=SystemClock)
    records: ContextSourceRecords | None = None
    """Without them registrations of other sources do not outlive the process."""


def ngsi_ld_endpoints(
    ingest: Ingest,
    entities_store: Entities,
    history: History,
    settings: NgsiLdSettings | None = None,
    options: DoorOptions | None = None,
) -> list[Endpoint]:
    """Every route of the door."""
    settings = settings or NgsiLdSettings()
    options = options or DoorOptions()
    if not settings.is_enabled:
        return []
    broker = make_broker(ingest, entities_store, history, settings, options)
    return broker_endpoints(broker)


def make_broker(
    ingest: Ingest,
    entities_store: Entities,
    history: History,
    settings: NgsiLdSettings | None = None,
    options: DoorOptions | None = None,
) -> Broker:
    """What routes and services of the door share."""
    settings = settings or NgsiLdSettings()
    options = options or DoorOptions()
    return Broker(
        ingest,
        entities_store,
        history,
        Contexts(options.loader or context_loader(settings)),
        options.clock,
        settings,
        sources=Registry(options.records, options.clock),
    )


def broker_endpoints(broker: Broker) -> list[Endpoint]:
    """Every route of the door."""
    settings = broker.settings
    client = HttpClient(_policy(settings), settings.forward_max_bytes)
    notifier = RegistrationNotifier(
        broker.sources,
        broker.contexts,
        HttpDelivery(client, settings.forward_timeout_s),
        broker.clock,
        broker.sources.records,
    )
    return [
        *_endpoints(broker, client),
        *_source_endpoints(broker, notifier),
        registration_list(broker),
    ]


def context_loader(settings: NgsiLdSettings) -> RemoteContexts:
    """Fetches remote @contexts within the bounds of the settings.

    Raises:
        Problem: a file of `contexts` cannot be read, or `egress_allow` holds no network.
    """
    return RemoteContexts(
        _policy(settings),
        read_documents(settings.contexts),
        timeout_s=settings.context_timeout_s,
        keep_s=settings.context_keep_s,
    )


def _policy(settings: NgsiLdSettings) -> EgressPolicy:
    try:
        return egress_policy(settings.egress_allow)
    except ValueError as error:
        raise Problem(
            "egress_allow_wrong",
            "A network cannot be read",
            str(error),
            500,
            where="[ngsi_ld] egress_allow",
            remedy="write addresses or networks such as 10.0.0.0/8",
        ) from error


def _endpoints(broker: Broker, client: HttpClient) -> list[Endpoint]:
    return _routes(Distribution(broker, client, _table).rows(SPREADS))


def _table(broker: Broker) -> list[Row]:
    """Operations on entities and what belongs to them, each over one broker alone."""
    read, write = Permission.READ, Permission.WRITE_ENTITIES
    return [
        ("POST", "/entities", write, entities.create_handler(broker), "Create an entity"),
        ("GET", "/entities", read, entities.query_handler(broker), "Query entities"),
        ("POST", _ATTRIBUTES, write, attributes.append_handler(broker), "Append attributes"),
        ("PATCH", _ATTRIBUTES, write, attributes.update_handler(broker), "Update attributes"),
        ("PATCH", _ATTRIBUTE, write, attributes.update_one_handler(broker), "Update an attribute"),
        ("DELETE", _ATTRIBUTE, write, attributes.delete_handler(broker), "Delete an attribute"),
        ("GET", _ENTITY, read, entities.retrieve_handler(broker), "Retrieve an entity"),
        ("DELETE", _ENTITY, write, entities.delete_handler(broker), "Delete an entity"),
        (
            "POST",
            "/entityOperations/upsert",
            write,
            batch.upsert_handler(broker),
            "Create or update many entities",
        ),
        (
            "GET",
            "/temporal/entities/{entity_id:path}",
            read,
            temporal.retrieve_handler(broker),
            "Retrieve the temporal evolution of an entity",
        ),
        ("GET", "/jsonldContexts", read, contexts.list_handler(), "List the shipped @contexts"),
        (
            "GET",
            "/jsonldContexts/{name:path}",
            Permission.PUBLIC,
            contexts.serve_handler(),
            "Read a shipped @context",
        ),
    ]


def _source_endpoints(broker: Broker, notifier: RegistrationNotifier) -> list[Endpoint]:
    """Other context sources: registrations, subscriptions to them, who this one is."""
    read, write = Permission.READ, Permission.WRITE_ENTITIES
    made = "/csourceRegistrations"
    one = f"{made}/{{registration_id:path}}"
    watches = "/csourceSubscriptions"
    watch = f"{watches}/{{subscription_id:path}}"
    ports = (broker, notifier)
    return _routes(
        [
            ("POST", made, write, registrations.create_handler(broker), "Register a source"),
            ("GET", made, read, registrations.query_handler(broker), "Query registrations"),
            ("GET", one, read, registrations.retrieve_handler(broker), "Retrieve a registration"),
            ("PATCH", one, write, registrations.update_handler(broker), "Update a registration"),
            ("DELETE", one, write, registrations.delete_handler(broker), "Delete a registration"),
            ("POST", watches, write, watching.create_handler(*ports), "Watch registrations"),
            (
                "GET",
                watches,
                read,
                watching.query_handler(*ports),
                "List who watches them",
            ),
            ("GET", watch, read, watching.retrieve_handler(*ports), "Retrieve such a subscription"),
            ("PATCH", watch, write, watching.update_handler(*ports), "Update such a subscription"),
            ("DELETE", watch, write, watching.delete_handler(*ports), "Delete such a subscription"),
            ("GET", "/info/sourceIdentity", read, identity_handler(broker), "Tell who this is"),
        ]
    )


def _routes(table: list[Row]) -> list[Endpoint]:
    found = [_endpoint(*row) for row in table]
    # Clients do write a slash at the end; they get the answer, not a redirect.
    slashed = [_endpoint(row[0], row[1] + "/", *row[2:]) for row in table if row[1][-1] != "}"]
    return slashed + found


def _endpoint(
    method: str, path: str, permission: Permission, handler: Handler, summary: str
) -> Endpoint:
    return Endpoint(method, ROOT + path, permission, handler, summary, tags=("NGSI-LD",))
