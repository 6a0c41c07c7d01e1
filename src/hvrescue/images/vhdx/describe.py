"""The fields of a VHDX worth reading, under their names in MS-VHDX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hvrescue.images.describe import Field
from hvrescue.images.survey import Survey
from hvrescue.images.vhdx.layout import NO_GUID, Block
from hvrescue.images.vhdx.survey import VhdxLayout


def describe(survey: Survey[Any]) -> list[Field]:
    """What could be read, in the order of the file."""
    return list(_fields(survey.layout))


def _fields(layout: VhdxLayout) -> Iterator[Field]:
    yield Field("Creator", layout.creator)
    if header := layout.header:
        yield Field("SequenceNumber", header.sequence)
        yield Field("FileWriteGuid", str(header.file_write))
        yield Field("DataWriteGuid", str(header.data_write))
        yield Field("LogGuid", str(header.log) if header.log != NO_GUID else "")
        yield Field("LogOffset", header.log_offset, "offset")
        yield Field("LogLength", header.log_length, "bytes")
    if layout.log and layout.log.pending:
        yield Field("Log entries to replay", len(layout.log.replayed))
    if regions := layout.regions:
        yield Field("Metadata region", regions.metadata.offset, "offset")
        yield Field("BAT region", regions.bat.offset, "offset")
    if p := layout.parameters:
        yield Field("BlockSize", p.block_size, "bytes")
        yield Field("LeaveBlocksAllocated", p.leave_allocated)
        yield Field("HasParent", p.has_parent)
        yield Field("VirtualDiskSize", p.size, "bytes")
        yield Field("LogicalSectorSize", p.logical_sector, "bytes")
        yield Field("PhysicalSectorSize", p.physical_sector, "bytes")
        yield Field("Page 83 ID", str(p.disk_id))
    if layout.parent:
        yield Field("parent_linkage", str(layout.parent.accepted[0]))
        yield from (Field(kind, path) for kind, path in layout.parent.paths)
    if bat := layout.bat:
        yield Field("Payload blocks", bat.table.parameters.blocks)
        yield from (Field(f"Blocks {state.name}", int(bat.counts[state])) for state in Block if bat.counts[state])
        if bat.room:
            yield Field("Room nobody owns", bat.room.unowned << 20, "bytes")
