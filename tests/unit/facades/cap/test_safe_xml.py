"""Hostile XML: nothing is expanded, fetched or built without bound."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cap_samples import DATA
from dothi.facades.cap.reading import read_alert
from dothi.facades.cap.safe_xml import MOST_BYTES, MOST_DEPTH, parse
from dothi.model.cap import CapUnreadable

_SAMPLE = (DATA / "canada.cap").read_bytes()


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;&x;">]><a>&y;</a>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]><a/>',
    ],
)
def test_a_document_type_is_refused(document: bytes) -> None:
    with pytest.raises(CapUnreadable, match="document type"):
        parse(document)


def test_depth_size_and_number_are_bounded() -> None:
    deep = b"<a>" * (MOST_DEPTH + 1) + b"</a>" * (MOST_DEPTH + 1)
    with pytest.raises(CapUnreadable, match="in each other"):
        parse(deep)
    with pytest.raises(CapUnreadable, match="bytes"):
        parse(b" " * (MOST_BYTES + 1))
    with pytest.raises(CapUnreadable, match="elements"):
        parse(b"<a>" + b"<b/>" * 100_001 + b"</a>")


@pytest.mark.parametrize(
    "document", [b"", b"<a>", b"<a>&x;</a>", b"{}", b'<?xml version="1.0" encoding="klingon"?><a/>']
)
def test_what_is_no_xml_is_refused_with_a_reason(document: bytes) -> None:
    with pytest.raises(CapUnreadable):
        parse(document)


@given(st.integers(0, len(_SAMPLE) - 1), st.binary(max_size=8))
def test_a_broken_message_is_read_or_refused_never_more(at: int, noise: bytes) -> None:
    with contextlib.suppress(CapUnreadable):
        read_alert(_SAMPLE[:at] + noise + _SAMPLE[at + len(noise) :])


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        (b"<status>Actual</status>", b"<status>Real</status>", "alert.status"),
        (b"<sent>2012-05-02T23:21:04-00:00</sent>", b"<sent>yesterday</sent>", "alert.sent"),
        (b"<sent>2012-05-02T23:21:04-00:00</sent>", b"<sent>2012-05-02T23:21:04</sent>", "sent"),
        (b"<identifier>2.49.0.1.124.6bddbc91.2012</identifier>", b"", "alert.identifier"),
        (b"<urgency>Past</urgency>", b"<urgency>Soon</urgency>", "info.urgency"),
        (b"42.3481,-82.9314 42", b"42.3481;-82.9314 42", "area.polygon"),
        (b"42.3481,-82.9314 42", b"nan,-82.9314 42", "area.polygon"),
    ],
)
def test_a_wrong_element_is_named(before: bytes, after: bytes, where: str) -> None:
    assert before in _SAMPLE
    with pytest.raises(CapUnreadable, match=where):
        read_alert(_SAMPLE.replace(before, after))
