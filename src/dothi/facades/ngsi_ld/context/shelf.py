"""An LdContextStore in memory, for a door without a database behind it."""

from collections.abc import Mapping
from datetime import datetime

from dothi.ports.ld_contexts import ContextKind, KeptContext


class MemoryShelf:
    """See ports.ld_contexts."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[KeptContext, bytes]] = {}

    def all(self) -> list[KeptContext]:
        return [context for context, _ in self._kept.values()]

    def document(self, context_id: str) -> bytes | None:
        found = self._kept.get(context_id)
        return found[1] if found else None

    def find_equal(self, kind: ContextKind, tenant: str, document: bytes) -> str | None:
        return next(
            (
                context.id
                for context, text in self._kept.values()
                if (context.kind, context.tenant, text) == (kind, tenant, document)
            ),
            None,
        )

    def put(self, context: KeptContext, document: bytes) -> None:
        self._kept[context.id] = (context, document)

    def delete(self, context_id: str) -> None:
        self._kept.pop(context_id, None)

    def note_uses(self, uses: Mapping[str, tuple[int, datetime]]) -> None:
        """The figures of use are in the objects themselves."""
