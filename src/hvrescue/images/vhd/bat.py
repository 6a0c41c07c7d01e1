"""The block allocation table: one sector number per block, read in bulk (2040 GiB need 4 or 16 MiB of it)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hvrescue.byteio.arrays import I64, U32
from hvrescue.byteio.source import ByteSource
from hvrescue.core.errors import Unreadable
from hvrescue.core.limits import KIB, MIB
from hvrescue.images.doubt import Doubt
from hvrescue.images.survey import Book
from hvrescue.images.vhd.layout import ABSENT, ENTRY, SECTOR, Header

_PAGE = MIB
_PIECE = 4 * KIB
"""Where a page cannot be read, it is tried in pieces of a physical sector, so that little is lost."""


@dataclass(frozen=True, slots=True)
class Table:
    """The entries of the disk's blocks, and which of them cannot be believed."""

    header: Header
    size: int
    entries: U32
    doubt: Doubt

    @property
    def blocks(self) -> int:
        """Blocks of the disk."""
        return self.entries.size

    def place(self, block: int) -> int:
        """File offset of a block's entry."""
        return self.header.table_offset + block * ENTRY

    def believed(self) -> I64:
        """Present blocks without a doubt, ascending."""
        present = self.entries != ABSENT
        if self.doubt.mask is not None:
            present &= ~self.doubt.mask
        return np.flatnonzero(present)

    def starts(self, blocks: I64) -> I64:
        """File offsets of the bitmaps with which these blocks begin."""
        return self.entries[blocks].astype(np.int64) * SECTOR


def read_table(book: Book, header: Header, blocks: int, size: int) -> Table:
    """The entries of ``blocks`` blocks; those the medium does not give are doubted."""
    entries = np.full(blocks, ABSENT, ">u4")
    raw = entries.view(np.uint8).data
    doubt = Doubt(blocks)
    lost: list[_Lost] = []
    for low in range(0, len(raw), _PAGE):
        if _fill(book.source, header.table_offset, raw, low, _PAGE) is not None:
            lost += _in_pieces(book.source, header.table_offset, raw, low)
    for part in lost:
        book.could_not_read(part.error, "BAT", header.table_offset + part.low, part.high - part.low)
        doubt.add(np.arange(part.low // ENTRY, -(-part.high // ENTRY)))
    return Table(header, size, entries.astype(np.uint32), doubt)


@dataclass(slots=True)
class _Lost:
    """A range of the table, from its start on, that the medium does not give."""

    error: Unreadable
    low: int
    high: int


def _in_pieces(source: ByteSource, base: int, raw: memoryview, page: int) -> list[_Lost]:
    lost: list[_Lost] = []
    for low in range(page, min(len(raw), page + _PAGE), _PIECE):
        error = _fill(source, base, raw, low, _PIECE)
        if error is None:
            continue
        high = min(len(raw), low + _PIECE)
        raw[low:high] = b"\xff" * (high - low)
        if lost and lost[-1].high == low:
            lost[-1].high = high
        else:
            lost.append(_Lost(error, low, high))
    return lost


def _fill(source: ByteSource, base: int, raw: memoryview, low: int, size: int) -> Unreadable | None:
    try:
        source.preadinto(base + low, raw[low : low + size])
    except Unreadable as error:
        return error
    return None
