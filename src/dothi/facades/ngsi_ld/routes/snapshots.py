"""/snapshots, /snapshots/{snapshotId} and its clone (clauses 6.36 to 6.38)."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dothi.facades.ngsi_ld.operations.broker import Broker
from dothi.facades.ngsi_ld.routes.guard import Handler, guarded
from dothi.facades.ngsi_ld.snapshots.desk import SnapshotDesk
from dothi.facades.ngsi_ld.snapshots.document import present
from dothi.facades.ngsi_ld.snapshots.selection import read_selection
from dothi.facades.ngsi_ld.wire.answers import answer, empty, raw_answer
from dothi.facades.ngsi_ld.wire.names import check_uri
from dothi.facades.ngsi_ld.wire.negotiation import JSON, LD_JSON, choose_media_type
from dothi.facades.ngsi_ld.wire.parameters import Parameters
from dothi.facades.ngsi_ld.wire.request import read_payload, request_context

_NONE: frozenset[str] = frozenset()


def create_handler(broker: Broker, desk: SnapshotDesk, root: str) -> Handler:
    """Create Snapshot (5.16.1)."""

    async def create(request: Request) -> Response:
        Parameters(request, _NONE)
        payload = await read_payload(request, broker.settings.max_body_bytes)
        context = await payload.context(broker.contexts, payload.document)
        return _created(root, await desk.create(payload.document, context.user))

    return guarded(create)


def clone_handler(broker: Broker, desk: SnapshotDesk, root: str) -> Handler:
    """Clone Snapshot (5.16.2)."""

    async def clone(request: Request) -> Response:
        Parameters(request, _NONE)
        source = _id_of(request)
        payload = await read_payload(request, broker.settings.max_body_bytes)
        await payload.context(broker.contexts, payload.document)
        return _created(root, await desk.clone(source, payload.document))

    return guarded(clone)


def retrieve_handler(broker: Broker, desk: SnapshotDesk) -> Handler:
    """Retrieve Snapshot Status (5.16.3)."""

    async def retrieve(request: Request) -> Response:
        Parameters(request, _NONE)
        snapshot_id = _id_of(request)
        media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
        context = await request_context(request, broker.contexts)
        return answer(present(await desk.get(snapshot_id)), media, context)

    return guarded(retrieve)


def update_handler(broker: Broker, desk: SnapshotDesk) -> Handler:
    """Update Snapshot Status (5.16.4)."""

    async def update(request: Request) -> Response:
        Parameters(request, _NONE)
        snapshot_id = _id_of(request)
        media = choose_media_type(request.headers.get("accept", ""), (JSON, LD_JSON))
        payload = await read_payload(
            request, broker.settings.max_body_bytes, takes_merge_patch=True
        )
        context = await payload.context(broker.contexts, payload.document)
        record = await desk.update(snapshot_id, payload.document)
        return answer(present(record), media, context)

    return guarded(update)


def delete_handler(desk: SnapshotDesk) -> Handler:
    """Delete Snapshot (5.16.5)."""

    async def delete(request: Request) -> Response:
        Parameters(request, _NONE)
        await desk.delete(_id_of(request))
        return empty()

    return guarded(delete)


def purge_handler(desk: SnapshotDesk) -> Handler:
    """Purge Snapshots (5.16.7)."""

    async def purge(request: Request) -> Response:
        parameters = Parameters(request, frozenset({"q"}))
        done, failed = await desk.purge(read_selection(parameters.text("q")))
        if not failed:
            return empty()
        errors = [{"entityId": id_, "error": error.body()} for id_, error in failed]
        return raw_answer({"success": done, "errors": errors}, JSON, 207)

    return guarded(purge)


def _created(root: str, snapshot_id: str) -> Response:
    return empty(201, {"location": f"{root}/snapshots/{quote(snapshot_id, safe=':')}"})


def _id_of(request: Request) -> str:
    found: str = request.path_params["snapshot_id"].removesuffix("/")
    check_uri(found, "the snapshot id in the path")
    return found
