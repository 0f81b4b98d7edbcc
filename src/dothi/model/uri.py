"""Addresses as people may see them: on screens, in logs and records."""

import re

_LOGIN = re.compile(r"(?<=://)[^/?#\s]*@")


def without_login(text: str, instead: str = "") -> str:
    """An address, or a text with addresses in it, without the user and password of any (RFC 3986,
    3.2.1); `instead` stands where one was."""
    return _LOGIN.sub(f"{instead}@" if instead else "", text)
