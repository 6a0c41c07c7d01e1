"""The fields of a VHD worth reading, under their names in the specification."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from hvrescue.images.describe import Field
from hvrescue.images.survey import Survey
from hvrescue.images.vhd.layout import Footer, Header
from hvrescue.images.vhd.survey import VhdLayout

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


def describe(survey: Survey[Any]) -> list[Field]:
    """What could be read, in the order of the file."""
    return list(_fields(survey.layout))


def _fields(layout: VhdLayout) -> Iterator[Field]:
    if layout.footer:
        yield from _footer(layout.footer)
    if layout.header:
        yield from _header(layout.header)
    if layout.parent:
        yield Field("ParentUniqueId", str(layout.parent.accepted[0]))
        yield Field("ParentTimeStamp", _time(layout.parent.written or 0))
        yield from (Field(kind, path) for kind, path in layout.parent.paths)
    if table := layout.table:
        yield Field("Blocks", table.blocks)
        yield Field("Blocks present", int(table.believed().size))
        if table.doubt.mask is not None:
            yield Field("Blocks unknown", int(table.doubt.mask.sum()))


def _footer(footer: Footer) -> Iterator[Field]:
    major, minor = footer.creator_version >> 16, footer.creator_version & 0xFFFF
    creator = footer.creator.decode("ascii", "replace").rstrip("\0 ")
    yield Field("CreatorApplication", f"{creator} {major}.{minor}")
    yield Field("TimeStamp", _time(footer.timestamp))
    yield Field("UniqueId", str(footer.unique_id))
    yield Field("DiskType", footer.kind)
    yield Field("CurrentSize", footer.current_size, "bytes")
    yield Field("DiskGeometry", str(footer.chs))
    yield Field("SavedState", bool(footer.saved_state))


def _header(header: Header) -> Iterator[Field]:
    yield Field("DynamicHeader", header.offset, "offset")
    yield Field("TableOffset", header.table_offset, "offset")
    yield Field("MaxTableEntries", int.from_bytes(header.raw[28:32], "big"))
    yield Field("BlockSize", header.block_size, "bytes")


def _time(seconds: int) -> str:
    """UTC; 0 is not recorded."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat() if seconds else ""
