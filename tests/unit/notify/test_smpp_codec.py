"""SMPP packets and the contents of short messages."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dothi.model.delivery import DeliveryState
from dothi.notify.smpp.pdu import (
    Bind,
    Command,
    MalformedPdu,
    Pdu,
    ShortMessage,
    Tag,
    decode,
    message_id,
)
from dothi.notify.smpp.receipt import receipt_of
from dothi.notify.smpp.text import DEFAULT, UCS2, WITH_HEADER, parts, text_of
from dothi.notify.wording.sms import GSM_BASIC, GSM_EXTENSION, is_gsm

OCTET = st.integers(0, 255)
ASCII = st.text(st.characters(min_codepoint=1, max_codepoint=126), max_size=20)
GSM = st.text(st.sampled_from([c for c in (*GSM_BASIC, *GSM_EXTENSION) if c != "\x1b"]))

MESSAGES = st.builds(
    ShortMessage,
    source=ASCII,
    destination=ASCII,
    content=st.binary(max_size=254),
    source_ton=OCTET,
    source_npi=OCTET,
    destination_ton=OCTET,
    destination_npi=OCTET,
    esm_class=OCTET,
    registered_delivery=OCTET,
    data_coding=OCTET,
    validity=ASCII.filter(lambda text: len(text) <= 16),
    options=st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=50), max_size=4),
)


@given(MESSAGES)
def test_what_is_written_is_read_again(message: ShortMessage) -> None:
    pdu = Pdu(Command.SUBMIT_SM, 0, 7, message.encode())
    assert decode(pdu.encode()) == pdu
    assert ShortMessage.decode(pdu.body) == message


@given(MESSAGES, st.data())
def test_packets_that_end_too_soon_are_malformed(
    message: ShortMessage, data: st.DataObject
) -> None:
    body = message.encode()
    cut = body[: data.draw(st.integers(0, len(body) - 1))]
    try:
        found = ShortMessage.decode(cut)
    except MalformedPdu:
        return
    assert message.options, "only whole options may be cut off unnoticed"
    assert found.content == message.content


@given(st.binary(max_size=200))
def test_any_bytes_are_a_packet_or_malformed(data: bytes) -> None:
    for read in (decode, ShortMessage.decode, Bind.decode, message_id):
        try:
            read(data)
        except MalformedPdu:
            continue


def test_the_packet_of_the_specification() -> None:
    # Section 3.2.3: bind_transmitter; ours differs in command, version, and the types of number.
    expected = bytes.fromhex(
        "0000002F 00000009 00000000 00000001 534D5050335445535400"
        "736563726574303800 5355424D495431 00 34 00 00 00"
    )
    bind = Bind("SMPP3TEST", "secret08", "SUBMIT1")
    assert Pdu(Command.BIND_TRANSCEIVER, 0, 1, bind.encode()).encode() == expected
    assert Bind.decode(bind.encode()) == bind


@pytest.mark.parametrize("bind", [Bind("x" * 16, "p"), Bind("x", "topsecret"), Bind("a\0b", "p")])
def test_texts_that_are_too_long_do_not_stand_in_the_error(bind: Bind) -> None:
    with pytest.raises(ValueError) as raised:
        bind.encode()
    assert "topsecret" not in str(raised.value)


@pytest.mark.parametrize("length", [0, 15, 1 << 20])
def test_lengths_that_cannot_be(length: int) -> None:
    with pytest.raises(MalformedPdu):
        decode(struct.pack(">4I", length, 4, 0, 1))


@given(st.one_of(GSM, st.text()), st.text(max_size=20))
def test_a_text_comes_out_of_its_parts_again(text: str, key: str) -> None:
    text = text.encode("utf-16", "replace").decode("utf-16")  # without halves of characters
    made = parts(text, key)
    coding = DEFAULT if is_gsm(text) else UCS2
    assert {part.data_coding for part in made} == {coding}
    if len(made) == 1:
        assert made[0].esm_class == 0
        assert len(made[0].content) <= (160 if coding == DEFAULT else 140)
        assert text_of(made[0].content, coding) == text
        return
    contents = []
    for number, part in enumerate(made, 1):
        assert part.esm_class == WITH_HEADER
        head, content = part.content[:6], part.content[6:]
        assert head == bytes((5, 0, 3, made[0].content[3], len(made), number))
        assert len(content) <= (153 if coding == DEFAULT else 134)
        contents.append(text_of(content, coding))
    assert "".join(contents) == text  # so no character was cut in two


def test_the_limits_of_one_message() -> None:
    assert [len(parts("a" * n, "k")) for n in (160, 161, 306, 307)] == [1, 2, 2, 3]
    assert [len(parts("ạ" * n, "k")) for n in (70, 71, 134, 135)] == [1, 2, 2, 3]
    assert [len(parts("[" * n, "k")) for n in (80, 81)] == [1, 2]
    assert len(parts("ạ" * 66 + "😀" + "a" * 9, "k")[0].content) == 6 + 132
    assert parts("x" * 200, "k") == parts("x" * 200, "k")


def receipt(text: str, esm_class: int = 4, options: dict[int, bytes] | None = None):
    return receipt_of(
        ShortMessage("84901", "dothi", text.encode(), esm_class=esm_class, options=options or {})
    )


def test_receipts() -> None:
    found = receipt("id:0000A1 sub:001 dlvrd:001 stat:DELIVRD err:000 text:id:9 stat:UNDELIV")
    assert found is not None
    # The text of the message comes last and may look like anything.
    assert (found.references[0], found.state) == ("0000A1", DeliveryState.DELIVERED)
    found = receipt("id:A1 sub:001 dlvrd:000 submit date:1 done date:2 stat:UNDELIV err:012 text:")
    assert found is not None
    assert (found.references[0], found.state) == ("A1", DeliveryState.FAILED)
    assert found.detail == "UNDELIV 012"
    options = {Tag.RECEIPTED_MESSAGE_ID: b"77\0", Tag.MESSAGE_STATE: b"\2"}
    found = receipt("", options=options)
    assert found is not None
    assert found.state is DeliveryState.DELIVERED
    assert {"77", "4d", "4D", "0000004D", "119"} <= set(found.references)
    assert receipt("id:A1 stat:ENROUTE").state is None  # type: ignore[union-attr]
    assert receipt("id:A1 stat:DELIVRD", esm_class=0) is None
    assert receipt("nonsense") is None
