"""A Batch as bytes: rows and rejections come through, trust does not."""

import pytest
from msgspec.structs import replace
from tests.rows import batch

from dothi.model.batch import Rejection
from dothi.model.batch_message import decode_batch, encode_batch


def test_all_but_trust_is_carried() -> None:
    refused = Rejection("s1", "not_a_number", "row 2", 2, "abc")
    sent = replace(batch(number=[1.0, 2.0], rejected=(refused,)), is_whole=True, is_trusted=True)
    came = decode_batch(encode_batch(sent))
    assert came.rows == sent.rows
    assert replace(came, rows=sent.rows) == replace(sent, is_trusted=False)


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(ValueError, match="read"):
        decode_batch(b"no stream")
