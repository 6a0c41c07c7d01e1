"""Build a valid VHDX/AVHDX byte by byte (spec section 1) together with its known truth."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from .model import MIB, Span, Structures, guid, number
from .sparse import Chunk, write_sparse
from .truth import BlockTruth, Layer, Source, Truth
from .vhdx_codec import (
    BAT_REGION,
    HEADER_OFFSETS,
    HEADER_SIZE,
    METADATA_REGION,
    REGION_OFFSETS,
    REGION_SIZE,
    TABLE_SIZE,
    ZERO_GUID,
    Header,
    Region,
    identifier,
    metadata,
    parent_locator,
    region_table,
)
from .vhdx_layout import Layout, plan_layout
from .vhdx_log import LogImage, build_log
from .vhdx_logbytes import Page, Placed
from .vhdx_payload import payload_chunks
from .vhdx_spec import Kind, LogKind, State, Style, VhdxSpec
from .vhdx_stages import guest_changes, metadata_items, stage

CREATORS = {
    Style.WINDOWS: "Microsoft Windows 10.0.17763.0",
    Style.QEMU: "QEMU v7.2.22",
    Style.DISK2VHD: "d2v",
}
SOURCES = {
    State.NOT_PRESENT: Source.ZERO,
    State.UNDEFINED: Source.UNDEFINED,
    State.ZERO: Source.ZERO,
    State.UNMAPPED: Source.UNDEFINED,
    State.FULL: Source.DATA,
    State.PARTIAL: Source.PARTIAL,
}


@dataclass(frozen=True)
class VhdxImage:
    """A file that was built: where it is, what the guest must see, where each structure lies."""

    spec: VhdxSpec
    path: Path
    size: int
    truth: Truth
    structures: Structures
    layout: Layout
    header: Header
    log_entries: tuple[Placed, ...]
    old_pages: tuple[Page, ...]
    """Pages one write step older than the truth, for those that changed in the last step."""
    replay_ranges: tuple[Span, ...]
    """Guest ranges that read wrong when a pending log is ignored."""
    last_step: tuple[Span, ...]
    """Guest ranges whose mapping changed in the newest write step."""
    parent: VhdxImage | None

    @property
    def paths(self) -> tuple[Path, ...]:
        """This file, then its parents."""
        return (self.path,) if self.parent is None else (self.path, *self.parent.paths)

    @property
    def fully_known(self) -> bool:
        """True when every guest byte is defined."""
        return self.truth.fully_known

    def entry_span(self, index: int) -> Span:
        """File range of a BAT entry."""
        return Span(self.layout.bat.offset + 8 * index, 8)

    def block_entry(self, block: int) -> Span:
        """File range of the BAT entry of a payload block."""
        return self.entry_span(self.layout.geometry.payload(block))

    def guest(self, block: int) -> Span:
        """Guest range of a payload block, cut at the disk's end."""
        span = Span(block * self.spec.block_size, self.spec.block_size)
        return span.clip(Span(0, self.spec.virtual_size)) or Span(span.offset, 0)


def build_vhdx(spec: VhdxSpec, directory: Path, parent: VhdxImage | None = None) -> VhdxImage:
    """Write the file into ``directory`` and return its description."""
    layout = plan_layout(spec)
    data_guid = guid(spec.seed, "data")
    locator = _locator(spec, parent) if spec.kind is Kind.DIFFERENCING else None
    first = spec.log.versions - 1 if spec.log.kind is LogKind.EMPTY else 0  # no log, no history
    stages = tuple(stage(spec, layout, locator, n) for n in range(first, spec.log.versions + 1))
    size = layout.end + spec.surplus_tail
    log = build_log(spec, layout, stages, size)
    headers = _headers(spec, layout, data_guid, log)
    on_disk = stages[log.disk_stage]
    path = directory / spec.name
    hidden = layout.homes[-1].number if spec.log.extend else None
    layer = _layer(spec, layout, parent, hidden)
    chunks = [*_head_chunks(spec, layout, headers), *_ring_chunks(layout, log.ring)]
    chunks += [Chunk(page.offset, page.data) for page in on_disk.pages if page.data is not None]
    chunks += payload_chunks(spec, layout, layer)
    write_sparse(path, size - spec.log.extend, chunks)
    changed = dict.fromkeys(page.offset for page in stages[-2].changes_to(stages[-1]))
    return VhdxImage(
        spec=spec,
        path=path,
        size=size - spec.log.extend,
        truth=Truth(layer),
        structures=_structures(layout, spec, log, locator, size),
        layout=layout,
        header=headers[spec.current_slot],
        log_entries=log.placed,
        old_pages=tuple(page for page in stages[-2].pages if page.offset in changed),
        replay_ranges=guest_changes(layout, on_disk, stages[-1]),
        last_step=guest_changes(layout, stages[-2], stages[-1]),
        parent=parent,
    )


def _locator(spec: VhdxSpec, parent: VhdxImage | None) -> bytes:
    """Key/value pairs in the order Windows writes them; at least one path (spec 1.2, parent locator)."""
    if parent is None:
        raise ValueError("a differencing disk needs a parent")
    link = spec.link
    name = PureWindowsPath(parent.path.name)
    linkage = parent.header.data_guid
    pairs: list[tuple[str, str]] = []
    if link.second_linkage:
        pairs.append(("parent_linkage", _braced(guid(spec.seed, "stale linkage"))))
        pairs.append(("parent_linkage2", _braced(linkage)))
    else:
        pairs.append(("parent_linkage", _braced(linkage)))
    if link.relative:
        pairs.append(("relative_path", f".\\{name}"))
    if link.volume_path:
        pairs.append(("volume_path", f"{link.volume}\\{name}"))
    if link.absolute:
        pairs.append(("absolute_win32_path", f"{link.folder}\\{name}"))
    return parent_locator(tuple(pairs))


def _braced(value: uuid.UUID) -> str:
    return "{" + str(value) + "}"


def _headers(spec: VhdxSpec, layout: Layout, data_guid: uuid.UUID, log: LogImage) -> tuple[Header, Header]:
    equal = spec.style is Style.DISK2VHD if spec.equal_headers is None else spec.equal_headers
    base = 1 if spec.style is Style.DISK2VHD else 4 + number(spec.seed, "header", 400)
    file_guid = guid(spec.seed, "file")
    place = (layout.log.size, layout.log.offset)
    newest = Header(base + (not equal), file_guid, data_guid, log.header_guid, *place)
    older = Header(base, file_guid, data_guid, log.header_guid, *place)
    if spec.log.one_header:
        older = Header(base, guid(spec.seed, "file before"), data_guid, ZERO_GUID, *place)
    if spec.log.half_closed:
        older = Header(base, file_guid, data_guid, guid(spec.seed, "log session"), *place)
    return (newest, older) if spec.current_slot == 0 else (older, newest)


def _head_chunks(spec: VhdxSpec, layout: Layout, headers: tuple[Header, Header]) -> Iterator[Chunk]:
    creator = CREATORS[spec.style]
    yield Chunk(0, identifier(creator))
    flag = spec.style is not Style.QEMU if spec.required_flag is None else spec.required_flag
    required = int(flag)
    bat = Region(BAT_REGION, layout.bat.offset, layout.bat.size, required)
    meta = Region(METADATA_REGION, layout.metadata.offset, layout.metadata.size, required)
    table = region_table((meta, bat) if spec.style is Style.DISK2VHD else (bat, meta))
    for slot in (0, 1):
        yield Chunk(HEADER_OFFSETS[slot], headers[slot].pack())
        yield Chunk(REGION_OFFSETS[slot], table)


def _ring_chunks(layout: Layout, ring: bytes) -> Iterator[Chunk]:
    for at in range(0, len(ring), 4096):
        if ring[at : at + 4096] != bytes(4096):
            yield Chunk(layout.log.offset + at, ring[at : at + 4096])


def _layer(spec: VhdxSpec, layout: Layout, parent: VhdxImage | None, hidden: int | None) -> Layer:
    blocks = []
    child = spec.kind is Kind.DIFFERENCING
    for plan in layout.plans:
        source = SOURCES[plan.state]
        if plan.state is State.NOT_PRESENT and child:
            source = Source.PARENT
        if plan.index == hidden:  # its bytes exist only after the replay extends the file: zeros
            source = Source.ZERO
        blocks.append(BlockTruth(plan.index, source, plan.runs))
    return Layer(
        spec.virtual_size,
        spec.block_size,
        spec.seed,
        spec.layer,
        Source.PARENT if child else Source.ZERO,
        tuple(blocks),
        parent.truth.top if parent else None,
    )


def _structures(
    layout: Layout,
    spec: VhdxSpec,
    log: LogImage,
    locator: bytes | None,
    size: int,
) -> Structures:
    items = [("identifier", Span(0, 65536))]
    items += [(f"header{n + 1}", Span(HEADER_OFFSETS[n], HEADER_SIZE)) for n in (0, 1)]
    items += [(f"region{n + 1}", Span(REGION_OFFSETS[n], REGION_SIZE)) for n in (0, 1)]
    items += [("log", layout.log), ("metadata", layout.metadata), ("bat", layout.bat)]
    items.append(("metadata.table", Span(layout.metadata.offset, TABLE_SIZE)))
    parts = metadata_items(spec, spec.virtual_size, locator)
    _, offsets = metadata(parts)
    for n, (item, offset) in enumerate(zip(parts, offsets, strict=True)):
        items.append((f"metadata.entry.{item.name}", Span(layout.metadata.offset + 32 + 32 * n, 32)))
        items.append((f"metadata.item.{item.name}", Span(layout.metadata.offset + offset, len(item.data))))
    items += [(f"block.{h.number}", Span(h.offset, spec.block_size)) for h in layout.homes]
    items += [(f"bitmap.{h.number}", Span(h.offset, MIB)) for h in layout.bitmaps]
    items += [(f"orphan.{n}", span) for n, span in enumerate(layout.orphans)]
    for n, placed in enumerate(log.placed):
        items += [(f"log.{placed.role}.{n}", span) for span in placed.spans(layout.log)]
    if spec.surplus_tail:
        items.append(("tail", Span(layout.end, size - layout.end)))
    return Structures(tuple(items))
