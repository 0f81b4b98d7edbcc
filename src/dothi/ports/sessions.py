"""One-time login links and the sessions that they open. Only hashes are kept."""

from typing import Protocol

ADMINISTRATOR = "administrator"
"""The principal that is there before any person is."""


class Sessions(Protocol):
    """Any thread; blocking. Signing in and out stands in the audit record."""

    def make_link(self, lifetime_s: float, person: str = ADMINISTRATOR, by: str = "") -> str:
        """A new one-time token of a person, shown once. Her or his links made before stop working.

        `by`: who made it, for the audit record; empty: whoever has the data directory.
        """
        ...

    def redeem(self, link_token: str, lifetime_s: float) -> str | None:
        """Use a link up and open a session of the person that it was made for.

        Returns the session token, or None: unknown, used or expired link, or the person left.
        """
        ...

    def open(self, lifetime_s: float) -> str:
        """A session of the administrator without a link, for commands of this machine."""
        ...

    def principal_of(self, session_token: str) -> str | None:
        """Name of the principal of a session that is still valid."""
        ...

    def end(self, session_token: str) -> None:
        """Sign out; unknown tokens are fine."""
        ...

    def count_live(self) -> int:
        """Number of sessions of the administrator that are still valid."""
        ...
