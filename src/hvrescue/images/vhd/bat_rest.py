"""How far the table reaches: too few entries, too many, surplus ones, and the padding to a sector (V5, V9)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hvrescue.core.limits import MIB
from hvrescue.core.words import MAX_SAMPLES, Repair, Scalar, Severity, Where
from hvrescue.images.survey import Book
from hvrescue.images.vhd.bat import Table
from hvrescue.images.vhd.layout import ABSENT, ENTRY, SECTOR, Footer, Header

_LOOKED_AT = 16 * MIB


def survey_extent(book: Book, footer: Footer, header: Header, limit: int) -> Header | None:
    """The header, with no more entries than the file has room for; None (and a refusal) when there are too few.

    The table lies after the header and inside the file, and has an entry for every block.
    """
    needed = header.blocks_of(footer.current_size)
    least = replace(header, entries=needed)
    aligned = header.table_offset % SECTOR == 0
    if aligned and header.end <= header.table_offset and least.table_end <= limit and header.entries >= needed:
        return header if header.table_end <= limit else _cut_short(book, footer, header)
    where, args = _told(book, footer, header)
    book.refuse("VHD-HDR-004", where, args, Repair.CONSENT)
    return None


def survey_rest(book: Book, footer: Footer, table: Table, limit: int) -> Table:
    """An entry after the disk's end: its size or the block size does not belong to this table."""
    header = table.header
    starts = table.starts(table.believed())
    whole = starts[(starts >= replace(header, entries=table.blocks).table_end) & (starts + header.slot <= limit)]
    if whole.size and int(whole.min()) < header.table_end:
        header = _cut_short(book, footer, header)
    first = header.blocks_of(footer.current_size)
    start = header.table_offset + first * ENTRY
    window = book.read(book.source, "BAT", start, min((header.entries - first) * ENTRY, _LOOKED_AT))
    if window is not None and window.data.count(0xFF) != len(window.data):
        hits = np.flatnonzero(np.frombuffer(window.data, ">u4") != ABSENT)
        shown = hits[: MAX_SAMPLES - 1].tolist()
        places = [book.where("BAT", start + n * ENTRY, ENTRY, f"entry {first + n}") for n in shown]
        places.append(book.where("dynamic header", header.offset + 28, 8, "MaxTableEntries, BlockSize"))
        args: dict[str, Scalar] = {"blocks": first, "disk_size": footer.current_size, "entries": header.entries}
        book.refuse("VHD-BAT-005", places, args, Repair.CONSENT, Severity.ERROR)
    _padding(book, header)
    return replace(table, header=header)


def _cut_short(book: Book, footer: Footer, header: Header) -> Header:
    """More entries than there is room for. Where the geometry confirms the disk's size, their number is wrong."""
    where, args = _told(book, footer, header)
    if footer.geometry_fits:
        book.find("VHD-HDR-004", Severity.ERROR, where, args, Repair.CONSENT)
    else:
        book.refuse("VHD-HDR-004", where, args, Repair.CONSENT)
    return replace(header, entries=header.blocks_of(footer.current_size))


def _told(book: Book, footer: Footer, header: Header) -> tuple[Where, dict[str, Scalar]]:
    where = book.where("dynamic header", header.offset + 16, 16, "TableOffset, MaxTableEntries")
    args: dict[str, Scalar] = {
        "table_offset": header.table_offset, "entries": header.entries,
        "needed": header.blocks_of(footer.current_size), "file_size": book.source.size,
    }  # fmt: skip
    return where, args


def _padding(book: Book, header: Header) -> None:
    end = header.table_offset + header.entries * ENTRY
    padding = book.read(book.source, "BAT padding", end, -end % SECTOR)
    if padding is not None and padding.data.count(0xFF) != len(padding.data):
        book.find("VHD-BAT-004", Severity.INFO, book.where("BAT padding", end, -end % SECTOR), repair=Repair.SAFE)
