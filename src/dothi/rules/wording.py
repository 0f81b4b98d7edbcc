"""What is to be read of a verdict in lists: value against limit, in both languages, with units."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Literal

from msgspec import Struct, field

from dothi.model.quality import Quality
from dothi.model.rule import Words
from dothi.model.unit_symbols import decimals_of, symbol_of
from dothi.rules.explanation import Term
from dothi.rules.plan import Signal

Language = Literal["vi", "en"]

_LANGUAGES: tuple[Language, Language] = ("vi", "en")
_SIGNS = {">=": "≥", "<=": "≤"}
_AGAINST = {">=": "<", ">": "≤", "<=": ">", "<": "≥"}
"""How the value stands when the comparison does not hold."""
_TIMES = {
    "vi": ((86_400, "ngày"), (3_600, "giờ"), (60, "phút"), (1, "giây")),
    "en": ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")),
}
_DAY_S = 86_400
_FIGURES = {
    "vi": {
        "mean": "trung bình {span}",
        "min": "thấp nhất {span}",
        "max": "cao nhất {span}",
        "sum": "tổng {span}",
        "count": "số lần trong {span}",
        "rate": "thay đổi",
        "forecast": "so với dự báo",
    },
    "en": {
        "mean": "mean of {span}",
        "min": "least of {span}",
        "max": "most of {span}",
        "sum": "sum of {span}",
        "count": "times in {span}",
        "rate": "change",
        "forecast": "against the forecast",
    },
}
_STATES: dict[str, dict[str, tuple[str, str]]] = {
    "vi": {
        "silence": ("không có số liệu {age} (hạn {limit})", "lại có số liệu"),
        "spread": ("không đổi trong {span}", "lại thay đổi"),
        "flag": ("chất lượng {flags}", "chất lượng không còn {flags}"),
        "inside": ("ở trong vùng", "đã ra khỏi vùng"),
        "outside": ("ở ngoài vùng", "đã vào lại vùng"),
    },
    "en": {
        "silence": ("no data for {age} (limit {limit})", "data again"),
        "spread": ("has not changed for {span}", "changes again"),
        "flag": ("quality {flags}", "quality no longer {flags}"),
        "inside": ("inside the area", "has left the area"),
        "outside": ("outside the area", "is back in the area"),
    },
}
_FLAGS = {
    "vi": {
        Quality.GOOD: "tốt",
        Quality.UNCERTAIN: "không chắc",
        Quality.BAD: "xấu",
        Quality.MISSING: "thiếu",
        Quality.ESTIMATED: "ước tính",
        Quality.HAND_ENTERED: "nhập tay",
    },
    "en": {
        Quality.GOOD: "good",
        Quality.UNCERTAIN: "uncertain",
        Quality.BAD: "bad",
        Quality.MISSING: "missing",
        Quality.ESTIMATED: "estimated",
        Quality.HAND_ENTERED: "entered by hand",
    },
}


class Vocabulary(Struct, frozen=True):
    """What attributes are called, and in which unit (UN/CEFACT code) their numbers come."""

    names: Mapping[str, Words] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def name(self, attribute: str, language: Language) -> str:
        """The attribute itself where it has no name."""
        found = self.names.get(attribute)
        return (found and in_language(found, language)) or attribute


NO_WORDS = Vocabulary()


def in_language(words: Words, language: Language) -> str:
    """The other language where this one is empty."""
    return (words.vi or words.en) if language == "vi" else (words.en or words.vi)


@lru_cache(10_000)
def number_text(value: float, language: Language, decimals: int | None = None) -> str:
    """At most six digits, or so many decimals; the decimal sign is that of the language, the minus
    sign the typographic one."""
    text = f"{value:.6g}" if decimals is None else f"{value:.{decimals}f}"
    if "e" in text:
        text = format(Decimal(text), "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    text = "0" if text == "-0" else text.replace("-", "\N{MINUS SIGN}")
    return text.replace(".", ",") if language == "vi" else text


@lru_cache(1_000)
def duration_text(seconds: float, language: Language) -> str:
    """In its largest sensible unit, as the console tells it: a mean of a day is one of 24 h."""
    units = _TIMES[language]
    least, name = next(
        ((s, name) for s, name in units if seconds >= 2 * s or (seconds == s and s < _DAY_S)),
        units[-1],
    )
    return f"{number_text(seconds // least, language)} {name}"


def said(
    name: Words, deciding: Term, signal: Signal, vocabulary: Vocabulary, *, is_active: bool
) -> Words:
    """The name of the rule, then what decided: how it stands when the rule became (in)active."""
    if deciding.value is None or deciding.limit is None:
        return Words(vi=in_language(name, "vi"), en=in_language(name, "en"))
    kind = signal.extra[0] if deciding.figure == "fence" else deciding.figure
    if kind in _STATES["vi"]:
        vi, en = (
            _state(deciding, kind, signal, vocabulary, language, is_active=is_active)
            for language in _LANGUAGES
        )
        return Words(vi=f"{in_language(name, 'vi')}: {vi}", en=f"{in_language(name, 'en')}: {en}")
    left, right = _numbers(deciding)
    frames = [_frame(_framed(name, deciding, vocabulary, language)) for language in _LANGUAGES]
    numbers = (left.replace(".", ","), right.replace(".", ",")), (left, right)
    vi, en = map(_filled, frames, numbers)
    return Words(vi=vi, en=en)


def _filled(frame: tuple[str, str, str], numbers: tuple[str, str]) -> str:
    return f"{frame[0]}{numbers[0]}{frame[1]}{numbers[1]}{frame[2]}"


_Framed = tuple[str, str, str, float, str, str, float, str, Language]


def _framed(name: Words, term: Term, vocabulary: Vocabulary, language: Language) -> _Framed:
    """What a text holds beside its two numbers: name of the rule and of the attribute, figure, its
    window, how value and limit compare, their unit, of a rate for how long, and the level."""
    return (
        in_language(name, language),
        vocabulary.name(term.attribute, language),
        term.figure,
        term.window_s,
        _AGAINST[term.comparison] if term.verdict is False else term.comparison,
        term.unit,
        term.parameters[0] if term.figure == "rate" and term.parameters else 0.0,
        "" if term.limit_source is None else term.limit_source.level,
        language,
    )


@lru_cache(10_000)
def _frame(framed: _Framed) -> tuple[str, str, str]:
    """What stands before, between and after the numbers."""
    name, attribute, figure, window_s, comparison, code, per_s, level, language = framed
    unit = "" if figure == "count" else symbol_of(code)
    if per_s:
        unit = f"{unit or '1'}/{_per(per_s, language)}"
    ending = f" {unit}" if unit else ""
    before = f"{name}: {attribute}{_figure(figure, window_s, language)} "
    between = f"{ending} {_SIGNS.get(comparison, comparison)} "
    return before, between, f"{ending}{_level(level, window_s)}"


def _state(
    term: Term,
    kind: str,
    signal: Signal,
    vocabulary: Vocabulary,
    language: Language,
    *,
    is_active: bool,
) -> str:
    """Of a figure that is no number for people."""
    assert term.value is not None and term.limit is not None
    attribute = vocabulary.name(term.attribute, language)
    flags = [_FLAGS[language][Quality(int(one))] for one in signal.numbers if kind == "flag"]
    filled = _STATES[language][kind][0 if is_active else 1].format(
        age=duration_text(term.value / 1e6, language),
        limit=duration_text(term.limit / 1e6, language),
        span=duration_text(term.window_s, language),
        flags=", ".join(flags),
    )
    return filled if term.figure == "fence" else f"{attribute}: {filled}"


def _figure(figure: str, window_s: float, language: Language) -> str:
    told = _FIGURES[language].get(figure)
    if told is None:
        return ""
    return f", {told.format(span=duration_text(window_s, language))}:"


def _numbers(term: Term) -> tuple[str, str]:
    """Value and limit with a decimal point, never rounded so far that they look alike."""
    assert term.value is not None and term.limit is not None
    value, limit = term.value, term.limit
    if term.other is not None and term.inputs and term.inputs[0].value is not None:
        # Of two attributes both values say more than their distance from zero.
        value, limit = term.inputs[0].value, term.inputs[0].value - value
    decimals = None if term.figure == "count" else decimals_of(term.unit)
    if term.figure == "rate" and decimals is not None:
        # Small beside the values; where it is smaller still, all digits tell more.
        decimals = decimals + 1 if abs(value) >= 10.0**-decimals else None
    left, right = number_text(value, "en", decimals), number_text(limit, "en", decimals)
    if left == right and decimals is not None:
        return number_text(value, "en"), number_text(limit, "en")
    return left, right


def _level(level: str, window_s: float) -> str:
    """Which of the limits of a table it is; one that is named after the length of its mean was told
    with the figure."""
    hours = level.removesuffix("h").strip()
    is_told = level != hours and hours.isdigit() and int(hours) * 3600 == window_s
    return "" if not level or is_told else f" ({level})"


def _per(seconds: float, language: Language) -> str:
    for length, name in _TIMES[language]:
        if seconds == length:
            return name
    return f"({duration_text(seconds, language)})"
