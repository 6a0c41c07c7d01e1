"""Region tables: two copies, and where they say that BAT and metadata lie (X9-X11)."""

from __future__ import annotations

from typing import NamedTuple

from hvrescue.byteio.source import ByteSource
from hvrescue.core.limits import MIB
from hvrescue.core.words import Repair, Scalar, Severity, Where
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.layout import (
    BAT_REGION,
    MAX_REGION_ENTRIES,
    METADATA_REGION,
    NO_GUID,
    REGION_ENTRY,
    REGION_TABLE,
    REGION_TABLE_OFFSETS,
    REGION_TABLE_SIZE,
    Header,
    Region,
    checksum_holds,
    guid,
)

_REQUIRED = 1
"""Bit 0 of a region's flags."""


class Regions(NamedTuple):
    """The regions of the file, whether known or not."""

    bat: Region
    metadata: Region
    others: tuple[Region, ...] = ()

    @property
    def all(self) -> tuple[Region, ...]:
        """Every region."""
        return (self.bat, self.metadata, *self.others)


def survey_regions(book: Book, content: ByteSource, header: Header) -> Regions | None:
    """The regions, from the first valid table; None (and a refusal) when they cannot be known."""
    windows = [
        book.read(content, f"region table {n + 1}", offset, REGION_TABLE_SIZE)
        for n, offset in enumerate(REGION_TABLE_OFFSETS)
    ]
    tables = [w.data if w and _holds(w.data) else None for w in windows]
    places = [
        book.where(f"region table {n + 1}", offset, REGION_TABLE_SIZE)
        for n, offset in enumerate(REGION_TABLE_OFFSETS)
    ]
    valid = [n for n, table in enumerate(tables) if table is not None]
    if not valid:
        book.refuse("VHDX-REG-001", places, repair=Repair.CONSENT)
        return None
    chosen = valid[0]
    if len(valid) == 1:
        book.find("VHDX-REG-002", Severity.WARNING, places[1 - chosen], {"slot": 2 - chosen}, Repair.SAFE)
    elif tables[0] != tables[1]:
        chosen = _by_metadata(content, tables)
        book.find("VHDX-REG-003", Severity.WARNING, places, {"slot": chosen + 1}, Repair.SAFE)
    table = tables[chosen]
    return _check(book, content, header, _entries(table, REGION_TABLE_OFFSETS[chosen]), chosen) if table else None


def _holds(data: bytes) -> bool:
    signature, _, count, _ = REGION_TABLE.unpack_from(data)
    return signature == b"regi" and count <= MAX_REGION_ENTRIES and checksum_holds(data)


def _entries(table: bytes, offset: int) -> list[Region]:
    count = REGION_TABLE.unpack_from(table)[2]
    found = []
    for n in range(count):
        at = REGION_TABLE.size + n * REGION_ENTRY.size
        name, start, length, flags = REGION_ENTRY.unpack_from(table, at)
        found.append(Region(guid(name), start, length, flags, offset + at))
    return found


def _by_metadata(content: ByteSource, tables: list[bytes | None]) -> int:
    """Both valid but different: the one whose metadata region begins with its signature."""
    for n, table in enumerate(tables):
        for region in _entries(table, 0) if table else ():
            inside = region.offset + 8 <= content.size
            if region.guid == METADATA_REGION and inside and content.pread(region.offset, 8) == b"metadata":
                return n
    return 0


def _check(book: Book, content: ByteSource, header: Header, entries: list[Region], slot: int) -> Regions | None:
    table = f"region table {slot + 1}"
    known: dict[object, Region] = {}
    taken = [(0, MIB, "header")]
    if header.log != NO_GUID:
        taken.append((*header.log_inside, "log"))
    for region in entries:
        where = book.where(table, region.entry_offset, REGION_ENTRY.size, region.name)
        args: dict[str, Scalar] = {"region": region.name, "offset": region.offset, "length": region.length}
        if region.guid in known:
            book.refuse("VHDX-REG-004", where, {**args, "other": region.name}, Repair.CONSENT)
        known[region.guid] = region
        if region.guid not in (BAT_REGION, METADATA_REGION):
            if region.flags & _REQUIRED:
                book.refuse("VHDX-REG-005", where, args)
            else:
                book.find("VHDX-REG-007", Severity.INFO, where, args)
        aligned = region.offset % MIB == 0 and region.length % MIB == 0 and region.length > 0
        if not aligned or region.end > content.size:
            _misplaced(book, region, where, args, content.size)
        for low, high, name in taken:
            if region.offset < high and low < region.end:
                book.refuse("VHDX-REG-004", where, {**args, "other": name}, Repair.CONSENT)
                break
        taken.append((region.offset, region.end, region.name))
        _check_unused_log(book, header, region)
    missing = [r for r in (BAT_REGION, METADATA_REGION) if r not in known]
    for one in missing:
        where = book.where(table, REGION_TABLE_OFFSETS[slot], REGION_TABLE_SIZE)
        name = "BAT" if one == BAT_REGION else "metadata"
        book.refuse("VHDX-REG-006", where, {"region": name}, Repair.CONSENT)
    if missing:
        return None
    others = tuple(r for g, r in known.items() if g not in (BAT_REGION, METADATA_REGION))
    return Regions(known[BAT_REGION], known[METADATA_REGION], others)


def _check_unused_log(book: Book, header: Header, region: Region) -> None:
    """An unused log in a region's place: the header is wrong, but nothing is read from there."""
    low, high = header.log_inside
    if header.log == NO_GUID and header.log_length and region.offset < high and low < region.end:
        where = book.where(f"header {header.slot + 1}", header.offset + 68, 12, "LogLength, LogOffset")
        args: dict[str, Scalar] = {"log_offset": header.log_offset, "log_length": header.log_length}
        entry = book.where("region table", region.entry_offset, REGION_ENTRY.size, region.name)
        book.find("VHDX-HDR-005", Severity.FATAL, (where, entry), args, Repair.CONSENT)


def _misplaced(book: Book, region: Region, where: Where, args: dict[str, Scalar], file_size: int) -> None:
    if region.offset % MIB == 0 and region.length > 0 and region.offset >= MIB and region.end > file_size:
        end = book.where(region.name, file_size, region.end - file_size)
        book.refuse("VHDX-FILE-001", (end, where), {**args, "file_size": file_size}, Repair.CONSENT)
    else:
        book.refuse("VHDX-REG-008", where, args, Repair.CONSENT)
