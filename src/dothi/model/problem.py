"""Errors that say what, where and how to mend it (rendered as RFC 9457 problem documents)."""

from dataclasses import dataclass


@dataclass(eq=False)
class Problem(Exception):
    """An error for the outside.

    `code` is stable and documented; `status` is the HTTP status used at HTTP doors.
    Not frozen: the machinery of exceptions sets their traceback.
    """

    code: str
    title: str
    detail: str
    status: int = 400
    where: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.title}: {self.detail}"
        return f"{text} ({self.remedy})" if self.remedy else text


class Overloaded(Exception):
    """The bounded queue is full: the sender must slow down or try again."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"intake queue is full, try again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class StoreUnavailable(Exception):
    """The store cannot take writes now (disk full, locked, gone). Nothing was acknowledged."""
