"""The report of a drill: what was expected, what was done, what was kept from leaving."""

from collections.abc import Callable, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

import msgspec
from msgspec import Struct

from dothi.app.drill.play import Play
from dothi.app.drill.score import Scored, total
from dothi.model.zone import ZONE

_VERDICTS = {
    "kept": ("đúng hạn", "in time"),
    "late": ("trễ", "late"),
    "missed": ("không làm", "missed"),
    "no_occasion": ("không có dịp", "no occasion"),
}
_ORIGINS = {
    "simulated": ("số liệu mô phỏng", "simulated values"),
    "replayed": ("số liệu phát lại", "replayed values"),
}
_STYLE = (
    "body{font-family:'Noto Sans',sans-serif;max-width:60rem;margin:2rem auto;line-height:1.5}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.3rem .5rem;"
    "text-align:left;vertical-align:top}.note{background:#eee9f7;padding:.5rem .8rem}"
)


class Row(Struct, frozen=True):
    """One expectation."""

    id: str
    title_vi: str
    title_en: str
    verdict: str
    occasion_at: datetime | None
    done_at: datetime | None
    took_s: float | None
    """Of the scenario."""
    allowed_s: float | None
    weight: float
    by: str
    """Name of the person who did it; empty: nobody."""


class Report(Struct, frozen=True):
    """`report.json`; the HTML beside it says the same."""

    scenario: str
    title_vi: str
    title_en: str
    origin: str
    began_at: datetime
    ended_at: datetime
    speed: float
    score: float | None
    """0 to 1; None: nothing could be done."""
    rows: list[Row]
    refused: list[str]
    """Connections that the fence refused."""


def report_of(
    play: Play, scored: Sequence[Scored], ended_at: datetime, name: Callable[[str], str]
) -> Report:
    """`name`: of a person's id. Raises ValueError: the drill has not begun."""
    if play.timing is None:
        raise ValueError("the drill has not begun")
    scenario = play.scenario
    rows = [
        Row(
            one.expectation.id,
            one.expectation.title_vi,
            one.expectation.title_en,
            one.verdict,
            one.occasion_at,
            one.done_at,
            one.took_s,
            one.allowed_s,
            one.expectation.weight,
            name(one.by),
        )
        for one in scored
    ]
    return Report(
        scenario.id,
        scenario.title_vi,
        scenario.title_en,
        scenario.origin,
        play.timing.began_at,
        ended_at,
        play.speed,
        total(scored),
        rows,
        list(play.fence.refused),
    )


def write_report(report: Report, folder: Path) -> Path:
    """`report.json` and `report.html` in the folder; gives the latter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    path = folder / "report.html"
    path.write_text(_page(report), encoding="utf-8")
    return path


def _page(report: Report) -> str:
    score = "–" if report.score is None else f"{report.score:.0%}"
    head = "".join(
        f"<th>{vi}<br><small>{en}</small></th>"
        for vi, en in (
            ("Việc cần làm", "Expected"),
            ("Kết quả", "Verdict"),
            ("Có dịp lúc", "Occasion"),
            ("Làm lúc", "Done"),
            ("Người làm", "By"),
            ("Mất (giờ kịch bản)", "Took (time of the scenario)"),
            ("Cho phép", "Allowed"),
        )
    )
    rows = "".join(_row(row) for row in report.rows)
    vi, en = _ORIGINS[report.origin]
    refused = "".join(f"<li>{escape(one)}</li>" for one in report.refused)
    return (
        f'<!doctype html><html lang="vi"><meta charset="utf-8"><title>{escape(report.title_vi)}'
        f"</title><style>{_STYLE}</style><h1>{escape(report.title_vi)}</h1>"
        f"<p>{escape(report.title_en)}</p>"
        f'<p class="note">Diễn tập: {vi}, không có gì được gửi ra ngoài. / '
        f"Drill: {en}, nothing was sent outside.</p>"
        f"<p>{_local(report.began_at)} – {_local(report.ended_at)}, {report.speed:g}×</p>"
        f"<h2>Điểm / Score: {score}</h2><table><tr>{head}</tr>{rows}</table>"
        f"<p>Kết nối bị chặn / Connections refused: {len(report.refused)}</p><ul>{refused}</ul>"
    )


def _row(row: Row) -> str:
    vi, en = _VERDICTS[row.verdict]
    cells = (
        f"{escape(row.title_vi)}<br><small>{escape(row.title_en)}</small>",
        f"{vi}<br><small>{en}</small>",
        _local(row.occasion_at),
        _local(row.done_at),
        escape(row.by) or "–",
        _length(row.took_s),
        _length(row.allowed_s),
    )
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _local(at: datetime | None) -> str:
    return "–" if at is None else at.astimezone(ZONE).strftime("%d/%m/%Y %H:%M:%S")


def _length(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
