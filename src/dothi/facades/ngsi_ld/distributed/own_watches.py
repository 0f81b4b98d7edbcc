"""The subscriptions to registrations by which this broker learns of sources for its subscriptions
(clause 5.8.1.4), as they are listed."""

from typing import Any

from dothi.facades.ngsi_ld.distributed.leg_document import is_local_only
from dothi.facades.ngsi_ld.registrations.notification import Watch
from dothi.facades.ngsi_ld.registrations.subscription import TYPE, subscription
from dothi.facades.ngsi_ld.subscriptions.model import Subscription
from dothi.facades.ngsi_ld.subscriptions.naming import with_names

_ID = ":sources"
_COPIED = ("entities", "watchedAttributes", "scopeQ", "csf", "expiresAt", "jsonldContext")


def own_watch(ours: Subscription, endpoint: str) -> Watch | None:
    """What one of our subscriptions stands for; None: it concerns nobody else."""
    if is_local_only(ours):
        return None
    named = with_names(ours.document, ours.context.wire)
    document: dict[str, Any] = {name: named[name] for name in _COPIED if name in named}
    if "watchedAttributes" not in document:
        document.setdefault("entities", [{"type": "*"}])
    document |= {"id": f"{ours.id}{_ID}", "type": TYPE}
    document["notification"] = {"endpoint": {"uri": endpoint}}
    made, record = subscription(document, ours.context), ours.record
    return Watch(made, record.created_at, record.modified_at)
