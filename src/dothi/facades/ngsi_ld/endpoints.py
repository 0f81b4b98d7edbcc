"""The NGSI-LD API as a list of endpoints: its table of contents."""

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.facades.ngsi_ld.context.library import ContextLibrary
from dothi.facades.ngsi_ld.distributed.distribution import Distribution, Operation, Row
from dothi.facades.ngsi_ld.distributed.http_client import HttpClient
from dothi.facades.ngsi_ld.distributed.spreads import SPREADS
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.notifier import RegistrationNotifier
from dothi.facades.ngsi_ld.routes import (
    attributes,
    batch,
    contexts,
    discovery,
    entities,
    entity_maps,
    entity_writes,
    query,
    registrations,
    snapshots,
    subscriptions,
    temporal,
    temporal_attributes,
    temporal_query,
)
from dothi.facades.ngsi_ld.routes import registration_subscriptions as watching
from dothi.facades.ngsi_ld.routes.description import describe
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.routes.guard import Handler
from dothi.facades.ngsi_ld.routes.identity import identity_handler
from dothi.facades.ngsi_ld.settings import NgsiLdSettings
from dothi.facades.ngsi_ld.snapshots.desk import SnapshotDesk
from dothi.facades.ngsi_ld.subscriptions.registry import Registry

_ENTITY = "/entities/{entity_id:path}"
_ATTRIBUTES = f"{_ENTITY}/attrs"
_ATTRIBUTE = f"{_ATTRIBUTES}/{{attribute:path}}"
_ALL = "/subscriptions"
_ONE = "/subscriptions/{subscription_id:path}"

_no_entity = entity_writes.missing_handler("the entity id")
_BATCHES = (
    ("create", batch.create_handler, "Create many entities"),
    ("upsert", batch.upsert_handler, "Create or update many entities"),
    ("update", batch.update_handler, "Update many entities"),
    ("merge", batch.merge_handler, "Merge into many entities"),
    ("delete", batch.delete_handler, "Delete many entities"),
)


def broker_endpoints(broker: Broker, client: HttpClient) -> list[Endpoint]:
    """Every operation on entities, over one hub and the sources that are registered there."""
    return _mounted(Distribution(broker, client).rows(_operations(), SPREADS))


def _operations() -> list[Operation]:
    """Operations on entities and what belongs to them, each made for one broker alone."""
    read, write = Permission.READ, Permission.WRITE_ENTITIES
    table: list[Operation] = [
        ("POST", "/entities", write, entities.create_handler, "Create an entity"),
        ("GET", "/entities", read, query.query_handler, "Query entities"),
        ("DELETE", "/entities", write, entity_writes.purge_handler, "Purge entities"),
        *(
            (method, "/entities", write, lambda _: _no_entity, "Refused: no entity id")
            for method in ("PUT", "PATCH")
        ),
        ("POST", _ATTRIBUTES, write, attributes.append_handler, "Append attributes"),
        ("PATCH", _ATTRIBUTES, write, attributes.update_handler, "Update attributes"),
        ("PATCH", _ATTRIBUTE, write, attributes.update_one_handler, "Update an attribute"),
        ("PUT", _ATTRIBUTE, write, attributes.replace_handler, "Replace an attribute"),
        ("DELETE", _ATTRIBUTE, write, attributes.delete_handler, "Delete an attribute"),
        ("GET", _ENTITY, read, entities.retrieve_handler, "Retrieve an entity"),
        ("PUT", _ENTITY, write, entity_writes.replace_handler, "Replace an entity"),
        ("PATCH", _ENTITY, write, entity_writes.merge_handler, "Merge into an entity"),
        ("DELETE", _ENTITY, write, entities.delete_handler, "Delete an entity"),
        *(
            ("POST", f"/entityOperations/{name}", write, handler, summary)
            for name, handler, summary in _BATCHES
        ),
    ]
    return [*table, *_temporal(), *_consumption()]


def context_endpoints(library: ContextLibrary, public_url: str) -> list[Endpoint]:
    """@contexts are kept once for all tenants; each sees the cached ones and its own."""
    public, read, write = Permission.PUBLIC, Permission.READ, Permission.WRITE_ENTITIES
    base = contexts.BaseUrl(public_url, ROOT)
    one = "/jsonldContexts/{name:path}"
    return _mounted(
        [
            (
                "GET",
                "/jsonldContexts",
                read,
                contexts.list_handler(library, base),
                "List @contexts",
            ),
            (
                "POST",
                "/jsonldContexts",
                write,
                contexts.add_handler(library, ROOT),
                "Host an @context",
            ),
            ("GET", one, public, contexts.serve_handler(library, base), "Read an @context"),
            (
                "DELETE",
                one,
                write,
                contexts.delete_handler(library),
                "Delete or reload an @context",
            ),
        ]
    )


def snapshot_endpoints(broker: Broker, desk: SnapshotDesk) -> list[Endpoint]:
    """Snapshots of one hub."""
    read, write = Permission.READ, Permission.WRITE_ENTITIES
    one = "/snapshots/{snapshot_id:path}"
    create = snapshots.create_handler(broker, desk, ROOT)
    clone = snapshots.clone_handler(broker, desk, ROOT)
    return _mounted(
        [
            ("POST", "/snapshots", write, create, "Take a snapshot"),
            ("DELETE", "/snapshots", write, snapshots.purge_handler(desk), "Purge snapshots"),
            ("POST", f"{one}/clone", write, clone, "Clone a snapshot"),
            ("GET", one, read, snapshots.retrieve_handler(broker, desk), "Status of a snapshot"),
            ("PATCH", one, write, snapshots.update_handler(broker, desk), "Update a snapshot"),
            ("DELETE", one, write, snapshots.delete_handler(desk), "Delete a snapshot"),
        ]
    )


def subscription_endpoints(
    registry: Registry, settings: NgsiLdSettings, public_url: str = ""
) -> list[Endpoint]:
    """The routes of subscriptions. `public_url`: how others reach the program; empty: as here."""
    read, write = Permission.READ, Permission.WRITE_ENTITIES
    create, query = subscriptions.create_handler, subscriptions.query_handler
    retrieve, update = subscriptions.retrieve_handler, subscriptions.update_handler
    delete = subscriptions.delete_handler
    base = contexts.BaseUrl(public_url, ROOT)
    return _mounted(
        [
            ("POST", _ALL, write, create(registry, settings, base), "Create a subscription"),
            ("GET", _ALL, read, query(registry, settings), "Query subscriptions"),
            ("GET", _ONE, read, retrieve(registry, settings), "Retrieve a subscription"),
            ("PATCH", _ONE, write, update(registry, settings), "Update a subscription"),
            ("DELETE", _ONE, write, delete(registry, settings), "Delete a subscription"),
        ]
    )


def source_endpoints(
    broker: Broker, notifier: RegistrationNotifier, public_url: str = ""
) -> list[Endpoint]:
    """Other context sources: registrations, subscriptions to them, who this one is."""
    read, write = Permission.READ, Permission.WRITE_ENTITIES
    made = "/csourceRegistrations"
    one = f"{made}/{{registration_id:path}}"
    watches = "/csourceSubscriptions"
    watch = f"{watches}/{{subscription_id:path}}"
    ports, base = (broker, notifier), contexts.BaseUrl(public_url, ROOT)
    return _mounted(
        [
            ("POST", made, write, registrations.create_handler(broker), "Register a source"),
            ("GET", made, read, registrations.query_handler(broker), "Query registrations"),
            ("GET", one, read, registrations.retrieve_handler(broker), "Retrieve a registration"),
            ("PATCH", one, write, registrations.update_handler(broker), "Update a registration"),
            ("DELETE", one, write, registrations.delete_handler(broker), "Delete a registration"),
            ("POST", watches, write, watching.create_handler(*ports, base), "Watch registrations"),
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


def _consumption() -> list[Operation]:
    """Queries in a body, discovery, entity maps."""
    read = Permission.READ
    one_map = "/entityMaps/{map_id:path}"
    return [
        (
            "POST",
            "/entityOperations/query",
            read,
            query.post_handler,
            "Query entities by a body",
        ),
        ("GET", "/types", read, discovery.types_handler, "List the types of entities"),
        (
            "GET",
            "/types/{name:path}",
            read,
            discovery.type_handler,
            "Describe a type of entities",
        ),
        ("GET", "/attributes", read, discovery.attributes_handler, "List the attributes"),
        (
            "GET",
            "/attributes/{name:path}",
            read,
            discovery.attribute_handler,
            "Describe an attribute",
        ),
        ("GET", "/entityMaps", read, entity_maps.make_handler, "Make an EntityMap"),
        (
            "POST",
            "/entityMaps",
            read,
            entity_maps.post_handler,
            "Make an EntityMap by a body",
        ),
        ("GET", one_map, read, entity_maps.retrieve_handler, "Read an EntityMap"),
        ("PATCH", one_map, read, entity_maps.update_handler, "Prolong an EntityMap"),
        ("DELETE", one_map, read, entity_maps.delete_handler, "Delete an EntityMap"),
    ]


def _mounted(table: list[Row]) -> list[Endpoint]:
    found = [_endpoint(*row) for row in table]
    # Clients do write a slash at the end; they get the answer, not a redirect.
    slashed = [_endpoint(row[0], row[1] + "/", *row[2:]) for row in table if row[1][-1] != "}"]
    return slashed + found


def _temporal() -> list[Operation]:
    read, write = Permission.READ, Permission.WRITE_ENTITIES
    past, query = temporal_attributes, temporal_query
    entity = f"/temporal{_ENTITY}"
    attributes_of, attribute = f"/temporal{_ATTRIBUTES}", f"/temporal{_ATTRIBUTE}"
    many = "/temporal/entities"
    by_post, maps = "/temporal/entityOperations/query", "/temporal/entityMaps"
    one, all_, below = temporal, query.query_handler, past.append_handler
    return [
        ("POST", many, write, one.create_handler, "Create or update an evolution"),
        ("GET", many, read, all_, "Query evolutions"),
        ("POST", by_post, read, query.post_query_handler, "Query evolutions by POST"),
        ("GET", maps, read, query.map_handler, "Make an EntityMap of evolutions"),
        ("POST", maps, read, query.post_map_handler, "Make an EntityMap of evolutions by a body"),
        ("POST", attributes_of, write, below, "Add instances to an evolution"),
        ("PATCH", attribute, write, past.modify_handler, "Modify an instance"),
        ("DELETE", attribute, write, past.delete_handler, "Delete attribute or instance"),
        ("GET", entity, read, one.retrieve_handler, "Retrieve an evolution"),
        ("DELETE", entity, write, one.delete_handler, "Delete an evolution"),
    ]


def _endpoint(
    method: str, path: str, permission: Permission, handler: Handler, summary: str
) -> Endpoint:
    return Endpoint(
        method,
        ROOT + path,
        permission,
        handler,
        summary,
        tags=("NGSI-LD",),
        operation=describe(method, path.replace(":path}", "}")),
    )
