"""Names of operations and of groups of them (clause 4.20)."""

from collections.abc import Iterable

_READ_ONE = ("retrieveEntity", "queryEntity")
_TYPES = (
    "retrieveEntityTypes",
    "retrieveEntityTypeDetails",
    "retrieveEntityTypeInfo",
    "retrieveAttrTypes",
    "retrieveAttrTypeDetails",
    "retrieveAttrTypeInfo",
)
_SUBSCRIBE = (
    "createSubscription",
    "updateSubscription",
    "retrieveSubscription",
    "querySubscription",
    "deleteSubscription",
)
_MAPS = ("retrieveEntityMap", "updateEntityMap", "deleteEntityMap", "createEntityMapQueryEntity")
_IDENTITY = ("retrieveContextSourceIdentity",)
_PROVIDE = (
    "createEntity",
    "updateEntity",
    "appendAttrs",
    "updateAttrs",
    "deleteAttrs",
    "deleteEntity",
    "mergeEntity",
    "replaceEntity",
    "replaceAttrs",
    "purgeEntity",
)

GROUPS: dict[str, frozenset[str]] = {
    "federationOps": frozenset(
        (*_READ_ONE, "queryBatch", *_TYPES, *_SUBSCRIBE, *_MAPS, *_IDENTITY)
    ),
    "associationOps": frozenset((*_READ_ONE, "queryBatch", *_TYPES, *_SUBSCRIBE, *_IDENTITY)),
    "updateOps": frozenset(("updateEntity", "updateAttrs", "replaceEntity", "replaceAttrs")),
    "retrieveOps": frozenset(_READ_ONE),
    "redirectionOps": frozenset((*_PROVIDE, *_READ_ONE, *_TYPES, *_MAPS, *_IDENTITY)),
}
DEFAULT_GROUP = "federationOps"
_OTHERS = (
    "createBatch",
    "upsertBatch",
    "updateBatch",
    "deleteBatch",
    "mergeBatch",
    "upsertTemporal",
    "appendAttrsTemporal",
    "deleteAttrsTemporal",
    "updateAttrInstanceTemporal",
    "deleteAttrInstanceTemporal",
    "deleteTemporal",
    "retrieveTemporal",
    "queryTemporal",
    "createEntityMapQueryTemporal",
)
NAMES = frozenset().union(*GROUPS.values()) | frozenset(_OTHERS)
"""Every single operation."""


def expanded(names: Iterable[str]) -> frozenset[str]:
    """The single operations of names and groups."""
    found: set[str] = set()
    for name in names:
        found |= GROUPS.get(name, frozenset((name,)))
    return frozenset(found)
