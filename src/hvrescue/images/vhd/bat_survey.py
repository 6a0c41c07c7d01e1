"""What the BAT says, and where it contradicts itself, the header or the file (V5-V8).

Every entry ends as one of three: right as far as can be known, doubted (its block reads as UNKNOWN), or the
reason why the whole table cannot be trusted (a refusal).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hvrescue.byteio.arrays import I64, distinct
from hvrescue.core.errors import Unreadable
from hvrescue.core.limits import KIB, MIB
from hvrescue.core.words import MAX_SAMPLES, Repair, Scalar, Severity, Where
from hvrescue.images.survey import Book
from hvrescue.images.vhd.bat import Table
from hvrescue.images.vhd.bitmaps import survey_bitmaps
from hvrescue.images.vhd.layout import ABSENT, ENTRY, SECTOR, Kind
from hvrescue.images.vhd.space import Space, Span

_GAP_SAMPLES = 16


@dataclass(frozen=True, slots=True)
class Ground:
    """What the table is held against: the structures, where room for blocks ends, and whether the file was cut."""

    spans: Sequence[Span]
    limit: int
    truncated: bool
    kind: Kind


class BatScan:
    """One scan; findings go to the book, doubts to the table."""

    def __init__(self, book: Book, table: Table, ground: Ground) -> None:
        self.book, self.table, self.ground = book, table, ground
        self.header = table.header
        self.unread = table.doubt.mask is not None
        self.space = self._space()

    def run(self) -> None:
        """All rules, from single entries to the room of the whole file."""
        self._places()
        self.space = self._space()
        self._overlaps()
        if self.space.roomy():
            self._refuse_block_size("roomy")
        self._gaps()
        self._neighbours()
        survey_bitmaps(self.book, self.table, self._space(), self.ground.kind)

    def confirms_header(self) -> bool:
        """Whether the table proves a header whose checksum is wrong: not one contradiction, and regular steps."""
        return self.table.doubt.mask is None and self.space.regular()

    def _space(self) -> Space:
        starts = distinct(self.table.starts(self.table.believed()))
        return Space(self.header, starts, self.ground.spans, self.ground.limit)

    def _places(self) -> None:
        """Each entry for itself: a whole block between the header and the end of the file (V6)."""
        blocks = self.table.believed()
        starts = self.table.starts(blocks)
        need = np.full(blocks.size, self.header.slot, np.int64)
        if blocks.size and blocks[-1] == self.table.blocks - 1:
            # Some writers end the file where the disk ends. All bytes of such a block are there.
            rest = self.table.size - int(blocks[-1]) * self.header.block_size
            need[-1] = self.header.bitmap_size + rest
        low = starts < self.header.end
        outside = starts + need > self.ground.limit
        wild = starts > self._farthest()
        if int(wild.sum()) > max(1, int((~(low | outside)).sum())):
            self._not_a_table("noise")
        cut = outside & ~wild if self.ground.truncated else np.zeros_like(outside)
        self._doubt("VHD-BAT-008", blocks[low])
        self._doubt("VHD-BAT-006", blocks[cut], {"file_size": self.book.source.size})
        self._doubt("VHD-BAT-001", blocks[outside & ~cut], {"file_size": self.book.source.size})

    def _farthest(self) -> int:
        """A start no writer reaches: twice what a file needs in which every block is allocated."""
        slots = self.table.blocks * (self.header.slot + 4 * KIB)
        return 2 * (self.header.table_end + slots + MIB) + self.ground.limit

    def _overlaps(self) -> None:
        """Two blocks in one place, or a block in a structure's place (V7). Nobody can say which is right."""
        blocks = self.table.believed()
        starts = self.table.starts(blocks)
        ordered = np.sort(starts)
        twice = distinct(ordered[1:][np.diff(ordered) == 0])
        crowded, always = self.space.crowded()
        if always:
            self._refuse_block_size("crowded")
        for span in self.ground.spans:
            hit = self.space.touching(span)
            if hit.size:
                self._doubt("VHD-BAT-002", blocks[np.isin(starts, hit)], {"structure": span.name})
        both = np.isin(starts, np.concatenate((twice, crowded)))
        self._doubt("VHD-BAT-002", blocks[both], {"structure": "block"})

    def _refuse_block_size(self, sign: str) -> None:
        where = self.book.where("dynamic header", self.header.offset + 32, 4, "BlockSize")
        args: dict[str, Scalar] = {"block_size": self.header.block_size, "sign": sign}
        self.book.refuse("VHD-HDR-006", where, args, Repair.CONSENT, Severity.ERROR)

    def _gaps(self) -> None:
        """Room that nobody owns: lost blocks may lie there (V8)."""
        gaps = self.space.gaps()
        if not gaps.size:
            return
        slots = int((gaps[:, 1] // self.header.slot).sum())
        places = [self.book.where("unowned", start, length) for start, length in gaps[:MAX_SAMPLES].tolist()]
        args: dict[str, Scalar] = {"slots": slots, "bytes": int(gaps[:, 1].sum())}
        if not self.unread and slots > self._explained() and self._hold_data(gaps):
            # A table without blocks over a file full of them: the table was lost, or lies elsewhere.
            self.book.refuse("VHD-BAT-007", self._table_place(), args, Repair.CONSENT, Severity.ERROR)
        self.book.find("VHD-BAT-003", Severity.INFO, places, args, count=len(gaps))

    def _explained(self) -> int:
        """Slots that may well be free: any number once there are blocks, else one for each damaged entry."""
        present = int(np.count_nonzero(self.table.entries != ABSENT))
        return self.table.blocks if self.space.starts.size else present

    def _hold_data(self, gaps: I64) -> bool:
        for start, length in gaps[:_GAP_SAMPLES].tolist():
            try:
                if any(self.book.source.pread(start, min(64 * KIB, length))):
                    return True
            except Unreadable:
                continue
        return False

    def _not_a_table(self, sign: str) -> None:
        args: dict[str, Scalar] = {
            "table_offset": self.header.table_offset, "entries": self.header.entries,
            "needed": self.table.blocks, "file_size": self.book.source.size,
            "table_size": self.header.entries * ENTRY,
        }  # fmt: skip
        self.book.refuse("VHD-HDR-007", self._table_place(), {**args, "sign": sign}, Repair.CONSENT, Severity.ERROR)

    def _neighbours(self) -> None:
        """The table begins and ends where it should: no more entries right before it or right behind it (V5)."""
        before, behind = self.header.table_offset - SECTOR, self.header.table_end
        if before >= self.header.end and self._like_a_table(before, whole=True):
            self._not_a_table("before")
        owned = np.searchsorted(self.space.starts, behind, side="right")
        inside = owned > 0 and behind < self.space.starts[owned - 1] + self.header.slot
        if not inside and self._like_a_table(behind, whole=False):
            self._not_a_table("behind")

    def _like_a_table(self, offset: int, *, whole: bool) -> bool:
        """A sector of nothing but entries; ``whole``: absent ones alone will do."""
        window = self.book.read(self.book.source, "BAT", offset, SECTOR)
        if window is None:
            return False
        entries = np.frombuffer(window.data, ">u4").astype(np.int64)
        absent, starts = entries == ABSENT, entries * SECTOR
        # Not only what lies inside the file: it may have been cut.
        legal = (starts >= self.header.end) & (starts <= self._farthest())
        return bool((absent | legal).all()) and (whole or bool(legal.any()))

    def _doubt(self, code: str, blocks: I64, args: dict[str, Scalar] | None = None) -> None:
        if not blocks.size:
            return
        first = int(blocks[0])
        all_args: dict[str, Scalar] = {
            "block": first, "entry": int(self.table.entries[first]),
            "file_offset": int(self.table.entries[first]) * SECTOR,
            "guest_offset": first * self.header.block_size, "block_size": self.header.block_size, **(args or {}),
        }  # fmt: skip
        places = [self._entry(b) for b in blocks[:MAX_SAMPLES].tolist()]
        self.book.find(code, Severity.ERROR, places, all_args, Repair.CONSENT, count=int(blocks.size))
        self.table.doubt.add(blocks)

    def _entry(self, block: int) -> Where:
        return self.book.where("BAT", self.table.place(block), ENTRY, f"block {block}")

    def _table_place(self) -> Where:
        return self.book.where("BAT", self.header.table_offset, self.header.table_end - self.header.table_offset)
