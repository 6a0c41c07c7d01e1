"""The history of a file: its BAT, bitmap and metadata pages after each write step.

The log of a VHDX holds whole 4 KiB pages (spec 1.4), so history is kept as pages: stage 0 is the
empty disk, the last stage is the truth.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace

import numpy as np

from .model import Span, guid, merge, noise
from .vhdx_codec import (
    FILE_PARAMETERS,
    LOGICAL_SECTOR,
    PAGE,
    PAGE83,
    PARENT_LOCATOR,
    PHYSICAL_SECTOR,
    VIRTUAL_SIZE,
    Item,
    bat_entry,
    metadata,
)
from .vhdx_layout import Layout
from .vhdx_logbytes import Page
from .vhdx_spec import Kind, State, Style, VhdxSpec


@dataclass(frozen=True)
class Stage:
    """All pages that are not zero, by file offset, plus the BAT entries they hold."""

    pages: tuple[Page, ...]
    entries: tuple[tuple[int, int], ...]
    virtual_size: int

    def changes_to(self, newer: Stage) -> tuple[Page, ...]:
        """What a log entry must hold to bring this stage to the newer one."""
        old = {page.offset: page.data for page in self.pages}
        new = {page.offset: page.data for page in newer.pages}
        out = [Page(at, data) for at, data in new.items() if old.get(at) != data]
        out += [Page(at, None) for at in old if at not in new]
        return tuple(sorted(out, key=lambda page: page.offset))


def metadata_items(spec: VhdxSpec, virtual_size: int, locator: bytes | None) -> tuple[Item, ...]:
    """The five base items and the locator (spec 1.2); QEMU uses another order than Windows."""
    bits = (spec.kind is Kind.FIXED) | (spec.kind is Kind.DIFFERENCING) << 1
    parameters = Item("parameters", FILE_PARAMETERS, struct.pack("<II", spec.block_size, bits), 4)
    size = Item("size", VIRTUAL_SIZE, struct.pack("<Q", virtual_size), 6)
    logical = Item("logical", LOGICAL_SECTOR, struct.pack("<I", spec.logical), 6)
    physical = Item("physical", PHYSICAL_SECTOR, struct.pack("<I", spec.physical), 6)
    identity = guid(spec.seed if spec.page83_seed is None else spec.page83_seed, "page83")
    page83 = Item("page83", PAGE83, identity.bytes_le, 6)
    if spec.style is Style.QEMU:
        items = (parameters, size, page83, logical, physical)
    else:
        items = (parameters, size, logical, physical, page83)
    return items if locator is None else (*items, Item("locator", PARENT_LOCATOR, locator, 4))


def bitmap_bytes(spec: VhdxSpec, layout: Layout, chunk: int, present: frozenset[int]) -> bytes:
    """Sector bitmap of a chunk, LSB first (spec 1.3).

    Bits count only for blocks in state 7; for all others the bitmap holds noise, to catch readers
    that use it anyway.
    """
    bits = np.zeros(8 << 20, dtype=np.uint8)
    per_block = spec.block_size // spec.logical
    for plan in layout.plans:
        if plan.index // layout.geometry.ratio != chunk:
            continue
        base = (plan.index % layout.geometry.ratio) * per_block
        if plan.state is State.PARTIAL and plan.index in present:
            for run in plan.runs:
                low = base + run.offset // spec.logical
                bits[low : low + run.size // spec.logical] = 1
        elif plan.state is not State.PARTIAL and per_block >= 64:
            junk = np.frombuffer(noise(spec.seed, f"bits{plan.index}", 8), dtype=np.uint8)
            bits[base : base + 64] = np.unpackbits(junk, bitorder="little")
    return np.packbits(bits, bitorder="little").tobytes()


def stage(spec: VhdxSpec, layout: Layout, locator: bytes | None, step: int) -> Stage:
    """The pages after ``step`` of ``spec.log.versions`` write steps."""
    last = step >= spec.log.versions
    rank = {home.number: n for n, home in enumerate(layout.homes)}
    limit = len(layout.homes) if last else len(layout.homes) * step // spec.log.versions
    entries: dict[int, int] = {}
    present: set[int] = set()
    for plan in layout.plans:
        if plan.index in rank and rank[plan.index] >= limit:
            continue
        offset = layout.home(plan.index)
        entries[layout.geometry.payload(plan.index)] = bat_entry(plan.state, offset)
        present.add(plan.index)
    pages: dict[int, bytes] = {}
    for home in layout.bitmaps:
        mine = frozenset(b for b in present if b // layout.geometry.ratio == home.number)
        if any(p.index in mine and p.state is State.PARTIAL for p in layout.plans):
            entries[layout.geometry.bitmap(home.number)] = bat_entry(6, home.offset)
            pages |= _pages(home.offset, bitmap_bytes(spec, layout, home.number, mine))
    if not last and spec.log.zero_pages and layout.orphans:
        entries |= _trimmed(layout, frozenset(entries))
    pages |= _bat_pages(layout, entries)
    size = spec.log.old_size if spec.log.old_size and not last else spec.virtual_size
    table, _ = metadata(metadata_items(spec, size, locator))
    pages |= _pages(layout.metadata.offset, table)
    ordered = tuple(Page(at, pages[at]) for at in sorted(pages))
    return Stage(ordered, tuple(sorted(entries.items())), size)


def _trimmed(layout: Layout, used: frozenset[int]) -> dict[int, int]:
    """Blocks that existed before and were trimmed in the last step: a whole BAT page becomes zero."""
    for page in range(1, layout.geometry.entries * 8 // PAGE):
        slots = range(page * 512, page * 512 + 512)
        if not any(slot in used for slot in slots):
            return {slots[5]: bat_entry(6, layout.orphans[0].offset)}
    return {}


def _bat_pages(layout: Layout, entries: dict[int, int]) -> dict[int, bytes]:
    pages: dict[int, bytearray] = {}
    for index, value in entries.items():
        page = pages.setdefault(layout.bat.offset + index * 8 // PAGE * PAGE, bytearray(PAGE))
        struct.pack_into("<Q", page, index * 8 % PAGE, value)
    return {at: bytes(data) for at, data in pages.items()}


def _pages(offset: int, data: bytes) -> dict[int, bytes]:
    padded = data.ljust(-(-len(data) // PAGE) * PAGE, b"\0")
    chunks = ((at, padded[at : at + PAGE]) for at in range(0, len(padded), PAGE))
    return {offset + at: chunk for at, chunk in chunks if chunk != bytes(PAGE)}


def rotated(layout: Layout, newest: Stage) -> Stage:
    """BAT pages of a life before compaction: the same blocks at each other's places (a trap)."""
    values = [value for _, value in newest.entries]
    turned = values[1:] + values[:1]
    entries = tuple((index, turned[n]) for n, (index, _) in enumerate(newest.entries))
    pages = _bat_pages(layout, dict(entries))
    return replace(newest, pages=tuple(Page(a, pages[a]) for a in sorted(pages)), entries=entries)


def guest_changes(layout: Layout, old: Stage, new: Stage) -> tuple[Span, ...]:
    """Guest ranges whose mapping differs between two stages."""
    before, after = dict(old.entries), dict(new.entries)
    ratio, size = layout.geometry.ratio, layout.geometry.block_size
    blocks: set[int] = set()
    for index in before.keys() | after.keys():
        if before.get(index, 0) == after.get(index, 0):
            continue
        chunk, slot = divmod(index, ratio + 1)
        if slot < ratio:
            blocks.add(chunk * ratio + slot)
        else:
            partial = (p.index for p in layout.plans if p.state is State.PARTIAL)
            blocks.update(block for block in partial if block // ratio == chunk)
    disk = Span(0, max(old.virtual_size, new.virtual_size))
    spans = [Span(b * size, size).clip(disk) for b in blocks]
    low = min(old.virtual_size, new.virtual_size)
    return merge([s for s in spans if s is not None] + [Span(low, disk.size - low)])
