"""A message of which not one row can be read."""

from dothi.model.problem import Problem

SAMPLE_CHARS = 300


class Unreadable(Exception):
    """Refuses a whole message; counted as one rejection of its source."""

    def __init__(self, reason: str, detail: str, remedy: str, status: int = 400) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.remedy = remedy
        self.status = status

    def problem(self) -> Problem:
        """What the sender is told."""
        return Problem(
            self.reason,
            "The message was not stored",
            self.detail,
            self.status,
            where="body",
            remedy=self.remedy,
        )


def sample_of(data: bytes) -> str:
    """The first characters of what was sent, as text that can be shown."""
    return data[:SAMPLE_CHARS].decode("utf-8", "backslashreplace")[:SAMPLE_CHARS]
