"""The after-action report, from the record alone: the same record gives the same report."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec import Struct, field

from dothi.incidents.conduct import Book
from dothi.incidents.report.document import Block, Document, Facts, Grid, Heading, Paragraph
from dothi.incidents.report.steps import Tally, run_blocks, tally
from dothi.incidents.report.wording import Wording
from dothi.model.incident import Entry, EntryKind, Link, Point, SubjectKind, TaskState
from dothi.model.incident_record import Record, WarningNote
from dothi.model.procedure import Words


class Beside(Struct, frozen=True):
    """What the record only points at."""

    roles: Mapping[str, Words] = field(default_factory=dict)
    """Names of positions."""
    warnings: Sequence[WarningNote] = ()
    name_of: Callable[[str], str] = str
    """Id of a person -> the name that people read."""


def build_report(
    record: Record,
    book: Book,
    lang: str,
    made_at: datetime,
    beside: Beside | None = None,
) -> Document:
    """`lang`: vi or en."""
    beside = beside or Beside()
    w = Wording(lang, book.calendar.zone, beside.roles, beside.name_of)
    incident = record.incident
    blocks: list[Block] = []
    if incident.origin:
        blocks.append(Paragraph(w.say("synthetic", note=incident.origin), True))
    last = record.entries[-1].number if record.entries else 0
    made = w.say("made", at=w.time(made_at), n=last, version=incident.version)
    blocks += [Paragraph(made), Heading(w.say("summary")), _facts(record, book, w, made_at)]
    blocks += [Heading(w.say("timeline")), _timeline(record.entries, w)]
    blocks.append(Heading(w.say("procedures")))
    blocks += _or_none(
        [b for run in record.runs for b in run_blocks(run, book.shown(run), w, made_at)], w
    )
    alarms = [one for one in record.links if one.kind is SubjectKind.ALARM]
    others = [one for one in record.links if one.kind is not SubjectKind.ALARM]
    blocks += [Heading(w.say("alarms")), *_links(alarms, w)]
    if others:
        blocks += [Heading(w.say("links")), *_links(others, w)]
    blocks += [Heading(w.say("decisions")), *_said(record, EntryKind.DECISION, w)]
    blocks += [Heading(w.say("messages")), *_messages(record, w)]
    blocks += [Heading(w.say("warnings")), *_warnings(beside.warnings, w)]
    blocks += [Heading(w.say("tasks")), *_tasks(record, w)]
    blocks += [Heading(w.say("costs")), *_costs(record, w)]
    blocks += [Heading(w.say("evidence")), *_files(record, w)]
    blocks += [Heading(w.say("lessons")), Paragraph(w.say("by_hand"), True)]
    blocks += _said(record, EntryKind.LESSON, w)
    number = w.say("incident", n=incident.id)
    return Document(
        lang,
        f"{w.say('report')}: {w.spoken(incident.title, incident.title_en)}",
        number,
        f"dothi · {number}",
        w.say("page", n="{n}", total="{total}"),
        blocks,
    )


def _facts(record: Record, book: Book, w: Wording, now: datetime) -> Facts:
    incident = record.incident
    end = incident.closed_at or now
    states = [t.state for t in record.tasks]
    sums = sum((tally(run, now) for run in record.runs), Tally())
    alarms = sum(one.kind is SubjectKind.ALARM for one in record.links)
    rows = [
        (w.say("severity"), w.say(f"severity_{int(incident.severity)}")),
        (w.say("state"), w.say(f"state_{incident.state}")),
        (w.say("opened"), f"{w.time(incident.opened_at)} ({w.person(incident.opened_by)})"),
        (w.say("closed"), w.time(incident.closed_at) or "–"),
        (w.say("lasted"), w.length(end - incident.opened_at)),
        (w.say("commander"), w.person(incident.commander) or w.say("nobody")),
        (
            w.say("informed"),
            "; ".join(f"{u.name} ({w.time(u.at)})" for u in incident.units) or "–",
        ),
        (
            w.say("places"),
            "; ".join(map(_place, incident.points)) or "–",
        ),
        (w.say("description"), incident.description or "–"),
        (
            w.say("figures"),
            w.say(
                "figures_text",
                entries=len(record.entries),
                alarms=alarms,
                tasks=len(states),
                done=states.count(TaskState.DONE),
                dropped=states.count(TaskState.DROPPED),
                open=states.count(TaskState.OPEN),
                files=len(record.files),
            ),
        ),
        (
            w.say("clocks"),
            w.say(
                "clocks_text",
                kept=sums.kept,
                missed=sums.missed,
                skipped=sums.skipped,
                open=sums.open,
            ),
        ),
    ]
    return Facts(rows)


def _place(point: Point) -> str:
    where = f"{point.lat:.5f}, {point.lon:.5f}"
    return f"{point.label} ({where})" if point.label else where


def _timeline(entries: Iterable[Entry], w: Wording) -> Grid:
    rows = [(str(e.number), w.time(e.at), w.entry(e), w.person(e.by)) for e in entries]
    return Grid(("#", w.say("time"), w.say("what"), w.say("by")), (0.4, 1.3, 5, 1.2), rows)


def _links(links: Sequence[Link], w: Wording) -> list[Block]:
    rows = [
        (
            w.subject(one.subject),
            w.spoken(one.title, one.title_en),
            w.time(one.at),
            w.person(one.by),
        )
        for one in links
    ]
    head = (w.say("subject"), w.say("title"), w.say("linked"), w.say("by"))
    return _or_none([Grid(head, (1.6, 4, 1.3, 1.2), rows)] if rows else [], w)


def _said(record: Record, kind: EntryKind, w: Wording) -> list[Block]:
    rows = [
        (w.time(e.happened_at), e.text, w.person(e.by)) for e in record.entries if e.kind is kind
    ]
    head = (w.say("time"), w.say("what"), w.say("by"))
    return _or_none([Grid(head, (1.3, 5.4, 1.2), rows)] if rows else [], w)


def _messages(record: Record, w: Wording) -> list[Block]:
    rows = [
        (w.time(e.happened_at), str(e.details["to"]), e.text, w.person(e.by))
        for e in record.entries
        if e.kind is EntryKind.MESSAGE or e.details.get("what") == "informed"
    ]
    head = (w.say("time"), w.say("to"), w.say("what"), w.say("by"))
    return _or_none([Grid(head, (1.3, 2, 3.4, 1.2), rows)] if rows else [], w)


def _warnings(notes: Sequence[WarningNote], w: Wording) -> list[Block]:
    rows = [
        (
            w.time(n.at),
            w.subject(n.subject),
            f"{w.say(f'cap_{n.kind.lower()}')}: {w.spoken(n.title, n.title_en)}",
            w.say(f"cap_{n.state}"),
            w.person(n.by),
        )
        for n in notes
    ]
    head = (w.say("time"), w.say("subject"), w.say("what"), w.say("state"), w.say("by"))
    return _or_none([Grid(head, (1.3, 1, 3.4, 1.2, 1.2), rows)] if rows else [], w)


def _tasks(record: Record, w: Wording) -> list[Block]:
    rows = [
        (
            t.title,
            w.person(t.owner) or w.say("nobody"),
            w.time(t.due_at),
            w.time(t.ended_at),
            w.say(f"task_{t.state}") + (f": {t.note}" if t.note else ""),
        )
        for t in record.tasks
    ]
    head = (w.say("task"), w.say("owner"), w.say("due"), w.say("ended"), w.say("result"))
    return _or_none([Grid(head, (3, 1.3, 1.3, 1.3, 2), rows)] if rows else [], w)


def _costs(record: Record, w: Wording) -> list[Block]:
    totals: dict[str, float] = defaultdict(float)
    rows = []
    for e in record.entries:
        if e.kind is EntryKind.COST:
            amount, currency = float(e.details["amount"]), str(e.details["currency"])
            totals[currency] += amount
            rows.append(
                (w.time(e.happened_at), e.text, f"{w.number(amount)} {currency}", w.person(e.by))
            )
    rows += [
        ("", w.say("total"), f"{w.number(total)} {currency}", "")
        for currency, total in sorted(totals.items())
    ]
    head = (w.say("time"), w.say("what"), w.say("amount"), w.say("by"))
    return _or_none([Grid(head, (1.3, 3.8, 1.6, 1.2), rows)] if rows else [], w)


def _files(record: Record, w: Wording) -> list[Block]:
    rows = [
        (f"{f.number}. {f.name}", w.size(f.size_bytes), f.sha256, w.time(f.at), w.person(f.by))
        for f in record.files
    ]
    head = (w.say("file"), w.say("size"), "SHA-256", w.say("time"), w.say("by"))
    return _or_none([Grid(head, (2.4, 0.9, 3.4, 1.2, 1), rows)] if rows else [], w)


def _or_none(blocks: Sequence[Block], w: Wording) -> list[Block]:
    return list(blocks) or [Paragraph(w.say("none"))]
