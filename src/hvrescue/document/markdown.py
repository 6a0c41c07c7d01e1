"""A document as Markdown, for tickets, mails and reports."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hvrescue.core.units import printable
from hvrescue.document.model import (
    Block,
    Branch,
    Bullets,
    Card,
    Document,
    Facts,
    Heading,
    Paragraph,
    Table,
    Tree,
)

_SPECIAL = re.compile(r"([\\`*_\[\]<>|#])")


def render_markdown(document: Document) -> str:
    """The blocks, separated by blank lines."""
    return "\n\n".join("\n".join(_lines(block)) for block in document.blocks) + "\n"


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Heading(text, level):
            yield f"{'#' * level} {_safe(text)}"
        case Paragraph(text, lead, _):
            yield f"**{_safe(lead)}** {_safe(text)}" if lead else _safe(text)
        case Facts(rows):
            yield from (f"- **{_safe(label)}:** {_safe(value)}" for label, value in rows)
        case Card(mark, _, title, rows):
            yield f"### {_safe(mark)}: {_safe(title)}"
            yield ""
            yield from (f"- **{_safe(label)}:** {_safe(value)}" for label, value in rows)
        case Table(columns, rows, numbers):
            yield "| " + " | ".join(_safe(c) for c in columns) + " |"
            yield "|" + "|".join("---:" if n in numbers else "---" for n in range(len(columns))) + "|"
            yield from ("| " + " | ".join(_safe(cell) for cell in row) + " |" for row in rows)
        case Bullets(items, ordered):
            for n, item in enumerate(items, 1):
                yield f"{n}. {_safe(item.text)}" if ordered else f"- {_safe(item.text)}"
                if item.command:
                    yield f"   ```\n   {printable(item.command, 2000)}\n   ```"
        case Tree(roots):
            for root in roots:
                yield from _branch(root, 0)


def _branch(branch: Branch, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}- {_safe(branch.text)}"
    for child in branch.children:
        yield from _branch(child, depth + 1)


def _safe(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", printable(text, 4000))
