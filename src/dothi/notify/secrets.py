"""Secrets come from files or the environment, never from the settings themselves."""

import os
from pathlib import Path

from dothi.model.problem import Problem

_ENVIRONMENT = "env:"


def read_secret(name: str, setting: str) -> str:
    """The secret that a setting names: a file, or `env:NAME`. Empty: none.

    Raises Problem: it is not there.
    """
    if not name:
        return ""
    try:
        if name.startswith(_ENVIRONMENT):
            found = os.environ[name.removeprefix(_ENVIRONMENT)]
        else:
            found = Path(name).read_text(encoding="utf-8")
    except (OSError, KeyError, UnicodeDecodeError) as error:
        raise Problem(
            "secret_missing",
            "A secret cannot be read",
            str(error),
            500,
            where=setting,
            remedy="name a file that holds the secret alone (mode 0600), or env:NAME",
        ) from error
    return found.strip()
