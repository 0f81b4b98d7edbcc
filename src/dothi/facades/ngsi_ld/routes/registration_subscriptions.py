"""/csourceSubscriptions and /csourceSubscriptions/{id} (clauses 6.12 and 6.13)."""

import re
import uuid
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.context.names import LdContext
from dothi.facades.ngsi_ld.errors import NgsiError, already_exists, bad_request_data, not_found
from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.registrations.notification import Watch
from dothi.facades.ngsi_ld.registrations.notifier import RegistrationNotifier
from dothi.facades.ngsi_ld.registrations.subscription import (
    TYPE,
    subscription,
    subscription_members,
    understood,
    without_counters,
)
from dothi.facades.ngsi_ld.routes.contexts import BaseUrl
from dothi.facades.ngsi_ld.routes.entities import ROOT
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.wire.answers import answer, empty
from dothi.facades.ngsi_ld.wire.kinds import NGSI_NULL
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.paging import LIST_PARAMETERS, ListPage
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context
from dothi.facades.ngsi_ld.wire.times import format_date_time

_MEDIA_TYPES = (JSON, LD_JSON)
_NONE: frozenset[str] = frozenset({"local"})
_OUTPUT = frozenset({"options", "sysAttrs", "local"})
_TYPE_NAME = re.compile(r"[^\s,;|()]+")


def create_handler(broker: Broker, notifier: RegistrationNotifier, base: BaseUrl) -> Handler:
    async def create(request: Request) -> Response:
        Parameters(request, _NONE)
        payload = await read_payload(request, broker.settings.max_body_bytes)
        context = await payload.context(broker.contexts, payload.document)
        members = subscription_members(payload.document)
        members = {name: value for name, value in members.items() if value != NGSI_NULL}
        members.setdefault("id", f"urn:ngsi-ld:{TYPE}:{uuid.uuid4()}")
        if not context.has_url and "jsonldContext" not in members:
            # An @context without a URL gets one here, which notifications can name (5.13.1).
            subscription(members, context)  # what is refused leaves no @context
            url = await broker.contexts.address(context.user, base(request))
            members["jsonldContext"] = url
        made = await understood(members, context, broker.contexts)
        if made.is_expired(broker.clock.now()):
            raise bad_request_data("expiresAt is in the past")
        async with broker.locks.hold([made.id]):
            if await notifier.get(made.id) is not None:
                raise already_exists(f"there is a subscription {made.id} already")
            await notifier.put(made)
        path = f"{ROOT}/csourceSubscriptions/{quote(made.id, safe=':')}"
        return empty(201, {"location": path})

    return guarded(create)


def query_handler(broker: Broker, notifier: RegistrationNotifier) -> Handler:
    async def query(request: Request) -> Response:
        parameters = Parameters(request, _OUTPUT | LIST_PARAMETERS)
        media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
        context = await request_context(request, broker.contexts)
        page: ListPage[Watch] = ListPage(
            parameters, broker.settings.default_limit, broker.settings.max_limit
        )
        has_times = _wants_times(parameters)
        shown = [
            _shown(notifier, watch, context, has_times=has_times)
            for watch in page.of(await notifier.visible())
        ]
        return page.describe(request, answer(shown, media, context), media)

    return guarded(query)


def retrieve_handler(broker: Broker, notifier: RegistrationNotifier) -> Handler:
    async def retrieve(request: Request) -> Response:
        uri = _id_of(request)
        parameters = Parameters(request, _OUTPUT)
        media = choose_media_type(request.headers.get("accept", ""), _MEDIA_TYPES)
        context = await request_context(request, broker.contexts)
        every = await notifier.visible()
        watch = next((one for one in every if one.subscription.id == uri), None)
        if watch is None:
            raise _missing(uri)
        shown = _shown(notifier, watch, context, has_times=_wants_times(parameters))
        return answer(shown, media, context)

    return guarded(retrieve)


def update_handler(broker: Broker, notifier: RegistrationNotifier) -> Handler:
    async def update(request: Request) -> Response:
        uri = _id_of(request)
        Parameters(request, _NONE)
        payload = await read_payload(
            request, broker.settings.max_body_bytes, takes_merge_patch=True
        )
        context = await payload.context(broker.contexts, payload.document)
        fragment = subscription_members(payload.document)
        if not fragment:
            raise bad_request_data("the body holds no member of a subscription")
        async with broker.locks.hold([uri]):
            old = (await _found(notifier, uri)).subscription
            if fragment.pop("id", uri) != uri:
                raise bad_request_data("the id of a subscription cannot be changed")
            if context.user is None or context is old.context:
                context = old.context
            members = _renamed(old.document, old.context, context) | fragment
            kept = {name: value for name, value in members.items() if value != NGSI_NULL}
            made = await understood(kept, context, broker.contexts)
            if made.is_expired(broker.clock.now()):
                raise bad_request_data("expiresAt is in the past")
            await notifier.put(made)
        return empty()

    return guarded(update)


def delete_handler(broker: Broker, notifier: RegistrationNotifier) -> Handler:
    async def delete(request: Request) -> Response:
        uri = _id_of(request)
        Parameters(request, _NONE)
        await request_context(request, broker.contexts)
        async with broker.locks.hold([uri]):
            await _found(notifier, uri)
            await notifier.remove(uri)
        return empty()

    return guarded(delete)


def _id_of(request: Request) -> str:
    found: str = request.path_params["subscription_id"].removesuffix("/")
    check_uri(found, "the id in the path")
    return found


async def _found(notifier: RegistrationNotifier, uri: str) -> Watch:
    watch = await notifier.get(uri)
    if watch is None:
        raise _missing(uri)
    return watch


def _missing(uri: str) -> NgsiError:
    return not_found(f"there is no subscription {uri}")


def _wants_times(parameters: Parameters) -> bool:
    return parameters.wants_system_attributes()


def _shown(
    notifier: RegistrationNotifier, watch: Watch, context: LdContext, *, has_times: bool
) -> dict[str, Any]:
    made = watch.subscription
    found = _renamed(made.document, made.context, context)
    found["notification"] = without_counters(found["notification"]) | watch.counters.members()
    found["isActive"] = made.is_active
    found["status"] = notifier.status_of(watch)
    if has_times:
        found["createdAt"] = format_date_time(watch.created_at)
        found["modifiedAt"] = format_date_time(watch.modified_at)
    return found


def _renamed(document: dict[str, Any], old: LdContext, new: LdContext) -> dict[str, Any]:
    """The members with the names of another @context."""
    found = dict(document)
    if old is new:
        return found
    if "entities" in found:
        found["entities"] = [
            {**selector, "type": _types(selector["type"], old, new)}
            for selector in found["entities"]
        ]
    if "watchedAttributes" in found:
        found["watchedAttributes"] = [new.wire(old.stored(n)) for n in found["watchedAttributes"]]
    notification = found["notification"]
    if "attributes" in notification:
        names = [new.wire(old.stored(name)) for name in notification["attributes"]]
        found["notification"] = {**notification, "attributes": names}
    geo = found.get("geoQ")
    if isinstance(geo, dict) and "geoproperty" in geo:
        found["geoQ"] = {**geo, "geoproperty": new.wire(old.stored(geo["geoproperty"]))}
    return found


def _types(text: str, old: LdContext, new: LdContext) -> str:
    if text == "*":
        return text
    return _TYPE_NAME.sub(lambda found: new.wire(old.stored(found[0])), text)
