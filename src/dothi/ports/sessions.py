"""One-time login links and the sessions that they open. Only hashes are kept."""

from typing import Protocol


class Sessions(Protocol):
    """Any thread; blocking."""

    def make_link(self, lifetime_s: float) -> str:
        """A new one-time token, shown once. Links made before stop working."""
        ...

    def redeem(self, link_token: str, lifetime_s: float) -> str | None:
        """Use a link up and open a session of the administrator.

        Returns the session token, or None: unknown, used or expired link.
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
        """Number of sessions that are still valid."""
        ...
