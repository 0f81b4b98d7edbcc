"""The rules beyond the schema: each names the element and how to mend it."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from cap_samples import DATA, NOW
from dothi.facades.cap.checks.message import check_alert
from dothi.facades.cap.reading import read_alert
from dothi.model.cap import (
    Alert,
    CapArea,
    CapStatus,
    Category,
    Certainty,
    Circle,
    Info,
    MsgType,
    Named,
    Reference,
    Resource,
    Scope,
    Severity,
    Urgency,
)

SQUARE = ((10.0, 106.0), (10.0, 107.0), (11.0, 107.0), (11.0, 106.0), (10.0, 106.0))
INFO = Info(
    language="vi-VN",
    event="Triều cường",
    urgency=Urgency.EXPECTED,
    severity=Severity.MODERATE,
    certainty=Certainty.LIKELY,
    categories=(Category.MET,),
    expires_at=NOW + timedelta(hours=6),
    headline="Triều cường",
    description="Nước lên.",
    areas=(CapArea("Thủ Dầu Một", (SQUARE,)),),
)
ALERT = Alert(
    "urn:uuid:1", "a@example.org", NOW, CapStatus.ACTUAL, MsgType.ALERT, Scope.PUBLIC, infos=(INFO,)
)
EARLIER = Reference("a@example.org", "urn:uuid:0", NOW - timedelta(hours=1))


def info(**changes: Any) -> Alert:
    return replace(ALERT, infos=(replace(INFO, **changes),))


def area(**changes: Any) -> Alert:
    return info(areas=(replace(INFO.areas[0], **changes),))


def second(**changes: Any) -> Alert:
    english = replace(INFO, language="en-US", event="High tide", description="Rising.", **changes)
    return replace(ALERT, infos=(INFO, english))


def test_a_good_message_has_no_findings() -> None:
    assert check_alert(ALERT, NOW) == []
    assert check_alert(second(), NOW) == []


BOW = ((10.0, 106.0), (11.0, 107.0), (10.0, 107.0), (11.0, 106.0), (10.0, 106.0))
LONG = tuple((10 + n / 10_000, 106.0) for n in range(1200))


@pytest.mark.parametrize(
    ("alert", "element", "code"),
    [
        (replace(ALERT, identifier="a b"), "alert.identifier", "identifier_characters"),
        (replace(ALERT, identifier="a,b"), "alert.identifier", "identifier_characters"),
        (replace(ALERT, sender="a&b"), "alert.sender", "identifier_characters"),
        (replace(ALERT, sender=""), "alert.sender", "identifier_characters"),
        (replace(ALERT, sent_at=NOW + timedelta(hours=1)), "alert.sent", "sent_in_future"),
        (replace(ALERT, status=CapStatus.DRAFT), "alert.status", "status_draft"),
        (replace(ALERT, scope=Scope.RESTRICTED), "alert.restriction", "scope_mismatch"),
        (replace(ALERT, restriction="x"), "alert.restriction", "scope_mismatch"),
        (replace(ALERT, scope=Scope.PRIVATE), "alert.addresses", "scope_mismatch"),
        (replace(ALERT, addresses=("b",)), "alert.addresses", "scope_mismatch"),
        (replace(ALERT, source="\x07"), "alert.source", "unwritable"),
        (replace(ALERT, msg_type=MsgType.UPDATE), "alert.references", "references_missing"),
        (replace(ALERT, msg_type=MsgType.ACK), "alert.references", "references_missing"),
        (
            replace(ALERT, msg_type=MsgType.ERROR, references=(EARLIER,)),
            "alert.note",
            "missing",
        ),
        (replace(ALERT, references=(EARLIER,)), "alert.references", "references_unexpected"),
        (
            replace(ALERT, msg_type=MsgType.UPDATE, references=(ALERT.reference,)),
            "alert.references",
            "references_circular",
        ),
        (
            replace(
                ALERT,
                msg_type=MsgType.UPDATE,
                references=(replace(EARLIER, sent_at=NOW + timedelta(minutes=1)),),
            ),
            "alert.references",
            "references_postdated",
        ),
        (
            replace(ALERT, msg_type=MsgType.UPDATE, references=(EARLIER, EARLIER)),
            "alert.references",
            "twice",
        ),
        (
            replace(
                ALERT, msg_type=MsgType.UPDATE, references=(replace(EARLIER, identifier="a b"),)
            ),
            "alert.references",
            "identifier_characters",
        ),
        (replace(ALERT, infos=()), "alert.info", "missing"),
        (replace(ALERT, infos=(INFO, INFO)), "alert.info", "language_twice"),
        (second(severity=Severity.EXTREME), "info[1].severity", "languages_differ"),
        (second(expires_at=NOW + timedelta(hours=9)), "info[1].expires", "languages_differ"),
        (second(areas=()), "info[1].area", "languages_differ"),
        (info(event=""), "info[0].event", "missing"),
        (info(categories=()), "info[0].category", "missing"),
        (info(categories=(Category.MET, Category.MET)), "info[0].category", "twice"),
        (info(language="tiếng Việt"), "info[0].language", "language"),
        (info(headline="<b>Lũ</b>"), "info[0].headline", "markup"),
        (info(description="a&nbsp;b"), "info[0].description", "markup"),
        (info(instruction="a\x00b"), "info[0].instruction", "unwritable"),
        (info(expires_at=NOW - timedelta(hours=1)), "info[0].expires", "expires_early"),
        (
            info(effective_at=NOW + timedelta(hours=7)),
            "info[0].expires",
            "expires_early",
        ),
        (info(onset_at=NOW + timedelta(hours=7)), "info[0].onset", "onset_late"),
        (info(web="example.org"), "info[0].web", "web"),
        (info(web="ftp://example.org"), "info[0].web", "web"),
        (info(parameters=(Named("", "1"),)), "info[0].parameter[0]", "missing"),
        (info(event_codes=(Named("a", ""),)), "info[0].eventCode[0]", "missing"),
        (
            info(resources=(Resource("", "image/png"),)),
            "info[0].resource[0].resourceDesc",
            "missing",
        ),
        (info(resources=(Resource("a", "picture"),)), "info[0].resource[0].mimeType", "mime_type"),
        (
            info(resources=(Resource("a", "image/png", uri="a.png"),)),
            "info[0].resource[0].uri",
            "web",
        ),
        (
            info(resources=(Resource("a", "image/png", digest="abc"),)),
            "info[0].resource[0].digest",
            "digest",
        ),
        (area(description=""), "info[0].area[0].areaDesc", "missing"),
        (area(polygons=(SQUARE[:3],)), "info[0].area[0].polygon[0]", "polygon_too_short"),
        (area(polygons=(SQUARE[:4],)), "info[0].area[0].polygon[0]", "polygon_open"),
        (area(polygons=(BOW,)), "info[0].area[0].polygon[0]", "polygon_crosses"),
        (
            area(polygons=(((10.0, 106.0), (10.0, 107.0), (10.0, 108.0), (10.0, 106.0)),)),
            "info[0].area[0].polygon[0]",
            "polygon_crosses",
        ),
        (
            area(polygons=(tuple((lon, lat) for lat, lon in SQUARE),)),
            "info[0].area[0].polygon[0]",
            "coordinate_range",
        ),
        (area(circles=(Circle((10, 106), -1),)), "info[0].area[0].circle[0]", "circle_radius"),
        (area(circles=(Circle((106, 10), 1),)), "info[0].area[0].circle[0]", "coordinate_range"),
        (area(geocodes=(Named("a", ""),)), "info[0].area[0].geocode[0]", "missing"),
        (area(altitude_ft=-5.0), "info[0].area[0].altitude", "height"),
        (area(ceiling_ft=5.0), "info[0].area[0].ceiling", "height"),
        (area(altitude_ft=9.0, ceiling_ft=5.0), "info[0].area[0].ceiling", "height"),
    ],
)
def test_a_fault_is_named_with_its_element(alert: Alert, element: str, code: str) -> None:
    found = [one for one in check_alert(alert, NOW) if one.level == "error"]
    assert (element, code) in [(one.element, one.code) for one in found]
    assert all(one.detail and one.remedy for one in found)


@pytest.mark.parametrize(
    ("alert", "code"),
    [
        (info(expires_at=None), "no_expiry"),
        (info(headline="x" * 161), "headline_long"),
        (replace(ALERT, infos=(INFO, replace(INFO, language="en-US"))), "same_text"),
        (info(areas=(CapArea("somewhere"),)), "area_without_place"),
    ],
)
def test_what_is_only_odd_is_a_note(alert: Alert, code: str) -> None:
    found = check_alert(alert, NOW)
    assert [(one.code, one.level) for one in found] == [(code, "note")]


def test_errors_come_first() -> None:
    found = check_alert(info(expires_at=None, web="x"), NOW)
    assert [one.level for one in found] == ["error", "note"]


def test_html_in_a_sample_of_another_authority_is_seen() -> None:
    alert = read_alert((DATA / "australia.cap").read_bytes())
    assert ("info[0].description", "markup") in [
        (one.element, one.code) for one in check_alert(alert, NOW)
    ]


def test_the_tsunami_sample_has_no_error_beyond_its_form() -> None:
    found = check_alert(read_alert((DATA / "wcatwc-warning.cap").read_bytes()), NOW)
    assert {one.code for one in found if one.level == "error"} <= {"markup", "web"}
