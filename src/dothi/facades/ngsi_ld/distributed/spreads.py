"""Which operations are distributed, by method and path (clauses 5.6 to 5.8)."""

from dothi.facades.ngsi_ld.distributed import batches, reads, temporal, writes
from dothi.facades.ngsi_ld.distributed.discovery import discovery
from dothi.facades.ngsi_ld.distributed.distribution import Spread

_ENTITIES = "/entities"
_ENTITY = "/entities/{entity_id:path}"
_ATTRIBUTES = f"{_ENTITY}/attrs"
_ATTRIBUTE = f"{_ATTRIBUTES}/{{attribute:path}}"

SPREADS: dict[tuple[str, str], Spread] = {
    ("GET", _ENTITIES): reads.query,
    ("GET", _ENTITY): reads.retrieve,
    ("POST", "/entityOperations/query"): reads.query,
    ("GET", "/entityMaps"): reads.query,
    ("POST", "/entityMaps"): reads.query,
    ("GET", "/temporal/entities"): temporal.query,
    ("POST", "/temporal/entityOperations/query"): temporal.query,
    ("GET", f"/temporal{_ENTITY}"): temporal.retrieve,
    ("GET", "/temporal/entityMaps"): temporal.query,
    ("POST", "/temporal/entityMaps"): temporal.query,
    ("GET", "/types"): discovery("retrieveEntityTypes"),
    ("GET", "/types/{name:path}"): discovery("retrieveEntityTypeInfo"),
    ("GET", "/attributes"): discovery("retrieveAttrTypes"),
    ("GET", "/attributes/{name:path}"): discovery("retrieveAttrTypeInfo"),
    ("POST", _ENTITIES): writes.fragments(writes.CREATE),
    ("DELETE", _ENTITIES): writes.purge,
    ("PUT", _ENTITY): writes.fragments(writes.REPLACE),
    ("PATCH", _ENTITY): writes.fragments(writes.MERGE),
    ("DELETE", _ENTITY): writes.delete_entity,
    ("POST", _ATTRIBUTES): writes.fragments(writes.APPEND),
    ("PATCH", _ATTRIBUTES): writes.fragments(writes.UPDATE),
    ("PATCH", _ATTRIBUTE): writes.single_attributes(writes.UPDATE_ONE),
    ("PUT", _ATTRIBUTE): writes.single_attributes(writes.REPLACE_ONE),
    ("DELETE", _ATTRIBUTE): writes.single_attributes(writes.DELETE_ONE),
} | {
    ("POST", f"/entityOperations/{name}"): batches.batches(name)
    for name in ("create", "upsert", "update", "delete", "merge")
}
