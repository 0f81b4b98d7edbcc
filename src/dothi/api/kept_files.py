"""Where files of public warnings lie, and what they are."""

import hashlib

from msgspec import Struct
from msgspec.structs import replace

from dothi.api.uploads import file_kind
from dothi.model.problem import Problem
from dothi.model.warning import Attachment, WarningContent
from dothi.ports.incidents import Evidence


class WarningFiles(Struct, frozen=True):
    """Given by the wiring."""

    store: Evidence
    most_bytes: int

    def known(self, content: WarningContent) -> WarningContent:
        """The content with what its files are, whatever was said of them. Blocking.

        Raises Problem: a file is not there (422).
        """
        return replace(content, attachments=tuple(self._known(one) for one in content.attachments))

    def _known(self, one: Attachment) -> Attachment:
        path = self.store.path(one.sha256)
        if path is None:
            raise Problem(
                "file_not_found",
                "No such file",
                f"{one.name!r} was not put up",
                422,
                where="content.attachments",
                remedy="POST it to /api/v1/warnings/files first",
            )
        data = path.read_bytes()
        digest = hashlib.sha1(data, usedforsecurity=False).hexdigest()
        return replace(one, mime_type=file_kind(path), size_bytes=len(data), sha1=digest)
