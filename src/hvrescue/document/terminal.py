"""A document on a terminal, by Rich: wrapped to its width, coloured when wanted, words for every colour."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text
from rich.tree import Tree as RichTree

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
    Tone,
    Tree,
)

_STYLES = {
    Tone.PLAIN: "",
    Tone.GOOD: "bold green",
    Tone.INFO: "cyan",
    Tone.WARNING: "bold yellow",
    Tone.ERROR: "bold red",
    Tone.FATAL: "bold white on red",
    Tone.QUIET: "dim",
}
_PADDING = re.compile(r" +((?:\x1b\[0m)?)$", re.MULTILINE)
"""Rich fills lines up with blanks; they are in the way of who copies a report."""
_WIDEST = 110
"""Longer lines are hard to read, however wide the window is."""


def print_document(document: Document, file: TextIO, color: bool | None) -> None:
    """Print every block; ``color`` None decides by the terminal and ``NO_COLOR``."""
    console = Console(
        file=file, highlight=False, markup=False, emoji=False, soft_wrap=False,
        force_terminal=color or None, no_color=color is False or None, legacy_windows=False,
    )  # fmt: skip
    console.width = max(40, min(console.width, _WIDEST))
    with console.capture() as captured:
        for n, block in enumerate(document.blocks):
            if n:
                console.print()
            console.print(_rendered(block), crop=False)
    file.write(_PADDING.sub(r"\1", captured.get()))


def _rendered(block: Block) -> RenderableType:
    match block:
        case Heading(text, level):
            return Text(_safe(text), style="bold underline" if level == 1 else "bold")
        case Paragraph(text, lead, tone):
            line = Text().append(_safe(lead), style=_STYLES[tone])
            line.append("  " if lead and text else "")
            return line.append(_safe(text), style="" if lead else _STYLES[tone])
        case Facts(rows):
            return _facts(rows)
        case Card(mark, tone, title, rows):
            head = (
                Text().append(f" {_safe(mark)} ", style=_STYLES[tone]).append("  ").append(_safe(title), style="bold")
            )
            return Group(head, Padding(_facts(rows), (0, 0, 0, 2)))
        case Table():
            return _table(block)
        case Bullets():
            return Group(*_bullets(block))
        case Tree(roots):
            return Group(*(_tree(root) for root in roots))


def _bullets(block: Bullets) -> Iterator[RenderableType]:
    for n, item in enumerate(block.items, 1):
        grid = RichTable.grid(padding=(0, 1))
        grid.add_row(f"{n}." if block.ordered else "-", Text(_safe(item.text)))
        yield grid
        if item.command:
            # Never wrapped: a command that is copied must stay one line.
            yield Text("     " + printable(item.command, 2000), style="bold", no_wrap=True, overflow="ignore")


def _facts(rows: tuple[tuple[str, str], ...]) -> RichTable:
    grid = RichTable.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in rows:
        grid.add_row(Text(_safe(label)), Text(_safe(value)))
    return grid


def _table(block: Table) -> RichTable:
    table = RichTable(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for n, column in enumerate(block.columns):
        table.add_column(_safe(column), justify="right" if n in block.numbers else "left", overflow="fold")
    for row in block.rows:
        table.add_row(*(Text(_safe(cell)) for cell in row))
    return table


def _tree(branch: Branch) -> RichTree:
    tree = RichTree(Text(_safe(branch.text), style=_STYLES[branch.tone]))
    stack = [(tree, branch)]
    while stack:
        node, here = stack.pop()
        stack += [(node.add(Text(_safe(c.text), style=_STYLES[c.tone])), c) for c in here.children]
    return tree


def _safe(text: str) -> str:
    return printable(text, 4000)
