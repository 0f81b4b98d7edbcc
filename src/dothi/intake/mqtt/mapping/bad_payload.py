"""Why a payload, or one value in it, cannot become an observation."""


class BadPayload(Exception):
    """`reason` is a stable code of docs/reference/mqtt.md; `detail` says where and how to mend."""

    def __init__(self, reason: str, detail: str, row: int | None = None) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.row = row
        """Index in the array that the message is, if it is one."""
