"""Edits of VHDX structures that keep the checksums right, so that only the meaning is wrong."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

from .damage import VhdxSite
from .model import Span, guid
from .vhdx_codec import (
    BAT_REGION,
    HEADER_OFFSETS,
    HEADER_SIZE,
    METADATA_REGION,
    REGION_OFFSETS,
    ZERO_GUID,
    Header,
    Region,
    region_table,
    sign,
)
from .vhdx_logbytes import Entry
from .vhdx_spec import State

ENTRY = struct.Struct("<Q")


def header(site: VhdxSite, slot: int) -> Header:
    """Header copy ``slot`` as it is on disk."""
    return Header.parse(site.edit.read(Span(HEADER_OFFSETS[slot], HEADER_SIZE)))


def put_header(site: VhdxSite, slot: int, changed: Header) -> Span:
    """Write a header copy with a valid checksum."""
    return site.edit.write(HEADER_OFFSETS[slot], changed.pack())


def change_headers(
    site: VhdxSite, change: Callable[[Header], Header], *, current_only: bool = False
) -> tuple[Span, ...]:
    """Change the current header, or both."""
    current = site.image.spec.current_slot
    slots = (current,) if current_only else (0, 1)
    return tuple(put_header(site, slot, change(header(site, slot))) for slot in slots)


def regions(site: VhdxSite) -> tuple[Region, ...]:
    """The entries of the first region table."""
    layout = site.image.layout
    return (
        Region(BAT_REGION, layout.bat.offset, layout.bat.size),
        Region(METADATA_REGION, layout.metadata.offset, layout.metadata.size),
    )


def put_regions(
    site: VhdxSite, entries: tuple[Region, ...], slots: tuple[int, ...] = (0, 1), count: int | None = None
) -> tuple[Span, ...]:
    """Write region tables with valid checksums; returns the ranges a checker should point to."""
    table = region_table(entries, count=count)
    for slot in slots:
        site.edit.write(REGION_OFFSETS[slot], table)
    size = 16 + 32 * max(len(entries), 1)
    return tuple(Span(REGION_OFFSETS[slot], size) for slot in slots)


def entry(site: VhdxSite, block: int) -> int:
    """BAT entry of a block, as it is on disk."""
    value: int = ENTRY.unpack(site.edit.read(site.image.block_entry(block)))[0]
    return value


def put_entry(site: VhdxSite, block: int, value: int) -> Span:
    """Overwrite the BAT entry of a block."""
    return site.edit.write(site.image.block_entry(block).offset, ENTRY.pack(value))


def put_index(site: VhdxSite, index: int, value: int) -> Span:
    """Overwrite a BAT entry by its number."""
    return site.edit.write(site.image.entry_span(index).offset, ENTRY.pack(value))


def full_blocks(site: VhdxSite) -> tuple[int, ...]:
    """Blocks in state 6, ascending."""
    return tuple(plan.index for plan in site.image.layout.plans if plan.state is State.FULL)


def partial_blocks(site: VhdxSite, chunk: int | None = None) -> tuple[int, ...]:
    """Blocks in state 7, ascending; only those of a chunk if one is named."""
    ratio = site.image.layout.geometry.ratio
    chosen = (plan.index for plan in site.image.layout.plans if plan.state is State.PARTIAL)
    return tuple(block for block in chosen if chunk is None or block // ratio == chunk)


def victim(site: VhdxSite) -> int:
    """The first or the last full block."""
    return full_blocks(site)[-site.place]


def item_data(site: VhdxSite, name: str) -> Span:
    """Where the data of a metadata item lie."""
    return site.image.structures[f"metadata.item.{name}"]


def item_entry(site: VhdxSite, name: str) -> Span:
    """Where the table entry of a metadata item lies."""
    return site.image.structures[f"metadata.entry.{name}"]


def put_u32(site: VhdxSite, offset: int, value: int) -> Span:
    """Overwrite a little-endian 32-bit number."""
    return site.edit.write(offset, struct.pack("<I", value))


def change_log(site: VhdxSite, position: int, change: Callable[[Entry], Entry]) -> Span:
    """Re-pack entry number ``position`` of the active sequence, with a valid checksum."""
    placed = [p for p in site.image.log_entries if p.entry.pages and p.role == "active"][position]
    return site.edit.write(site.image.layout.log.offset + placed.start, change(placed.entry).pack())


def entry_spans(site: VhdxSite, role: str = "active") -> tuple[Span, ...]:
    """File ranges of the log entries with pages, oldest first."""
    log = site.image.layout.log
    return tuple(p.spans(log)[0] for p in site.image.log_entries if p.entry.pages and p.role == role)


def resign(site: VhdxSite, span: Span) -> None:
    """Make the checksum of a header, region table or log entry valid again."""
    site.edit.write(span.offset, sign(site.edit.read(span)))


def with_guids(current: Header, **labels: str) -> Header:
    """A header whose named GUIDs are others; an empty label gives the zero GUID."""
    made = {name: guid(77, label) if label else ZERO_GUID for name, label in labels.items()}
    return replace(
        current,
        file_guid=made.get("file_guid", current.file_guid),
        data_guid=made.get("data_guid", current.data_guid),
        log_guid=made.get("log_guid", current.log_guid),
    )
