"""The parent locator: whom a differencing disk names as its parent (X22)."""

from __future__ import annotations

from uuid import UUID

from hvrescue.byteio.source import ByteSource
from hvrescue.core.words import Repair, Severity, Where
from hvrescue.images.identity import ParentLink
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.layout import (
    FILE_PARAMETERS,
    LOCATOR,
    LOCATOR_ENTRY,
    LOCATOR_TYPE,
    MAX_ITEM,
    METADATA_ENTRY,
    METADATA_TABLE_SIZE,
    NO_GUID,
    PARENT_LOCATOR,
    guid,
)
from hvrescue.images.vhdx.metadata import Metadata

_PATHS = ("relative_path", "volume_path", "absolute_win32_path")
_MAX_KEYS = 256


class _Fault(Exception):
    """``field`` of the locator does not hold; ``at`` within the item."""

    def __init__(self, field: str, at: int) -> None:
        super().__init__(field)
        self.field, self.at = field, at


def survey_locator(book: Book, content: ByteSource, metadata: Metadata) -> ParentLink | None:
    """The parent's identity and paths; refusals when it is a child that cannot name its parent, or half a child."""
    parameters = metadata.parameters
    item = metadata.items.get(PARENT_LOCATOR)
    if parameters is None:
        return None
    if item is None or item.length == 0:
        if parameters.has_parent:
            table = book.where("metadata table", metadata.region.offset, METADATA_TABLE_SIZE, "Parent Locator")
            book.refuse("VHDX-LOC-001", (table, _flags_place(book, metadata)), repair=Repair.CONSENT)
        return None
    entry = book.where("metadata table", item.entry_offset, METADATA_ENTRY.size, "Parent Locator")
    if not parameters.has_parent:
        # Read as a base, every block that came from the parent would silently be zeros.
        book.refuse("VHDX-LOC-003", (_flags_place(book, metadata), entry), severity=Severity.ERROR)
        return None
    window = book.read(content, "parent locator", metadata.place(item), min(item.length, MAX_ITEM))
    place = book.where("parent locator", metadata.place(item), item.length)
    if window is None:
        book.refuse("VHDX-LOC-002", place, {"field": "Parent Locator"}, Repair.CONSENT)
        return None
    try:
        pairs = _pairs(window.data)
    except _Fault as fault:
        where = book.where("parent locator", metadata.place(item) + fault.at, item.length - fault.at, fault.field)
        book.refuse("VHDX-LOC-002", where, {"field": fault.field}, Repair.CONSENT)
        return None
    return _link(book, place, pairs)


def _flags_place(book: Book, metadata: Metadata) -> Where:
    at = metadata.place(metadata.items[FILE_PARAMETERS])
    return book.where("metadata item", at, 8, "File Parameters")


def _pairs(data: bytes) -> dict[str, str]:
    if len(data) < LOCATOR.size:
        raise _Fault("LocatorType", 0)
    kind, _, count = LOCATOR.unpack_from(data)
    if guid(kind) != LOCATOR_TYPE:
        raise _Fault("LocatorType", 0)
    if not 1 <= count <= _MAX_KEYS or LOCATOR.size + count * LOCATOR_ENTRY.size > len(data):
        raise _Fault("KeyValueCount", 18)
    pairs: dict[str, str] = {}
    for n in range(count):
        at = LOCATOR.size + n * LOCATOR_ENTRY.size
        key_at, value_at, key_size, value_size = LOCATOR_ENTRY.unpack_from(data, at)
        key = _text(data, key_at, key_size, "Key", at)
        if key in pairs:
            raise _Fault(key, at)
        pairs[key] = _text(data, value_at, value_size, key, at)
    return pairs


def _text(data: bytes, at: int, size: int, field: str, entry: int) -> str:
    if size == 0 or size % 2 or at % 2 or at < LOCATOR.size or at + size > len(data):
        raise _Fault(field, entry)
    try:
        text = data[at : at + size].decode("utf-16-le")
    except UnicodeDecodeError:
        raise _Fault(field, at) from None
    if "\0" in text:
        raise _Fault(field, at)
    return text


def _link(book: Book, place: Where, pairs: dict[str, str]) -> ParentLink | None:
    accepted = [_guid_of(pairs.get(key, "")) for key in ("parent_linkage", "parent_linkage2")]
    if accepted[0] is None or accepted[0] == NO_GUID:
        book.refuse("VHDX-LOC-002", place, {"field": "parent_linkage"}, Repair.CONSENT)
        return None
    paths = tuple((key, pairs[key]) for key in _PATHS if key in pairs)
    if not paths:
        book.find("VHDX-LOC-004", Severity.FATAL, place, repair=Repair.CONSENT)
    return ParentLink(tuple(g for g in accepted if g is not None and g != NO_GUID), paths)


def _guid_of(text: str) -> UUID | None:
    try:
        return UUID(text) if len(text) == 38 and text[0] == "{" and text[-1] == "}" else None
    except ValueError:
        return None
