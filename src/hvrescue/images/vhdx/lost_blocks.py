"""Entries where none belong, and room that holds data but belongs to nobody (X14, X15, X19)."""

from __future__ import annotations

import numpy as np

from hvrescue.byteio.arrays import I64, U64
from hvrescue.byteio.source import ByteSource
from hvrescue.core.errors import Unreadable
from hvrescue.core.limits import KIB, MIB
from hvrescue.core.words import MAX_SAMPLES, Repair, Severity
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.bat import ENTRY, STATE_MASK, BatTable
from hvrescue.images.vhdx.bat_survey import BatSurvey
from hvrescue.images.vhdx.layout import Block, Region
from hvrescue.images.vhdx.witness import Witness

_SURPLUS = 16 * MIB
_SECTOR_ENTRIES = 512 // ENTRY
_PAGE_SECTORS = 8
_SAMPLES = 16


def survey_past_end(book: Book, table: BatTable, region: Region, witness: Witness) -> None:
    """A present block after the disk's end: disk size or block size do not belong to this table (X14).

    Where the log's copy of the page has no such entry, the entry alone is wrong, and the disk stays readable.
    """
    parameters = table.parameters
    first = parameters.entry_of_block(parameters.blocks - 1) + 1
    start = table.place(first)
    size = min(region.end - start, _SURPLUS) // ENTRY * ENTRY
    if size <= 0:
        return
    try:
        entries = np.frombuffer(table.content.pread(start, size), "<u8")
    except Unreadable as error:
        book.could_not_read(error, "BAT", start, size)
        return
    bitmap_slot = parameters.entry_of_bitmap(parameters.chunks - 1) - first if parameters.has_parent else -1
    present = (entries & STATE_MASK) >= Block.FULLY_PRESENT
    if 0 <= bitmap_slot < present.size:
        present[bitmap_slot] = False
    hits = np.flatnonzero(present)
    if hits.size:
        places = [
            book.where("BAT", start + n * ENTRY, ENTRY, f"entry {first + n}") for n in hits[:MAX_SAMPLES].tolist()
        ]
        args = {"blocks": parameters.blocks, "size": parameters.size}
        if all(_denied(witness, start + n * ENTRY) for n in hits.tolist()):
            book.find("VHDX-BAT-006", Severity.ERROR, places, args, Repair.SAFE, count=int(hits.size))
        else:
            book.refuse("VHDX-BAT-006", places, args, Repair.CONSENT, Severity.ERROR)


def _denied(witness: Witness, at: int) -> bool:
    """Whether a logged copy says that this entry is empty."""
    for offset, page in witness.within(at, ENTRY):
        return not any(page[at - offset : at - offset + ENTRY])
    return False


def survey_lost_blocks(book: Book, bat: BatSurvey) -> None:
    """Unowned room is normal. With data in it, and a sector of the BAT wiped, blocks were lost."""
    room, table = bat.room, bat.table
    if room is None or not room.unowned:
        return
    gaps = [(start, length) for start, length in room.gaps if length * MIB >= table.parameters.block_size]
    filled = [start for start, _ in gaps[:_SAMPLES] if _holds_data(table.content, start * MIB)]
    places = [book.where("unowned", start * MIB, length * MIB) for start, length in room.gaps[:MAX_SAMPLES]]
    args = {"bytes": room.unowned * MIB, "with_data": len(filled)}
    book.find("VHDX-FILE-003", Severity.INFO, places, args, count=len(room.gaps))
    if filled:
        _wiped_sectors(book, bat)


def _holds_data(content: ByteSource, offset: int) -> bool:
    try:
        return any(any(content.pread(offset + step * 64 * KIB, 4 * KIB)) for step in range(4))
    except Unreadable:
        return False


def _wiped_sectors(book: Book, bat: BatSurvey) -> None:
    """512-byte sectors of zeros between sectors that are not: a lost write looks like that, a sparse disk seldom."""
    table = bat.table
    for first_chunk, chunks in table.starts():
        try:
            rows = table.raw(first_chunk, chunks)
        except Unreadable:
            continue  # doubted already
        entries = rows.reshape(-1)[: table.parameters.entries]
        wiped = _wiped(entries)
        if not wiped.size:
            continue
        stride = table.parameters.chunk_ratio + 1
        base = first_chunk * stride
        places = [
            book.where("BAT", table.place(base + s * _SECTOR_ENTRIES), 512, "sector of zeros")
            for s in wiped[:MAX_SAMPLES].tolist()
        ]
        book.find("VHDX-BAT-015", Severity.ERROR, places, {}, Repair.CONSENT, count=int(wiped.size))
        index = (wiped[:, None] * _SECTOR_ENTRIES + np.arange(_SECTOR_ENTRIES)).reshape(-1)
        index = index[index < entries.size]
        chunk, slot = index // stride + first_chunk, index % stride
        blocks = chunk * (stride - 1) + slot
        bat.doubt.add(blocks[(slot < stride - 1) & (blocks < table.parameters.blocks)])


def _wiped(entries: U64) -> I64:
    """Sectors of zeros, at most a page of them together, between sectors that are mostly in use; or all of them."""
    padded = np.zeros(-(-entries.size // _SECTOR_ENTRIES) * _SECTOR_ENTRIES, np.uint64)
    padded[: entries.size] = entries
    used: I64 = np.count_nonzero(padded.reshape(-1, _SECTOR_ENTRIES), axis=1)
    edges = np.flatnonzero(np.diff(used == 0, prepend=False, append=False)).reshape(-1, 2)
    if not used.any():
        return np.arange(used.size)
    found = [
        np.arange(low, high)
        for low, high in edges.tolist()
        if low > 0 and high < used.size and high - low <= _PAGE_SECTORS
        and min(int(used[low - 1]), int(used[high])) >= _SECTOR_ENTRIES // 2
    ]  # fmt: skip
    return np.concatenate(found) if found else np.empty(0, np.int64)
