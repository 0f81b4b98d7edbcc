"""A report as one HTML page without anything from outside; prints well."""

from html import escape

from dothi.incidents.report.document import Block, Document, Facts, Grid, Heading, Paragraph

_STYLE = """
body { font: 15px/1.55 'Noto Sans', system-ui, sans-serif; color: #1c2126; background: #fff;
  max-width: 62rem; margin: 0 auto; padding: 1.5rem; font-variant-numeric: tabular-nums }
h1 { font-size: 1.6rem; line-height: 1.3; margin: 0 }
h2 { font-size: 1.15rem; margin: 1.8rem 0 .5rem }
.sub { color: #4c555d; margin: .2rem 0 1rem } .mark { border-left: 4px solid #626b73;
  padding: .2rem .7rem; background: #e6e8ea }
table { border-collapse: collapse; width: 100%; font-size: .92rem; line-height: 1.45 }
th, td { border-bottom: 1px solid #b3b9bf; padding: .3rem .5rem; text-align: left;
  vertical-align: top; white-space: pre-line; overflow-wrap: anywhere }
th { color: #434b53 } .facts th { width: 14rem; font-weight: 600 }
@media print { body { padding: 0; font-size: 11px } tr { break-inside: avoid }
  thead { display: table-header-group } h2 { break-after: avoid } }
"""


def as_html(document: Document) -> str:
    """Every text is escaped: what people wrote is shown as they wrote it."""
    body = "\n".join(_block(block) for block in document.blocks)
    title = escape(document.title)
    return (
        f'<!doctype html>\n<html lang="{document.lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n"
        f'<h1>{title}</h1>\n<p class="sub">{escape(document.subtitle)}</p>\n{body}\n'
        "</body></html>\n"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"<h2>{escape(text)}</h2>"
        case Paragraph(text, is_mark):
            return f"<p{' class=mark' if is_mark else ''}>{escape(text)}</p>"
        case Facts(rows):
            cells = "".join(
                f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>'
                for name, value in rows
            )
            return f'<table class="facts"><tbody>{cells}</tbody></table>'
        case Grid(head, shares, grid_rows):
            total = sum(shares)
            widths = "".join(f'<col style="width:{100 * s / total:.1f}%">' for s in shares)
            heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
            body = "".join(
                f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>"
                for row in grid_rows
            )
            return (
                f"<table><colgroup>{widths}</colgroup><thead><tr>{heads}</tr></thead>"
                f"<tbody>{body}</tbody></table>"
            )
