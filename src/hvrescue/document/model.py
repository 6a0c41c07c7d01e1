"""A document: blocks for people, data for machines. Built once, rendered anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class Tone(StrEnum):
    """How a word is meant; never told by colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"
    QUIET = "quiet"


class Heading(NamedTuple):
    """A title; level 1 is the document's."""

    text: str
    level: int = 2


class Paragraph(NamedTuple):
    """Running text; ``lead`` is a word before it that carries the tone (a verdict, a warning)."""

    text: str
    lead: str = ""
    tone: Tone = Tone.PLAIN


class Facts(NamedTuple):
    """Labels and values, one line each."""

    rows: tuple[tuple[str, str], ...]


class Card(NamedTuple):
    """One finding: its mark, title, and labelled texts below it."""

    mark: str
    tone: Tone
    title: str
    rows: tuple[tuple[str, str], ...]


class Table(NamedTuple):
    """Columns and rows. Columns named in ``numbers`` are set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()


class Bullets(NamedTuple):
    """A list; ``ordered`` numbers it. ``command`` of an item stands on a line of its own."""

    items: tuple[Item, ...]
    ordered: bool = False


class Item(NamedTuple):
    """A list item, with a command to type if there is one."""

    text: str
    command: str = ""


class Branch(NamedTuple):
    """A node of a tree."""

    text: str
    tone: Tone = Tone.PLAIN
    children: tuple[Branch, ...] = ()


class Tree(NamedTuple):
    """Who hangs on whom."""

    roots: tuple[Branch, ...]


Block = Heading | Paragraph | Facts | Card | Table | Bullets | Tree
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """``schema`` names the data's form (``hvrescue/<name>/<n>``); ``data`` is what ``--json`` prints."""

    schema: str
    data: Data
    blocks: Sequence[Block] = field(default=())
