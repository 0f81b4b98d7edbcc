"""A report as Typst source. What people wrote stands in string literals, which Typst never reads as
markup or code."""

import json
import unicodedata

from dothi.incidents.report.document import Block, Document, Facts, Grid, Heading, Paragraph

_PAGE = """
#set document(title: {title})
#set text(font: "Noto Sans", size: 9.5pt, lang: {lang}, region: "VN", hyphenate: false)
#set par(leading: 0.72em, spacing: 0.9em)
#set page(
  paper: "a4",
  margin: (x: 1.8cm, top: 2.2cm, bottom: 2cm),
  header: text(8pt, fill: rgb("#4c555d"), {running}),
  footer: context align(right, text(8pt, fill: rgb("#4c555d"),
    {page_before} + counter(page).display() + {page_between}
      + str(counter(page).final().first()) + {page_after})),
)
#show heading: it => block(above: 1.5em, below: 0.7em, sticky: true,
  text(12pt, weight: 600, it.body))
#set table(stroke: (x, y) => (bottom: 0.4pt + rgb("#b3b9bf")), inset: (x: 4pt, y: 4pt))
#show table: set text(8pt)
#show table: set par(leading: 0.62em)
#let mark(body) = block(width: 100%, fill: rgb("#e6e8ea"), inset: 7pt,
  stroke: (left: 3pt + rgb("#626b73")), body)
#let lines(body) = body.split("\\n").join(linebreak())

#text(17pt, weight: 600, {title})
#v(-0.6em)
#text(10pt, fill: rgb("#4c555d"), {subtitle})
"""


def as_typst(document: Document) -> str:
    """To be compiled by whoever has a compiler."""
    page_before, _, rest = document.page.partition("{n}")
    page_between, _, page_after = rest.partition("{total}")
    head = _PAGE
    for name, text in {
        "title": document.title,
        "lang": document.lang,
        "running": document.running,
        "subtitle": document.subtitle,
        "page_before": page_before,
        "page_between": page_between,
        "page_after": page_after,
    }.items():
        head = head.replace(f"{{{name}}}", _literal(text))
    return head + "\n".join(_block(block) for block in document.blocks) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"#heading(level: 1, {_literal(text)})"
        case Paragraph(text, is_mark):
            content = f"lines({_literal(text)})"
            return f"#mark({content})" if is_mark else f"#par({content})"
        case Facts(rows):
            cells = ", ".join(
                f"text(weight: 600, {_literal(name)}), lines({_literal(value)})"
                for name, value in rows
            )
            return f"#table(columns: (4cm, 1fr), {cells})"
        case Grid(head, shares, grid_rows):
            columns = ", ".join(f"{share}fr" for share in shares)
            heads = ", ".join(f"text(weight: 600, {_literal(text)})" for text in head)
            cells = ", ".join(f"lines({_literal(_breakable(c))})" for row in grid_rows for c in row)
            return f"#table(columns: ({columns},), table.header({heads}), {cells})"


def _literal(text: str) -> str:
    """A Typst string: the escapes of JSON that Typst knows, and no control characters."""
    plain = "".join(c if c == "\n" or unicodedata.category(c) != "Cc" else " " for c in text)
    return json.dumps(unicodedata.normalize("NFC", plain), ensure_ascii=False)


def _breakable(text: str) -> str:
    """Long names and digests may break anywhere: zero-width spaces between eights."""
    return " ".join(
        "\u200b".join(word[i : i + 8] for i in range(0, len(word), 8)) if len(word) > 24 else word
        for word in text.split(" ")
    )
