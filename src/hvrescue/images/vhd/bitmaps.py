"""Sector bitmaps: which sectors of a block a differencing disk holds itself. They carry no checksum.

Bits are counted from the most significant one. In a dynamic disk they are not used for reading: the sectors of
an allocated block that were never written are zeros in the file anyway, Windows and QEMU set all bits at once,
and other writers are known to forget them. There a bitmap only testifies that a block begins at this place.
"""

from __future__ import annotations

import numpy as np

from hvrescue.byteio.arrays import I64
from hvrescue.core.errors import Unreadable
from hvrescue.core.limits import KIB
from hvrescue.core.words import MAX_SAMPLES, Repair, Scalar, Severity
from hvrescue.images.survey import Book
from hvrescue.images.vhd.bat import Table
from hvrescue.images.vhd.layout import SECTOR, Kind
from hvrescue.images.vhd.space import Space

_LOOKED_AT = 16_384
"""Bitmaps read in a survey, 32 GiB of blocks. Each is a seek on a spinning disk, and none is redundant: what is
wrong with one can be told in the crudest cases only."""
_GLANCED_AT = 1024
"""The same for dynamic disks, where they do not matter for reading."""
_LEAST = 64
"""Bytes of a bitmap below which noise cannot be told from a busy guest."""
_SAMPLES = 8


def survey_bitmaps(book: Book, table: Table, space: Space, kind: Kind) -> None:
    """Doubt blocks whose bitmap cannot be one, or cannot be read."""
    blocks = table.believed()
    starts = table.starts(blocks)
    order = np.argsort(starts, kind="stable")
    blocks, starts = blocks[order], starts[order]
    look = _Look(book, table)
    if kind == Kind.DIFFERENCING:
        bad = [b for b, at in _rows(blocks, starts, _LOOKED_AT) if not look.plausible_child(at)]
    else:
        zeroed = [b for b, at in _rows(blocks, starts, _GLANCED_AT) if look.zeroed(at)]
        if zeroed:
            # Nothing is lost by it, but something wrote zeros here.
            _find(book, table, zeroed, "VHD-BMP-002", Severity.INFO)
        odd = np.isin(starts, space.starts[space.off_stride()])
        bad = [b for b, at in _rows(blocks[odd], starts[odd], _LOOKED_AT) if not look.begins_a_block(at)]
    look.note_unread()
    if bad:
        _find(book, table, bad, "VHD-BMP-001", Severity.ERROR)
        table.doubt.add(np.array(bad, np.int64))


def _rows(blocks: I64, starts: I64, most: int) -> list[tuple[int, int]]:
    return list(zip(blocks[:most].tolist(), starts[:most].tolist(), strict=True))


def _find(book: Book, table: Table, bad: list[int], code: str, severity: Severity) -> None:
    shown = bad[:MAX_SAMPLES]
    at = table.starts(np.array(shown, np.int64)).tolist()
    size = table.header.bitmap_size
    places = [book.where("sector bitmap", start, size, f"block {b}") for b, start in zip(shown, at, strict=True)]
    args: dict[str, Scalar] = {"block": bad[0], "guest_offset": bad[0] * table.header.block_size}
    book.find(code, severity, places, args, Repair.CONSENT, count=len(bad))


class _Look:
    """Reads bitmaps, and remembers the first that the medium did not give."""

    def __init__(self, book: Book, table: Table) -> None:
        self.book, self.header = book, table.header
        self.failed: tuple[Unreadable, int] | None = None

    def plausible_child(self, start: int) -> bool:
        """Nothing is the child's own, says a bitmap of zeros: then there must be no data either."""
        bitmap = self._bitmap(start)
        if bitmap is None:
            return False
        return not is_noise(bitmap) if any(bitmap) else not self._holds_data(start)

    def zeroed(self, start: int) -> bool:
        """Zeros before data."""
        bitmap = self._bitmap(start)
        return bitmap is not None and not any(bitmap) and self._holds_data(start)

    def begins_a_block(self, start: int) -> bool:
        """Whether a dynamic disk's block can begin here."""
        bitmap = self._bitmap(start)
        if bitmap is None:
            return True
        return not is_busy(bitmap) if any(bitmap) else not self._holds_data(start)

    def note_unread(self) -> None:
        """One note for all: the blocks themselves are named by the finding."""
        if self.failed:
            self.book.could_not_read(self.failed[0], "sector bitmap", self.failed[1], self.header.bitmap_size)

    def _bitmap(self, start: int) -> bytes | None:
        """Without the padding to a sector."""
        return self._read(start, max(1, self.header.block_size // SECTOR // 8))

    def _holds_data(self, start: int) -> bool:
        size = self.header.block_size
        offset, piece = start + self.header.bitmap_size, min(4 * KIB, size)
        places = range(offset, min(offset + size, self.book.source.size) - piece + 1, max(piece, size // _SAMPLES))
        return any(any(self._read(at, piece) or b"") for at in places)

    def _read(self, offset: int, size: int) -> bytes | None:
        try:
            return self.book.source.pread(offset, size)
        except Unreadable as error:
            self.failed = self.failed or (error, offset)
            return None


def _changes(bits: bytes) -> int:
    flat = np.unpackbits(np.frombuffer(bits, np.uint8))
    return int(np.count_nonzero(np.diff(flat)))


def is_noise(bits: bytes) -> bool:
    """As random as payload: bits change half of the time, and nearly every byte is another."""
    if len(bits) < _LEAST:
        return False
    count = 8 * len(bits)
    near_half = abs(_changes(bits) - count / 2) < 3 * count**0.5
    expected = 256 * (1 - (255 / 256) ** len(bits))
    return near_half and len(set(bits)) > 0.8 * expected


def is_busy(bits: bytes) -> bool:
    """More changes than one a byte: a guest's clusters are 8 sectors and more, text and code look like this."""
    return len(bits) >= _LEAST and _changes(bits) > len(bits)
