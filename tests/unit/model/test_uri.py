"""Logins of addresses are not shown."""

import pytest

from dothi.model.uri import without_login


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:s3cret@a.vn:8443/x?to=b@c.vn", "https://a.vn:8443/x?to=b@c.vn"),
        ("https://s3cret@a.vn", "https://a.vn"),
        ("https://me:s3%40cr@et@a.vn/", "https://a.vn/"),
        ("mqtts://me:s3cret@[2001:db8::1]/topic", "mqtts://[2001:db8::1]/topic"),
        ("https://a.vn/@me/x", "https://a.vn/@me/x"),
        ("https://me:s3cret@[broken", "https://[broken"),
        ("no route to https://me:s3cret@a.vn/x: refused", "no route to https://a.vn/x: refused"),
        ("lan@example.vn", "lan@example.vn"),
        ("", ""),
    ],
)
def test_without_login(text: str, shown: str) -> None:
    assert without_login(text) == shown


def test_something_stands_where_a_login_was() -> None:
    assert without_login("https://me:s3cret@a.vn/x", "***") == "https://***@a.vn/x"
