"""One pass over the BAT's pages: each entry by itself, and the room that it claims."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock

import numpy as np

from hvrescue.byteio.arrays import I64, U64, Bools
from hvrescue.core.context import Context, in_parallel
from hvrescue.core.errors import Unreadable
from hvrescue.core.limits import MIB
from hvrescue.core.words import MAX_SAMPLES, Repair, Scalar, Severity, Where
from hvrescue.images.doubt import Doubt
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.bat import ENTRY, LOW_MASK, MIB_SHIFT, STATE_MASK, BatTable
from hvrescue.images.vhdx.layout import BITMAP_NOT_PRESENT, BITMAP_PRESENT, Block
from hvrescue.images.vhdx.space import Space, Span

RESERVED = np.uint64(~7 & 0xFFFFF)


class BatScan:
    """Findings go to the book; ``space`` knows afterwards who claims what."""

    def __init__(self, book: Book, table: BatTable, spans: Sequence[Span]) -> None:
        self.book, self.table, self.parameters = book, table, table.parameters
        self.doubt = Doubt(self.parameters.blocks)
        self.counts: I64 = np.zeros(8, np.int64)
        self.bitmaps: dict[int, int] = {}
        self.space = Space(table.content.size, self.parameters.block_size // MIB, spans)
        self.claims = 0
        """Entries that claim room; more than starts in ``space`` when two name the same."""
        self._last_start = (table.content.size - self.parameters.block_size) // MIB
        self._anchors: list[I64] = []
        self._bitmaps_in_base: list[tuple[Where, dict[str, Scalar], int]] = []
        self._odd: list[tuple[int, int]] = []
        self._lock = Lock()

    def run(self, ctx: Context) -> None:
        """Every page, on several threads where it pays."""
        in_parallel(self._page, list(self.table.starts()), ctx.workers)
        # What is odd is looked at afterwards and in order, so that threads change nothing in a report.
        for where in sorted(self._odd):
            self._odd_page(*where)
        # Room kept for blocks without content is noted last: threads only ever set the same mark.
        for anchors in self._anchors:
            self.space.anchor(anchors)
        self._judge_bitmaps_in_base()

    def good_pages(self) -> Iterator[tuple[I64, I64]]:
        """(block, start in MiB) of every undoubted present block, page by page."""
        for first_chunk, chunks in self.table.starts():
            try:
                entries = self.table.page(first_chunk, chunks).entries
            except Unreadable:
                continue  # noted when it was read first; its blocks are doubted
            first = first_chunk * self.parameters.chunk_ratio
            good = (entries & STATE_MASK) >= Block.FULLY_PRESENT
            doubt = self.doubt.within(first, entries.size)
            if doubt is not None:
                good[: doubt.size] &= ~doubt
            yield np.flatnonzero(good) + first, (entries[good] >> MIB_SHIFT).astype(np.int64)

    def entry_place(self, block: int) -> Where:
        """Where a payload block's entry stands."""
        index = self.parameters.entry_of_block(block)
        return self.book.where("BAT", self.table.place(index), ENTRY, f"block {block}")

    def bitmap_place(self, chunk: int) -> Where:
        """Where a chunk's bitmap entry stands."""
        index = self.parameters.entry_of_bitmap(chunk)
        return self.book.where("BAT", self.table.place(index), ENTRY, f"sector bitmap of chunk {chunk}")

    def _page(self, where: tuple[int, int]) -> None:
        """Claim the room of a page that holds nothing but present and absent blocks; leave the others for later."""
        try:
            rows = self.table.raw(*where)
        except Unreadable:
            self._odd.append(where)
            return
        payload = rows[:, :-1]
        doubt = self._doubted(where[0], payload.shape)
        if doubt is not None:
            payload[doubt] = 0
        starts = _starts_of_full(payload)
        if rows[:, -1].any() or not self._plain(payload, starts, self._blocks_in(*where)):
            self._odd.append(where)
            return
        with self._lock:
            self.claims += starts.size
            self.counts[Block.FULLY_PRESENT] += starts.size
        self.space.claim(starts)

    def _plain(self, payload: U64, starts: I64, blocks: int) -> bool:
        """Whether all blocks are present or absent and lie inside the file: nothing to be looked at one by one."""
        if starts.size and (int(starts.min()) < 1 or int(starts.max()) > self._last_start):
            return False
        return starts.size == blocks or (not self._is_fixed and starts.size == np.count_nonzero(payload))

    @property
    def _is_fixed(self) -> bool:
        return self.parameters.leave_allocated and not self.parameters.has_parent

    def _blocks_in(self, first_chunk: int, chunks: int) -> int:
        ratio = self.parameters.chunk_ratio
        return min(chunks * ratio, self.parameters.blocks - first_chunk * ratio)

    def _doubted(self, first_chunk: int, shape: tuple[int, ...]) -> Bools | None:
        """The doubts as a mask over a page's payload entries."""
        chunks, ratio = shape
        known = self.doubt.within(first_chunk * ratio, chunks * ratio)
        if known is None or not known.any():
            return None
        padded = np.zeros(chunks * ratio, np.bool_)
        padded[: known.size] = known
        return padded.reshape(shape)

    def _unreadable(self, error: Unreadable, first_chunk: int, chunks: int) -> None:
        ratio = self.parameters.chunk_ratio
        at = self.table.place(first_chunk * (ratio + 1))
        self.book.could_not_read(error, "BAT", at, chunks * (ratio + 1) * ENTRY)
        first = first_chunk * ratio
        self.doubt.add(np.arange(first, first + self._blocks_in(first_chunk, chunks)))

    def _odd_page(self, first_chunk: int, chunks: int) -> None:
        """A page with anything but present and absent blocks: entry by entry, still in bulk."""
        try:
            rows = self.table.raw(first_chunk, chunks)
        except Unreadable as error:
            self._unreadable(error, first_chunk, chunks)
            return
        self._bitmap_entries(first_chunk, rows[:, -1])
        payload = rows[:, :-1]
        doubt = self._doubted(first_chunk, payload.shape)
        if doubt is not None:
            payload[doubt] = 0
        entries = np.ascontiguousarray(payload).reshape(-1)[: self._blocks_in(first_chunk, chunks)]
        first = first_chunk * self.parameters.chunk_ratio
        state = (entries & STATE_MASK).astype(np.uint8)
        offset = (entries >> MIB_SHIFT).astype(np.int64)
        self.counts += np.bincount(state, minlength=8)
        present = state >= Block.FULLY_PRESENT
        absent = state == Block.NOT_PRESENT
        reserved = (entries & RESERVED) != 0
        stray = absent & (offset != 0)
        outside = present & ((offset < 1) | (offset > self._last_starts(first, entries.size)))
        faults = {
            "VHDX-BAT-002": reserved,
            "VHDX-BAT-003": (state == 4) | (state == 5),
            "VHDX-BAT-012": stray,
            "VHDX-BAT-004": outside & ~reserved,
        }
        partial = state == Block.PARTIALLY_PRESENT
        if partial.any():
            code, lone = self._partial(first_chunk, partial)
            faults[code] = lone
        if self._is_fixed:
            faults["VHDX-BAT-011"] = absent & ~stray
        bad = np.zeros(entries.size, np.bool_)
        for code, which in faults.items():
            self._note(code, first, which, entries)
            bad |= which
        self.doubt.add(np.flatnonzero(bad) + first)
        good = present & ~bad
        self.claims += int(np.count_nonzero(good))
        self.space.claim(offset[good])
        empty = (state >= Block.UNDEFINED) & (state <= Block.UNMAPPED)
        self._anchors.append(offset[empty & (offset >= 1) & (offset <= self._last_start)])

    def _last_starts(self, first: int, count: int) -> I64:
        """Largest start of each block, in MiB. Old QEMU files cut the last block where the disk ends."""
        last = np.full(count, self._last_start, np.int64)
        final = self.parameters.blocks - 1
        if first <= final < first + count:
            tail = self.parameters.size - final * self.parameters.block_size
            last[final - first] = (self.table.content.size - tail) // MIB
        return last

    def _partial(self, first_chunk: int, partial: Bools) -> tuple[str, Bools]:
        """State 7 needs a parent and the chunk's bitmap (X20)."""
        if not self.parameters.has_parent:
            return "VHDX-BAT-007", partial
        chunk = np.arange(partial.size) // self.parameters.chunk_ratio + first_chunk
        have = np.isin(chunk, np.fromiter(self.bitmaps, np.int64, len(self.bitmaps)))
        lone = partial & ~have
        if lone.any():
            # The harm is as likely in the chunk's bitmap entry as in the block's: name both.
            place = self.bitmap_place(int(chunk[lone][0]))
            self.book.find("VHDX-BAT-009", Severity.ERROR, place, _entry_args(0), Repair.CONSENT, count=0)
        return "VHDX-BAT-009", lone

    def _note(self, code: str, first: int, which: Bools, entries: U64) -> None:
        """One finding for all entries chosen."""
        hits = np.flatnonzero(which)
        if hits.size:
            args = _entry_args(int(entries[hits[0]]))
            places = [self.entry_place(first + n) for n in hits[:MAX_SAMPLES].tolist()]
            repair = Repair.NONE if code == "VHDX-BAT-012" else Repair.CONSENT
            self.book.find(code, Severity.ERROR, places, args, repair, count=int(hits.size))

    def _bitmap_entries(self, first_chunk: int, entries: U64) -> None:
        for n in np.flatnonzero(entries).tolist():
            entry, chunk = int(entries[n]), first_chunk + n
            state, start = entry & 7, entry >> 20
            args: dict[str, Scalar] = {"chunk": chunk, "state": state, "file_offset": start * MIB}
            clean = not entry & int(RESERVED)
            inside = clean and start >= 1 and (start + 1) * MIB <= self.table.content.size
            if not self.parameters.has_parent:
                plausible = state >= Block.FULLY_PRESENT and inside and self.space.could_hold(start)
                self._bitmaps_in_base.append((self.bitmap_place(chunk), args, start if plausible else 0))
            elif state == BITMAP_PRESENT and inside:
                self.bitmaps[chunk] = start * MIB
            elif state != BITMAP_NOT_PRESENT or entry >> 3:
                self.book.find("VHDX-BAT-010", Severity.ERROR, self.bitmap_place(chunk), args, Repair.CONSENT)

    def _judge_bitmaps_in_base(self) -> None:
        """Entries where a base disk has none (X21): old QEMU left copies there, another sector size whole blocks."""
        for where, args, start in self._bitmaps_in_base:
            if start and not self.space.starts[start]:
                # It names room of its own: the table is laid out for another sector size.
                self.book.refuse("VHDX-BAT-014", where, args, Repair.CONSENT, Severity.ERROR)
            else:
                self.book.find("VHDX-BAT-008", Severity.WARNING, where, args, Repair.SAFE)


def _entry_args(entry: int) -> dict[str, Scalar]:
    return {"state": entry & 7, "file_offset": entry >> 20 << 20, "entry": hex(entry)}


def _starts_of_full(payload: U64) -> I64:
    """Where the blocks lie, in MiB, whose entries are fully present with nothing else set."""
    differs = payload ^ np.uint64(Block.FULLY_PRESENT)
    if not int(np.bitwise_or.reduce(differs, axis=None)) & int(LOW_MASK):
        return _in_mib(differs)
    full = (differs.astype(np.uint32) & LOW_MASK) == 0
    return _in_mib(differs[full])


def _in_mib(offsets: U64) -> I64:
    mib: I64 = (offsets >> MIB_SHIFT).view(np.int64).reshape(-1)
    return mib
