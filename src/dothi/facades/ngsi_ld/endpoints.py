"""The NGSI-LD API as a list of endpoints: its table of contents."""

from dothi.access.egress import egress_policy
from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.facades.ngsi_ld.context.preload import read_documents
from dothi.facades.ngsi_ld.context.remote import RemoteContexts
from dothi.facades.ngsi_ld.context.resolve import ContextLoader, Contexts
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.routes import (
    attributes,
    batch,
    contexts,
    entities,
    entity_writes,
    temporal,
)
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.routes.guard import Handler
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.model.problem import Problem
from dothi.ports.clock import Clock, SystemClock
from dothi.ports.entity_query import Entities
from dothi.ports.history import History
from dothi.ports.ingest import Ingest

_ENTITY = "/entities/{entity_id:path}"
_ATTRIBUTES = f"{_ENTITY}/attrs"
_ATTRIBUTE = f"{_ATTRIBUTES}/{{attribute:path}}"

_BATCHES = (
    ("create", batch.create_handler, "Create many entities"),
    ("upsert", batch.upsert_handler, "Create or update many entities"),
    ("update", batch.update_handler, "Update many entities"),
    ("merge", batch.merge_handler, "Merge into many entities"),
    ("delete", batch.delete_handler, "Delete many entities"),
)


def ngsi_ld_endpoints(
    ingest: Ingest,
    entities_store: Entities,
    history: History,
    settings: NgsiLdSettings | None = None,
    *,
    loader: ContextLoader | None = None,
    clock: Clock | None = None,
) -> list[Endpoint]:
    """Every route of the door; `loader` replaces the fetching of remote @contexts."""
    settings = settings or NgsiLdSettings()
    if not settings.is_enabled:
        return []
    broker = make_broker(ingest, entities_store, history, settings, loader=loader, clock=clock)
    return broker_endpoints(broker)


def make_broker(
    ingest: Ingest,
    entities_store: Entities,
    history: History,
    settings: NgsiLdSettings | None = None,
    *,
    loader: ContextLoader | None = None,
    clock: Clock | None = None,
) -> Broker:
    """What routes and services of the door share."""
    settings = settings or NgsiLdSettings()
    return Broker(
        ingest,
        entities_store,
        history,
        Contexts(loader or context_loader(settings)),
        clock or SystemClock(),
        settings,
    )


def context_loader(settings: NgsiLdSettings) -> RemoteContexts:
    """Fetches remote @contexts within the bounds of the settings.

    Raises:
        Problem: a file of `contexts` cannot be read, or `egress_allow` holds no network.
    """
    try:
        policy = egress_policy(settings.egress_allow)
    except ValueError as error:
        raise Problem(
            "egress_allow_wrong",
            "A network cannot be read",
            str(error),
            500,
            where="[ngsi_ld] egress_allow",
            remedy="write addresses or networks such as 10.0.0.0/8",
        ) from error
    return RemoteContexts(
        policy,
        read_documents(settings.contexts),
        timeout_s=settings.context_timeout_s,
        keep_s=settings.context_keep_s,
    )


def broker_endpoints(broker: Broker) -> list[Endpoint]:
    """Every route of the door."""
    read, write = Permission.READ, Permission.WRITE_ENTITIES
    table: list[tuple[str, str, Permission, Handler, str]] = [
        ("POST", "/entities", write, entities.create_handler(broker), "Create an entity"),
        ("GET", "/entities", read, entities.query_handler(broker), "Query entities"),
        ("DELETE", "/entities", write, entity_writes.purge_handler(broker), "Purge entities"),
        *(
            (method, "/entities", write, entity_writes.no_id_handler(), "Refused: no entity id")
            for method in ("PUT", "PATCH")
        ),
        ("POST", _ATTRIBUTES, write, attributes.append_handler(broker), "Append attributes"),
        ("PATCH", _ATTRIBUTES, write, attributes.update_handler(broker), "Update attributes"),
        ("PATCH", _ATTRIBUTE, write, attributes.update_one_handler(broker), "Update an attribute"),
        ("PUT", _ATTRIBUTE, write, attributes.replace_handler(broker), "Replace an attribute"),
        ("DELETE", _ATTRIBUTE, write, attributes.delete_handler(broker), "Delete an attribute"),
        ("GET", _ENTITY, read, entities.retrieve_handler(broker), "Retrieve an entity"),
        ("PUT", _ENTITY, write, entity_writes.replace_handler(broker), "Replace an entity"),
        ("PATCH", _ENTITY, write, entity_writes.merge_handler(broker), "Merge into an entity"),
        ("DELETE", _ENTITY, write, entities.delete_handler(broker), "Delete an entity"),
        *(
            ("POST", f"/entityOperations/{name}", write, handler(broker), summary)
            for name, handler, summary in _BATCHES
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
    found = [_endpoint(*row) for row in table]
    # Clients do write a slash at the end; they get the answer, not a redirect.
    slashed = [_endpoint(row[0], row[1] + "/", *row[2:]) for row in table if row[1][-1] != "}"]
    return slashed + found


def _endpoint(
    method: str, path: str, permission: Permission, handler: Handler, summary: str
) -> Endpoint:
    return Endpoint(method, ROOT + path, permission, handler, summary, tags=("NGSI-LD",))
