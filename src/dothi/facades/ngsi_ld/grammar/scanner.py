"""What the recursive-descent parsers share: a text, a place in it, errors that name the place."""

import re

MAX_DEPTH = 32
MAX_LENGTH = 16_384
_NAME = re.compile(r"[^\W\d_]\w*(?::[^\W\d_]\w*)?")
_IRI_IN_BRACKETS = re.compile(r"https?://[^\s;|()\[\]{}<>=!~\",]+")


class GrammarError(ValueError):
    """The text breaks its grammar; `position` counts characters from 0."""

    def __init__(self, message: str, text: str, position: int) -> None:
        near = text[position : position + 20]
        place = f"at character {position + 1}, before {near!r}" if near else "at the end"
        super().__init__(f"{message} {place}")
        self.position = position


class Scanner:
    """A text read from left to right."""

    def __init__(self, text: str) -> None:
        """Raises GrammarError when the text is longer than any honest filter."""
        self.text = text
        self.position = 0
        self._depth = 0
        if len(text) > MAX_LENGTH:
            raise self.error(f"the text is longer than {MAX_LENGTH} characters")

    def error(self, message: str) -> GrammarError:
        return GrammarError(message, self.text, self.position)

    @property
    def is_at_end(self) -> bool:
        return self.position >= len(self.text)

    def peek(self, token: str) -> bool:
        return self.text.startswith(token, self.position)

    def take(self, token: str) -> bool:
        """Step over the token when it is next."""
        if not self.peek(token):
            return False
        self.position += len(token)
        return True

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise self.error(f"{token!r} is missing")

    def match(self, pattern: re.Pattern[str]) -> str:
        """Step over what the pattern matches here and return it; empty when it does not."""
        found = pattern.match(self.text, self.position)
        if found is None:
            return ""
        self.position = found.end()
        return found[0]

    def name(self, what: str) -> str:
        """A name, prefix:name, or an IRI of http or https."""
        found = self.match(_IRI_IN_BRACKETS) or self.match(_NAME)
        if not found:
            raise self.error(f"{what} is missing")
        return found

    def enter(self) -> None:
        """One parenthesis deeper."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.error(f"parentheses are nested more than {MAX_DEPTH} deep")

    def leave(self) -> None:
        self._depth -= 1
