"""Incidents: the board, one of them, its head, timeline, links and tasks."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from dothi.access.endpoint import Endpoint
from dothi.access.permission import Permission
from dothi.api.answer import answer
from dothi.api.incidents import shapes
from dothi.api.incidents.deps import IncidentDeps, in_thread, number_in, version_of, who
from dothi.api.incidents.shapes import Board, Proposal, Room, RunView
from dothi.api.person import NoQuery
from dothi.api.query import decode_body, decode_query
from dothi.incidents import desk, timeline
from dothi.incidents.centre import Decide, Subject
from dothi.incidents.desk import Edit, Opening
from dothi.incidents.timeline import NewTask, Note, TaskEdit
from dothi.model.incident import EntryKind, IncidentState, Point, Severity, TaskState
from dothi.model.incident_record import Record
from dothi.ports.incidents import BoardQuery

ROOT = "/api/v1/incidents"


def room_of(deps: IncidentDeps, record: Record) -> Room:
    """The record as the screen shows it."""
    book = deps.centre.library.book
    return Room(
        record.incident,
        list(record.entries),
        list(record.links),
        list(record.tasks),
        list(record.files),
        [RunView(run, book.shown(run)) for run in record.runs],
        [Proposal(c.procedure, c.cause) for c in deps.centre.proposals(record)],
        list(deps.centre.warnings_about(record.incident.id)),
        deps.centre.now(),
    )


def answer_room(room: Room, status: int = 200) -> Response:
    """With the version of the head as ETag."""
    response = answer(room, status)
    response.headers["etag"] = f'"{room.incident.version}"'
    return response


class RoomHandlers:
    """Each decides and stores in a worker thread."""

    def __init__(self, deps: IncidentDeps) -> None:
        self._deps = deps
        self._centre = deps.centre

    async def board(self, request: Request) -> Response:
        asked = decode_query(request, shapes.BoardParameters)
        query = BoardQuery(
            tuple(IncidentState(s) for s in asked.state),
            tuple(Severity(int(s)) for s in asked.severity),
            asked.commander,
            asked.subject,
            asked.before,
            asked.limit,
        )
        items = list(await in_thread(self._centre.board, query))
        after = items[-1].incident.id if len(items) == asked.limit else None
        return answer(Board(items, after, self._centre.now()))

    async def open(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, shapes.OpenBody)
        opening = Opening(
            body.title,
            Severity(body.severity),
            body.description,
            body.commander,
            _points(body.points),
            origin=self._deps.note,
            title_en=body.title_en,
        )
        subjects, by = _subjects(body.subjects), who(request)

        def opened() -> Room:
            record = self._centre.open(opening, subjects, body.procedure, by)
            return room_of(self._deps, record)

        room = await in_thread(opened)
        response = answer_room(room, 201)
        response.headers["location"] = f"{ROOT}/{room.incident.id}"
        return response

    async def get(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        number = number_in(request)
        return answer_room(await in_thread(lambda: room_of(self._deps, self._centre.get(number))))

    async def edit(self, request: Request) -> Response:
        body = await decode_body(request, shapes.EditBody)
        version = version_of(request, body.version)
        wanted = Edit(
            body.title,
            None if body.severity is None else Severity(body.severity),
            body.description,
            body.commander,
            None if body.points is None else _points(body.points),
            body.reason,
        )
        return await self._change(request, lambda r, actor: desk.edit(r, wanted, version, actor))

    async def move(self, request: Request) -> Response:
        body = await decode_body(request, shapes.StateBody)
        version, to = version_of(request, body.version), IncidentState(body.state)
        return await self._change(
            request, lambda r, actor: desk.move(r, to, body.reason, version, actor)
        )

    async def write(self, request: Request) -> Response:
        body = await decode_body(request, shapes.EntryBody)
        fields = msgspec.structs.asdict(body)
        note = Note(EntryKind(fields.pop("kind")), **fields)
        return await self._change(request, lambda r, actor: timeline.write(r, note, actor))

    async def inform(self, request: Request) -> Response:
        body = await decode_body(request, shapes.InformBody)
        return await self._change(
            request, lambda r, actor: desk.inform(r, body.name, body.how, body.at, actor)
        )

    async def link(self, request: Request) -> Response:
        decode_query(request, NoQuery)
        body = await decode_body(request, shapes.LinkBody)
        number, subjects, by = number_in(request), _subjects(body.subjects), who(request)
        return answer_room(
            await in_thread(lambda: room_of(self._deps, self._centre.link(number, subjects, by)))
        )

    async def unlink(self, request: Request) -> Response:
        body = await decode_body(request, shapes.UnlinkBody)
        return await self._change(
            request, lambda r, actor: desk.unlink(r, body.subject, body.reason, actor)
        )

    async def add_task(self, request: Request) -> Response:
        body = await decode_body(request, shapes.TaskBody)
        wanted = NewTask(body.title, body.owner, body.due_at)
        return await self._change(request, lambda r, actor: timeline.add_task(r, wanted, actor))

    async def change_task(self, request: Request) -> Response:
        body = await decode_body(request, shapes.TaskEditBody)
        task, version = number_in(request, "task"), version_of(request, body.version)
        state = None if body.state is None else TaskState(body.state)
        wanted = TaskEdit(state, body.owner, body.due_at, body.note)
        return await self._change(
            request, lambda r, actor: timeline.change_task(r, task, wanted, version, actor)
        )

    async def _change(self, request: Request, decide: Decide) -> Response:
        decode_query(request, NoQuery)
        number, by = number_in(request), who(request)
        return answer_room(
            await in_thread(lambda: room_of(self._deps, self._centre.change(number, by, decide)))
        )


def _points(points: list[shapes.PointBody]) -> tuple[Point, ...]:
    return tuple(Point(p.lon, p.lat, p.label) for p in points)


def _subjects(subjects: list[shapes.SubjectBody]) -> list[Subject]:
    return [Subject(s.subject, s.title, s.title_en) for s in subjects]


def endpoints(deps: IncidentDeps) -> list[Endpoint]:
    """Routes about incidents."""
    h = RoomHandlers(deps)
    read, write, tags = Permission.READ, Permission.INCIDENTS_WRITE, ("incidents",)
    one = f"{ROOT}/{{id}}"
    return [
        Endpoint(
            "GET", ROOT, read, h.board,
            "The board of incidents", shapes.BoardParameters, None, Board, tags,
        ),
        Endpoint(
            "POST", ROOT, write, h.open,
            "Open an incident, by hand or from alarms", NoQuery, shapes.OpenBody, Room, tags,
        ),
        Endpoint(
            "GET", one, read, h.get, "Everything of one incident", NoQuery, None, Room, tags
        ),
        Endpoint(
            "PATCH", one, write, h.edit,
            "Change title, severity, commander, places", NoQuery, shapes.EditBody, Room, tags,
        ),
        Endpoint(
            "POST", f"{one}/state", write, h.move,
            "Another state, with the reason", NoQuery, shapes.StateBody, Room, tags,
        ),
        Endpoint(
            "POST", f"{one}/entries", write, h.write,
            "Write into the timeline", NoQuery, shapes.EntryBody, Room, tags,
        ),
        Endpoint(
            "POST", f"{one}/informed", write, h.inform,
            "A unit or agency was told", NoQuery, shapes.InformBody, Room, tags,
        ),
        Endpoint(
            "POST", f"{one}/links", write, h.link,
            "Link alarms, reports, cameras, warnings", NoQuery, shapes.LinkBody, Room, tags,
        ),
        Endpoint(
            "POST", f"{one}/unlink", write, h.unlink,
            "Take a link away, with the reason", NoQuery, shapes.UnlinkBody, Room, tags,
        ),
        Endpoint(
            "POST", f"{one}/tasks", write, h.add_task,
            "A new task", NoQuery, shapes.TaskBody, Room, tags,
        ),
        Endpoint(
            "PATCH", f"{one}/tasks/{{task}}", write, h.change_task,
            "Finish, drop or hand over a task", NoQuery, shapes.TaskEditBody, Room, tags,
        ),
    ]  # fmt: skip
