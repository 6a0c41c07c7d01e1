"""What the BAT says, and where it contradicts itself or the file (X14-X21).

Every payload entry ends as one of three: right as far as can be known, doubted (its block reads as UNKNOWN),
or the reason why the whole table cannot be trusted (a refusal).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
from hvrescue.images.vhdx.space import Room, Space, Span

_ANCHORS = (Block.UNDEFINED, Block.ZERO, Block.UNMAPPED)
_ALIGNED = np.uint64(~7 & 0xFFFFF)


@dataclass
class BatSurvey:
    """The table, what is doubted, and what was counted."""

    table: BatTable
    doubt: Doubt
    counts: I64 = field(default_factory=lambda: np.zeros(8, np.int64))
    room: Room | None = None
    bitmaps: dict[int, int] = field(default_factory=dict)
    """File offset of each chunk's sector bitmap block, where there is a good one."""


class BatScan:
    """One scan; findings go to the book."""

    def __init__(self, book: Book, table: BatTable, spans: Sequence[Span], ctx: Context) -> None:
        self.book, self.table, self.ctx = book, table, ctx
        self.parameters = table.parameters
        self.result = BatSurvey(table, Doubt(self.parameters.blocks))
        self.block = self.parameters.block_size // MIB
        self.space = Space(table.content.size, self.block, spans)
        self.last_start = (table.content.size - self.parameters.block_size) // MIB
        self.claimed = 0
        self._in_base: list[tuple[Where, dict[str, Scalar], int]] = []
        self._lock = Lock()

    def run(self, doubted: I64) -> BatSurvey:
        """Scan every page; ``doubted`` blocks are known to be wrong already and claim no room."""
        self.result.doubt.add(doubted)
        in_parallel(self._page, list(self.table.starts()), self.ctx.workers)
        self._bitmaps_in_base()
        bitmaps = np.array(sorted(at // MIB for at in self.result.bitmaps.values()), np.int64)
        self.result.room = self.space.walk(bitmaps)
        self._overlaps(bitmaps)
        self._spacing(self.result.room)
        return self.result

    def _page(self, where: tuple[int, int]) -> None:
        try:
            rows = self.table.raw(*where)
        except Unreadable as error:
            self._unreadable(error, *where)
            return
        first_chunk = where[0]
        if rows[:, -1].any():
            with self._lock:
                self._bitmaps(first_chunk, rows[:, -1])
        payload = rows[:, :-1]
        doubt = self._doubt_rows(first_chunk, payload.shape)
        if doubt is not None:
            payload[doubt] = 0
        starts = _starts_of_full(payload)
        whole = starts.size == self._blocks_in(*where)
        fixed = self.parameters.leave_allocated and not self.parameters.has_parent
        inside = starts.size == 0 or (int(starts.min()) >= 1 and int(starts.max()) <= self.last_start)
        plain = whole or (starts.size == np.count_nonzero(payload) and not fixed)
        if not (inside and plain):
            with self._lock:
                self._irregular(first_chunk, np.ascontiguousarray(payload).reshape(-1))
            return
        with self._lock:
            self.claimed += starts.size
            self.result.counts[Block.FULLY_PRESENT] += starts.size
        self.space.claim(starts)

    def _blocks_in(self, first_chunk: int, chunks: int) -> int:
        ratio = self.parameters.chunk_ratio
        return min(chunks * ratio, self.parameters.blocks - first_chunk * ratio)

    def _doubt_rows(self, first_chunk: int, shape: tuple[int, ...]) -> Bools | None:
        """The doubts as a mask over the page's payload entries."""
        chunks, ratio = shape
        known = self.result.doubt.within(first_chunk * ratio, chunks * ratio)
        if known is None or not known.any():
            return None
        padded = np.zeros(chunks * ratio, np.bool_)
        padded[: known.size] = known
        return padded.reshape(shape)

    def _unreadable(self, error: Unreadable, first_chunk: int, chunks: int) -> None:
        ratio = self.parameters.chunk_ratio
        with self._lock:
            at = self.table.place(first_chunk * (ratio + 1))
            self.book.could_not_read(error, "BAT", at, chunks * (ratio + 1) * ENTRY)
            last = min((first_chunk + chunks) * ratio, self.parameters.blocks)
            self.result.doubt.add(np.arange(first_chunk * ratio, last))

    def _irregular(self, first_chunk: int, entries: U64) -> None:
        """A page with anything but present and absent blocks: entry by entry, still in bulk."""
        first = first_chunk * self.parameters.chunk_ratio
        state = (entries & STATE_MASK).astype(np.uint8)
        offset = (entries >> MIB_SHIFT).astype(np.int64)
        self.result.counts += np.bincount(state, minlength=8)
        present = state >= Block.FULLY_PRESENT
        reserved = (entries & _ALIGNED) != 0
        bad = self._note("VHDX-BAT-002", first, reserved, entries)
        illegal = (state == 4) | (state == 5)
        bad |= self._note("VHDX-BAT-003", first, illegal, entries)
        stray = (state == Block.NOT_PRESENT) & (offset != 0)
        bad |= self._note("VHDX-BAT-012", first, stray, entries)
        low = present & (offset < 1)
        outside = low | (present & (offset > self._last_starts(first, entries.size)))
        bad |= self._note("VHDX-BAT-004", first, outside & ~reserved, entries)
        partial = state == Block.PARTIALLY_PRESENT
        if partial.any():
            bad |= self._partial(first_chunk, first, partial, entries)
        if self.parameters.leave_allocated and not self.parameters.has_parent:
            absent = (state == Block.NOT_PRESENT) & (np.arange(first, first + entries.size) < self.parameters.blocks)
            bad |= self._note("VHDX-BAT-011", first, absent & ~stray, entries)
        self.result.doubt.add(np.flatnonzero(bad) + first)
        good = present & ~bad
        self.claimed += int(np.count_nonzero(good))
        self.space.claim(offset[good])
        anchors = np.isin(state, _ANCHORS) & (offset >= 1) & (offset <= self.last_start)
        self.space.anchor(offset[anchors])

    def _last_starts(self, first: int, count: int) -> I64:
        """Largest start of each block, in MiB. Old QEMU files cut the last block where the disk ends."""
        last = np.full(count, self.last_start, np.int64)
        final = self.parameters.blocks - 1
        if first <= final < first + count:
            tail = self.parameters.size - final * self.parameters.block_size
            last[final - first] = (self.table.content.size - tail) // MIB
        return last

    def _partial(self, first_chunk: int, first: int, partial: Bools, entries: U64) -> Bools:
        """State 7 needs a parent and the chunk's bitmap (X20)."""
        ratio = self.parameters.chunk_ratio
        if not self.parameters.has_parent:
            return self._note("VHDX-BAT-007", first, partial, entries)
        chunk = np.arange(entries.size) // ratio + first_chunk
        have = np.isin(chunk, np.fromiter(self.result.bitmaps, np.int64, len(self.result.bitmaps)))
        lone = partial & ~have
        if lone.any():
            # The harm is as likely in the chunk's bitmap entry as in the block's: name both.
            index = self.parameters.entry_of_bitmap(int(chunk[lone][0]))
            where = self.book.where("BAT", self.table.place(index), ENTRY, f"sector bitmap of chunk {chunk[lone][0]}")
            self.book.find("VHDX-BAT-009", Severity.ERROR, where, {}, Repair.CONSENT, count=0)
        return self._note("VHDX-BAT-009", first, lone, entries)

    def _bitmaps(self, first_chunk: int, entries: U64) -> None:
        ratio = self.parameters.chunk_ratio
        for n in np.flatnonzero(entries).tolist():
            entry, chunk = int(entries[n]), first_chunk + n
            state, start = entry & 7, entry >> 20
            index = chunk * (ratio + 1) + ratio
            where = self.book.where("BAT", self.table.place(index), ENTRY, f"sector bitmap of chunk {chunk}")
            args: dict[str, Scalar] = {"chunk": chunk, "state": state, "file_offset": start * MIB}
            inside = start >= 1 and (start + 1) * MIB <= self.table.content.size
            if not self.parameters.has_parent:
                plausible = state >= Block.FULLY_PRESENT and inside and not entry & int(_ALIGNED)
                self._in_base.append((where, args, start if plausible and self._is_free(start) else 0))
            elif state == BITMAP_PRESENT and inside and not entry & int(_ALIGNED):
                self.result.bitmaps[chunk] = start * MIB
            elif state != BITMAP_NOT_PRESENT or entry >> 3:
                self.book.find("VHDX-BAT-010", Severity.ERROR, where, args, Repair.CONSENT)

    def _is_free(self, start: int) -> bool:
        """Whether a whole block could lie there without touching a structure."""
        end = start + self.block
        return end * MIB <= self.table.content.size and not any(
            start < span.end and span.start < end for span in self.space.spans
        )

    def _bitmaps_in_base(self) -> None:
        """Entries where a base disk has none (X21): old QEMU left copies there, another sector size whole blocks."""
        for where, args, start in self._in_base:
            if start and not self.space.starts[start]:
                # It names room of its own: the table is laid out for another sector size.
                self.book.refuse("VHDX-BAT-014", where, args, Repair.CONSENT, Severity.ERROR)
            else:
                self.book.find("VHDX-BAT-008", Severity.WARNING, where, args, Repair.SAFE)

    def _overlaps(self, bitmap_starts: I64) -> None:
        """Two blocks in one place, or a block in a structure's place (X18)."""
        hit: list[I64] = [self.space.touching(span) for span in self.space.spans]
        for span, starts in zip(self.space.spans, hit, strict=True):
            if starts.size:
                self._conflict("VHDX-BAT-013", starts, {"structure": span.name}, span.entry)
        twice = bitmap_starts[1:][np.diff(bitmap_starts) == 0]
        under = [self.space.touching(Span("sector bitmap", s, s + 1)) for s in bitmap_starts.tolist()]
        blocks = np.concatenate(under) if under else np.empty(0, np.int64)
        self._bitmap_conflicts(np.union1d(twice, bitmap_starts[[u.size > 0 for u in under]] if under else twice))
        if blocks.size:
            self._conflict("VHDX-BAT-013", np.unique(blocks), {"structure": "sector bitmap"})
        if self.result.room is not None and self.result.room.blocks != self.claimed:
            self._conflict("VHDX-BAT-005", self._named_twice(), {})
        if (shared := self.space.anchored()).size:
            self._conflict("VHDX-BAT-005", shared, {})

    def _bitmap_conflicts(self, starts: I64) -> None:
        for chunk, at in list(self.result.bitmaps.items()):
            low = at // MIB
            inside = any(span.start <= low < span.end for span in self.space.spans)
            if inside or low in starts:
                index = self.parameters.entry_of_bitmap(chunk)
                where = self.book.where("BAT", self.table.place(index), ENTRY, f"sector bitmap of chunk {chunk}")
                args: dict[str, Scalar] = {"chunk": chunk, "state": BITMAP_PRESENT, "file_offset": at}
                self.book.find("VHDX-BAT-010", Severity.ERROR, where, args)
                del self.result.bitmaps[chunk]

    def _named_twice(self) -> I64:
        """Starts (MiB) that more than one entry names."""
        counts = np.zeros(self.space.starts.size, np.uint8)
        for page in self._good_pages():
            np.add.at(counts, page[1], np.uint8(1))
            np.minimum(counts, 2, out=counts)
        return np.flatnonzero(counts > 1)

    def _good_pages(self) -> list[tuple[I64, I64]]:
        """(block, start in MiB) of every undoubted present block, page by page."""
        found = []
        for first_chunk, chunks in self.table.starts():
            try:
                entries = self.table.page(first_chunk, chunks).entries
            except Unreadable:
                continue
            first = first_chunk * self.parameters.chunk_ratio
            good = (entries & STATE_MASK) >= Block.FULLY_PRESENT
            doubt = self.result.doubt.within(first, entries.size)
            if doubt is not None:
                good[: doubt.size] &= ~doubt
            found.append((np.flatnonzero(good) + first, (entries[good] >> MIB_SHIFT).astype(np.int64)))
        return found

    def _conflict(self, code: str, starts: I64, args: dict[str, Scalar], other: Where | None = None) -> None:
        """Every block that starts at one of these MiB is doubted; nobody can say which one is right."""
        for blocks, at in self._good_pages():
            hit = np.isin(at, starts)
            if hit.any():
                shown = blocks[hit][:MAX_SAMPLES].tolist()
                place = int(at[hit][0]) * MIB
                self.book.find(
                    code, Severity.ERROR, [*([other] if other else []), *map(self._entry, shown)][:MAX_SAMPLES],
                    {"file_offset": place, **args}, count=int(hit.sum()),
                )  # fmt: skip
                self.result.doubt.add(blocks[hit])

    def _spacing(self, room: Room) -> None:
        """Blocks stand at least a block's size apart, and not all of them twice as far (X14)."""
        parameters = self.book.where("metadata item", self.block_size_at, 8, "File Parameters")
        args: dict[str, Scalar] = {"block_size": self.parameters.block_size}
        if room.blocks >= 2 and 2 * room.crowded.size > room.blocks:
            self.book.refuse("VHDX-META-006", parameters, args, Repair.CONSENT, Severity.ERROR)
        elif room.crowded.size:
            self._conflict("VHDX-BAT-005", room.crowded, {})
        elif room.blocks >= 2 and room.roomy:
            self.book.refuse("VHDX-META-006", parameters, args, Repair.CONSENT, Severity.ERROR)

    block_size_at = 0
    """File offset of the File Parameters item, for the finding about a block size that does not fit."""

    def _entry(self, block: int) -> Where:
        index = self.parameters.entry_of_block(block)
        return self.book.where("BAT", self.table.place(index), ENTRY, f"block {block}")

    def _note(self, code: str, first: int, which: Bools, entries: U64) -> Bools:
        """One finding for all entries chosen; gives the choice back."""
        hits = np.flatnonzero(which)
        if hits.size:
            entry = int(entries[hits[0]])
            args: dict[str, Scalar] = {
                "state": entry & 7,
                "file_offset": entry >> 20 << 20,
                "entry": hex(entry),
            }
            places = [self._entry(first + n) for n in hits[:MAX_SAMPLES].tolist()]
            repair = Repair.NONE if code == "VHDX-BAT-012" else Repair.CONSENT
            self.book.find(code, Severity.ERROR, places, args, repair, count=int(hits.size))
        return which


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


def survey_bat(
    book: Book, table: BatTable, spans: Sequence[Span], doubted: I64, block_size_at: int, ctx: Context
) -> BatSurvey:
    """Scan the table; ``doubted`` blocks were already found to be wrong, ``spans`` are the structures' room."""
    scan = BatScan(book, table, spans, ctx)
    scan.block_size_at = block_size_at
    return scan.run(doubted)
