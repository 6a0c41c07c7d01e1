"""A raw image has no structure of its own to be damaged: its survey is its size."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from hvrescue.byteio.source import ByteSource
from hvrescue.core.context import Context
from hvrescue.core.words import Severity
from hvrescue.images.identity import Identity
from hvrescue.images.survey import Book, Survey

FORMAT = "raw"
SECTOR = 512


@dataclass(frozen=True, slots=True)
class RawLayout:
    """Size in bytes."""

    size: int


def survey(source: ByteSource, ctx: Context) -> Survey[RawLayout]:
    """Never raises. A size that is no multiple of a sector says that the end was cut off."""
    book = Book(source)
    if source.size % SECTOR:
        rest = source.size % SECTOR
        where = book.where("file", source.size - rest, rest)
        book.find("RAW-001", Severity.WARNING, where, {"size": source.size, "rest": rest})
    identity = Identity(FORMAT, UUID(int=0), source.size, SECTOR, "fixed")
    return book.close(FORMAT, RawLayout(source.size), identity)
