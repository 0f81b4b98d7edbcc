"""Which part of a write goes to which source, and what stays here (clause 4.3.6, 5.6.x).

Exclusive registrations take their attributes first, then all redirect ones that match get theirs;
what they take is not written here. Inclusive sources get a copy of the rest. Auxiliary sources are
never written to.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct, field

from dothi.facades.ngsi_ld.distributed.caller import Caller
from dothi.facades.ngsi_ld.distributed.selection import matching
from dothi.facades.ngsi_ld.registrations.data import Information, Mode
from dothi.facades.ngsi_ld.registrations.matching import Wanted
from dothi.facades.ngsi_ld.registrations.registry import Entry, Registry
from dothi.model.condition import HasType, any_of

_Found = Sequence[tuple[Entry, list[Information]]]
Operation = str | tuple[str, ...]
"""Name of an operation (clause 4.20), or several that can stand for each other."""


class Piece(Struct, frozen=True):
    """What one source gets."""

    entry: Entry
    names: tuple[str, ...]
    """Stored names of its attributes."""
    is_whole: bool
    """Whether the source is registered for whole entities, not for named attributes."""
    is_supported: bool
    """Whether it takes this operation at all."""
    is_loop: bool = False
    """Whether the request has been there already."""


class Plan(Struct):
    pieces: list[Piece] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    """Attributes that are written here."""
    stays_here: bool = True
    """Whether anything is to be done here."""

    @property
    def has_proxied(self) -> bool:
        return any(piece.entry.registration.mode.is_proxied for piece in self.pieces)


def plan(
    registry: Registry,
    caller: Caller,
    entity: tuple[str, Iterable[str]],
    names: Sequence[str],
    operation: Operation,
) -> Plan:
    """Split the attributes `names` of an entity (id, types); no types: any."""
    uri, types = entity
    wanted = Wanted((uri,), "", any_of([HasType(name) for name in types]))
    found = list(matching(registry, [wanted], frozenset(names)))
    made = Plan(kept=tuple(names))
    for mode in (Mode.EXCLUSIVE, Mode.REDIRECT):
        _take(made, _of_mode(found, mode), caller, operation)
    for entry, parts in _of_mode(found, Mode.INCLUSIVE):
        if _takes(entry, operation) and not caller.has_seen(entry.registration):
            piece = _piece(entry, parts, made.kept, operation)
            if made.stays_here and (piece.names or piece.is_whole or not names):
                made.pieces.append(piece)
    return made


def plan_whole(found: _Found, caller: Caller, operation: Operation) -> Plan:
    """An operation on whole entities: every source that holds anything of them, and here."""
    made = Plan()
    for entry, _ in found:
        registration = entry.registration
        is_supported, is_loop = _takes(entry, operation), caller.has_seen(registration)
        if registration.mode.is_proxied:
            made.pieces.append(Piece(entry, (), True, is_supported, is_loop))
        elif registration.mode is Mode.INCLUSIVE and is_supported and not is_loop:
            made.pieces.append(Piece(entry, (), True, is_supported))
    return made


def _of_mode(found: _Found, mode: Mode) -> _Found:
    return [pair for pair in found if pair[0].registration.mode is mode]


def _take(made: Plan, found: _Found, caller: Caller, operation: Operation) -> None:
    """Give all of these sources their share of what is still kept, then keep it no longer."""
    taken: set[str] = set()
    had_names = bool(made.kept)
    for entry, parts in found:
        registration = entry.registration
        piece = _piece(entry, parts, made.kept, operation)
        if not piece.names and not (piece.is_whole and not had_names):
            continue
        if caller.has_seen(registration):
            piece = Piece(entry, piece.names, piece.is_whole, piece.is_supported, True)
        made.pieces.append(piece)
        taken |= set(piece.names)
        if piece.is_whole:
            made.stays_here = False
    made.kept = tuple(name for name in made.kept if name not in taken)
    if had_names and not made.kept:
        made.stays_here = False


def _piece(
    entry: Entry,
    parts: Sequence[Information],
    names: Sequence[str],
    operation: Operation,
) -> Piece:
    is_whole = any(not part.names for part in parts)
    covered = tuple(n for n in names if is_whole or any(n in part.names for part in parts))
    return Piece(entry, covered, is_whole, _takes(entry, operation))


def _takes(entry: Entry, operation: Operation) -> bool:
    """Whether the source takes the operation, or one of those that can stand for it."""
    names = (operation,) if isinstance(operation, str) else operation
    return any(entry.registration.supports(name) for name in names)
