"""Measures as Prometheus text (exposition format 0.0.4)."""

from collections.abc import Iterable, Iterator, Mapping

from dothi.model.measure import Histogram, Measure

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def render(measures: Iterable[Measure]) -> str:
    """Samples of the same name from several parts stand together, as the format asks."""
    families: dict[str, list[Measure]] = {}
    for measure in measures:
        families.setdefault(measure.name, []).append(measure)
    lines: list[str] = []
    for name, family in families.items():
        lines.append(f"# HELP {name} {_escape_help(family[0].help)}")
        lines.append(f"# TYPE {name} {family[0].kind}")
        lines.extend(line for measure in family for line in _samples(measure))
    return "\n".join(lines) + "\n"


def _samples(measure: Measure) -> Iterator[str]:
    for labels, value in measure.samples:
        if isinstance(value, Histogram):
            yield from _histogram(measure.name, labels, value)
        else:
            yield f"{measure.name}{_labels(labels)} {_number(value)}"


def _histogram(name: str, labels: Mapping[str, str], value: Histogram) -> Iterator[str]:
    seen = 0
    for bound, count in zip((*value.bounds, float("inf")), value.counts, strict=True):
        seen += count
        yield f"{name}_bucket{_labels({**labels, 'le': _number(bound)})} {seen}"
    yield f"{name}_sum{_labels(labels)} {_number(value.total)}"
    yield f"{name}_count{_labels(labels)} {seen}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    pairs = ",".join(f'{key}="{_escape(text)}"' for key, text in labels.items())
    return f"{{{pairs}}}"


def _number(value: float) -> str:
    if value == float("inf"):
        return "+Inf"
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _escape_help(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")
