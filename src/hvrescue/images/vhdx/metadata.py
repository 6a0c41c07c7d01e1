"""Metadata: the table, the items, and what they say of the disk (X12, X13, X27)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from hvrescue.byteio.source import ByteSource
from hvrescue.core.limits import MIB
from hvrescue.core.words import Repair, Severity, Where
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.layout import (
    FILE_PARAMETERS,
    HAS_PARENT,
    INCOMPLETE_FILE,
    IS_REQUIRED,
    IS_USER,
    IS_VIRTUAL_DISK,
    ITEM_NAMES,
    LEAVE_BLOCKS_ALLOCATED,
    LOGICAL_SECTOR_SIZE,
    MAX_DISK_SIZE,
    MAX_ITEM,
    MAX_METADATA_ENTRIES,
    METADATA_ENTRY,
    METADATA_TABLE,
    METADATA_TABLE_SIZE,
    PHYSICAL_SECTOR_SIZE,
    REGION_ENTRY,
    VIRTUAL_DISK_ID,
    VIRTUAL_DISK_SIZE,
    Item,
    Parameters,
    Region,
    guid,
)

SECTOR_SIZES = (512, 4096)
GUEST_UNTOUCHED = frozenset({PHYSICAL_SECTOR_SIZE, VIRTUAL_DISK_ID})
"""Items that no guest byte depends on: without them the disk stays readable, although Hyper-V refuses it."""
_FLAGS = {FILE_PARAMETERS: IS_REQUIRED, **dict.fromkeys(
    (VIRTUAL_DISK_SIZE, VIRTUAL_DISK_ID, LOGICAL_SECTOR_SIZE, PHYSICAL_SECTOR_SIZE), IS_VIRTUAL_DISK | IS_REQUIRED
)}  # fmt: skip
_LENGTHS = {
    FILE_PARAMETERS: 8,
    VIRTUAL_DISK_SIZE: 8,
    VIRTUAL_DISK_ID: 16,
    LOGICAL_SECTOR_SIZE: 4,
    PHYSICAL_SECTOR_SIZE: 4,
}


class Metadata(NamedTuple):
    """The items by GUID, and the parameters when all that is needed is there and legal."""

    region: Region
    items: dict[UUID, Item]
    parameters: Parameters | None

    def place(self, item: Item) -> int:
        """File offset of an item's content."""
        return self.region.offset + item.offset


def survey_metadata(book: Book, content: ByteSource, region: Region) -> Metadata | None:
    """Table and items; a refusal is written down when block size, disk size or sector size are not known."""
    window = book.read(content, "metadata table", region.offset, METADATA_TABLE_SIZE)
    named_by = book.where("region table", region.entry_offset, REGION_ENTRY.size, "metadata")
    if window is None:
        where = book.where("metadata table", region.offset, METADATA_TABLE_SIZE)
        book.refuse("VHDX-META-001", (where, named_by), repair=Repair.CONSENT)
        return None
    signature, _, count, _ = METADATA_TABLE.unpack_from(window.data)
    if signature != b"metadata":
        where = book.where("metadata table", region.offset, 8, "Signature")
        # With entries that still fit, only the eight bytes are gone and can be written again without loss.
        whole = _plausible(window.data, count, region)
        book.refuse("VHDX-META-001", (where, named_by), repair=Repair.SAFE if whole else Repair.CONSENT)
        if not whole:
            return None
    if count > MAX_METADATA_ENTRIES:
        where = book.where("metadata table", region.offset + 10, 2, "EntryCount")
        book.refuse("VHDX-META-002", where, {"item": "EntryCount", "problem": "count"}, Repair.CONSENT)
        return None
    items = _items(book, window.data, count, region)
    parameters = _parameters(book, content, region, items)
    if INCOMPLETE_FILE in items:
        entry = items[INCOMPLETE_FILE].entry_offset
        book.refuse("VHDX-META-007", book.where("metadata table", entry, METADATA_ENTRY.size, "Incomplete File"))
    return Metadata(region, items, parameters)


def _plausible(table: bytes, count: int, region: Region) -> bool:
    entries = [_entry(table, n, region) for n in range(min(count, 16))]
    known = {e.guid for e in entries} & set(_LENGTHS)
    return len(known) == len(_LENGTHS) and all(e.offset + e.length <= region.length for e in entries)


def _entry(table: bytes, n: int, region: Region) -> Item:
    at = METADATA_TABLE.size + n * METADATA_ENTRY.size
    name, offset, length, flags, _ = METADATA_ENTRY.unpack_from(table, at)
    return Item(guid(name), offset, length, flags, region.offset + at)


def _items(book: Book, table: bytes, count: int, region: Region) -> dict[UUID, Item]:
    found: dict[UUID, Item] = {}
    seen: set[tuple[UUID, bool]] = set()
    spans: list[tuple[int, int, str]] = []
    for n in range(count):
        item = _entry(table, n, region)
        where = book.where("metadata table", item.entry_offset, METADATA_ENTRY.size, item.name)
        user = bool(item.flags & IS_USER)
        fault = _fault(item, region, (item.guid, user) in seen, user)
        if not fault and item.length:
            fault = next(("overlap" for a, b, _ in spans if item.offset < b and a < item.offset + item.length), "")
            spans.append((item.offset, item.offset + item.length, item.name))
        seen.add((item.guid, user))
        needed = item.guid in _LENGTHS or bool(item.flags & IS_REQUIRED)
        if fault:
            severity = Severity.FATAL if needed else Severity.ERROR
            book.find("VHDX-META-002", severity, where, {"item": item.name, "problem": fault}, Repair.CONSENT)
            if fault not in ("overlap", "flags"):
                continue
        if item.guid not in ITEM_NAMES and not user and item.flags & IS_REQUIRED:
            book.refuse("VHDX-META-008", where, {"item": item.name})
        if item.guid in _FLAGS and item.flags != _FLAGS[item.guid]:
            book.find(
                "VHDX-META-004",
                Severity.WARNING,
                where,
                {"item": item.name, "flags": item.flags},
                Repair.SAFE,
            )
        if not user or item.guid in ITEM_NAMES:
            found.setdefault(item.guid, item)
    return found


def _fault(item: Item, region: Region, seen: bool, user: bool) -> str:
    """What is wrong with an entry by itself, as a word the catalogue knows; empty when nothing is."""
    if item.guid.int == 0:
        return "guid"
    if seen:
        return "duplicate"
    if item.length == 0 and item.offset == 0:
        return ""
    if item.length > MAX_ITEM or item.length == 0:
        return "length"
    if item.offset < METADATA_TABLE_SIZE or item.offset + item.length > region.length:
        return "range"
    if user and item.flags & IS_REQUIRED and item.guid not in _FLAGS:
        return "flags"
    return ""


def _parameters(book: Book, content: ByteSource, region: Region, items: dict[UUID, Item]) -> Parameters | None:
    values: dict[UUID, bytes] = {}
    for name, length in _LENGTHS.items():
        item = items.get(name)
        if item is None or item.length != length:
            at = item.entry_offset if item else region.offset
            _bad_item(book, name, book.where("metadata table", at, METADATA_ENTRY.size, ITEM_NAMES[name]), "missing")
            continue
        window = book.read(content, "metadata item", region.offset + item.offset, length)
        if window is not None and (value := _legal(name, window.data)) is not None:
            values[name] = value
        else:
            shown = int.from_bytes(window.data[:8], "little") if window else "?"
            where = book.where("metadata item", region.offset + item.offset, length, ITEM_NAMES[name])
            _bad_item(book, name, where, str(shown))
    parameters = _assemble(values)
    if parameters is not None and parameters.size % parameters.logical_sector:
        at = region.offset + items[VIRTUAL_DISK_SIZE].offset
        where = book.where("metadata item", at, 8, "Virtual Disk Size")
        _bad_item(book, VIRTUAL_DISK_SIZE, where, str(parameters.size))
        return None
    return parameters


def _bad_item(book: Book, name: UUID, where: Where, value: str) -> None:
    args = {"item": ITEM_NAMES[name], "value": value}
    if name in GUEST_UNTOUCHED:
        book.find("VHDX-META-005", Severity.FATAL, where, args, Repair.CONSENT)
    else:
        book.refuse("VHDX-META-003", where, args, Repair.CONSENT)


def _legal(name: UUID, data: bytes) -> bytes | None:
    value = int.from_bytes(data[:8], "little")
    if name == FILE_PARAMETERS:
        block = int.from_bytes(data[:4], "little")
        legal = MIB <= block <= 256 * MIB and block & (block - 1) == 0
        legal = legal and not int.from_bytes(data[4:], "little") & ~(LEAVE_BLOCKS_ALLOCATED | HAS_PARENT)
    elif name == VIRTUAL_DISK_SIZE:
        legal = 0 < value <= MAX_DISK_SIZE and value % SECTOR_SIZES[0] == 0
    elif name == VIRTUAL_DISK_ID:
        legal = any(data)
    else:
        legal = value in SECTOR_SIZES
    return data if legal else None


def _assemble(values: dict[UUID, bytes]) -> Parameters | None:
    if not {FILE_PARAMETERS, VIRTUAL_DISK_SIZE, LOGICAL_SECTOR_SIZE} <= values.keys():
        return None
    flags = int.from_bytes(values[FILE_PARAMETERS][4:], "little")
    physical = values.get(PHYSICAL_SECTOR_SIZE)
    disk_id = values.get(VIRTUAL_DISK_ID)
    return Parameters(
        int.from_bytes(values[FILE_PARAMETERS][:4], "little"),
        bool(flags & LEAVE_BLOCKS_ALLOCATED),
        bool(flags & HAS_PARENT),
        int.from_bytes(values[VIRTUAL_DISK_SIZE], "little"),
        int.from_bytes(values[LOGICAL_SECTOR_SIZE], "little"),
        int.from_bytes(physical, "little") if physical else None,
        guid(disk_id) if disk_id else None,
    )
