"""XML of strangers, read without anything that can do harm: no DTD, no entities, bounded.

Expat with its own protections; a document type declaration of any kind ends the reading, so that
no entity can be declared, expanded or fetched.
"""

from collections.abc import Iterator
from typing import NoReturn
from xml.parsers import expat

from msgspec import Struct, field

from dothi.model.cap import CapUnreadable

MOST_BYTES = 4_000_000
MOST_DEPTH = 30
MOST_NODES = 100_000
_SEPARATOR = " "


class Node(Struct):
    """An element: its text is what stands directly in it."""

    namespace: str
    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list["Node"] = field(default_factory=list)
    _text: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Without blanks at both ends."""
        return "".join(self._text).strip()

    def all(self, name: str) -> list["Node"]:
        """Children of this name, in order."""
        return [child for child in self.children if child.name == name]

    def first(self, name: str) -> "Node | None":
        return next((child for child in self.children if child.name == name), None)

    def value(self, name: str) -> str:
        """Text of the first child of this name; empty when there is none."""
        found = self.first(name)
        return "" if found is None else found.text

    def walk(self) -> Iterator["Node"]:
        """Itself and everything below."""
        stack = [self]
        while stack:
            node = stack.pop()
            yield node
            stack.extend(reversed(node.children))


def parse(document: bytes) -> Node:
    """The root element. Raises CapUnreadable: not well-formed, too large, or with a DTD."""
    if len(document) > MOST_BYTES:
        raise CapUnreadable("", f"more than {MOST_BYTES:,} bytes")
    building = _Building()
    parser = expat.ParserCreate(namespace_separator=_SEPARATOR)
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    parser.ExternalEntityRefHandler = _refuse_doctype
    parser.StartElementHandler = building.start
    parser.EndElementHandler = building.end
    parser.CharacterDataHandler = building.characters
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise CapUnreadable(f"line {error.lineno}", f"not well-formed: {error}") from error
    except (ValueError, LookupError) as error:
        raise CapUnreadable("", f"its encoding cannot be read: {error}") from error
    if building.root is None:
        raise CapUnreadable("", "there is no element")
    return building.root


def _refuse_doctype(*_: object) -> NoReturn:
    raise CapUnreadable("", "a document type declaration (DTD, entities) is not read")


class _Building:
    """Makes Nodes of what expat tells."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MOST_NODES or len(self._open) >= MOST_DEPTH:
            raise CapUnreadable(
                "", f"more than {MOST_NODES:,} elements, or more than {MOST_DEPTH} in each other"
            )
        namespace, _, local = name.rpartition(_SEPARATOR)
        node = Node(namespace, local, attributes)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)

    def end(self, _name: str) -> None:
        self._open.pop()

    def characters(self, text: str) -> None:
        self._open[-1]._text.append(text)
