"""A document: blocks for people, data for machines. Built once, rendered anywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Tone(StrEnum):
    """How a word is meant; never told by colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"
    QUIET = "quiet"


@dataclass(frozen=True, slots=True)
class Heading:
    """A title; level 1 is the document's."""

    text: str
    level: int = 2


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text; ``lead`` is a word before it that carries the tone (a verdict, a warning)."""

    text: str
    lead: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and values, one line each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One finding: its mark, title, and labelled texts below it."""

    mark: str
    tone: Tone
    title: str
    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows. Columns named in ``numbers`` are set to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list; ``ordered`` numbers it. ``command`` of an item stands on a line of its own."""

    items: tuple[Item, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """A list item, with a command to type if there is one."""

    text: str
    command: str = ""


@dataclass(frozen=True, slots=True)
class Branch:
    """A node of a tree."""

    text: str
    tone: Tone = Tone.PLAIN
    children: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
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
