"""Build a valid VHD/AVHD byte by byte (spec section 2) together with its known truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .model import UNIT, Span, Structures, guid
from .pattern import POISON, units
from .sparse import Chunk, write_sparse
from .truth import BlockTruth, Layer, Source, Truth
from .vhd_codec import (
    ALL_ONES,
    CHS_CREATORS,
    MAXIMUM,
    DynamicHeader,
    Footer,
    geometry,
)
from .vhd_layout import VhdPlan
from .vhd_spec import VhdKind, VhdSpec
from .vhdx_layout import Home
from .vhdx_payload import around_runs, join
from .vhdx_spec import State


@dataclass(frozen=True)
class VhdImage:
    """A file that was built: where it is, what the guest must see, where each structure lies."""

    spec: VhdSpec
    path: Path
    size: int
    truth: Truth
    structures: Structures
    footer: Footer
    header: DynamicHeader | None
    homes: tuple[Home, ...]
    """Block starts (of the bitmap) in the order of their allocation."""
    stride: int
    bitmap_size: int
    parent: VhdImage | None

    @property
    def paths(self) -> tuple[Path, ...]:
        """This file, then its parents."""
        return (self.path,) if self.parent is None else (self.path, *self.parent.paths)

    @property
    def fully_known(self) -> bool:
        """True when every guest byte is defined."""
        return self.truth.fully_known

    def entry_span(self, block: int) -> Span:
        """File range of a BAT entry."""
        return Span(self.structures["bat"].offset + 4 * block, 4)

    def home(self, block: int) -> int:
        """File offset of a block (its bitmap)."""
        return next(h.offset for h in self.homes if h.number == block)

    def guest(self, block: int) -> Span:
        """Guest range of a block, cut at the disk's end."""
        span = Span(block * self.spec.block_size, self.spec.block_size)
        return span.clip(Span(0, self.truth.virtual_size)) or Span(span.offset, 0)


def guest_size(spec: VhdSpec) -> int:
    """Size rule by CreatorApp (spec 2.1): old creators count cylinders, heads and sectors."""
    chs = geometry(spec.virtual_size)
    return chs.size if spec.creator in CHS_CREATORS and chs != MAXIMUM else spec.virtual_size


def build_vhd(spec: VhdSpec, directory: Path, parent: VhdImage | None = None) -> VhdImage:
    """Write the file into ``directory`` and return its description."""
    fixed = spec.kind is VhdKind.FIXED
    footer = Footer(
        int(spec.kind),
        spec.virtual_size,
        geometry(spec.virtual_size),
        guid(spec.seed, "unique"),
        spec.creator,
        ALL_ONES if fixed else 512,
        saved_state=spec.saved_state,
    )
    layer = _layer(spec, parent)
    end = footer.pack()[: 511 if spec.short_footer else 512]
    path = directory / spec.name
    if fixed:
        homes = tuple(Home(b.index, b.index * spec.block_size) for b in spec.blocks)
        chunks = [*_payload(spec, layer, homes, 0), Chunk(spec.virtual_size, end)]
        size = spec.virtual_size + len(end)
        write_sparse(path, size, chunks)
        spans = Structures((("footer", Span(spec.virtual_size, len(end))),))
        return VhdImage(spec, path, size, Truth(layer), spans, footer, None, homes, 0, 0, parent)
    plan = VhdPlan.of(spec, parent.footer.unique if parent else None, parent.path.name if parent else "")
    chunks = [Chunk(0, footer.pack()), Chunk(512, plan.header.pack()), *plan.chunks(spec)]
    chunks += [*_payload(spec, layer, plan.homes, plan.bitmap), Chunk(plan.end, end)]
    size = plan.end + len(end)
    write_sparse(path, size, chunks)
    spans = plan.structures(spec, len(end))
    return VhdImage(
        spec,
        path,
        size,
        Truth(layer),
        spans,
        footer,
        plan.header,
        plan.homes,
        plan.stride,
        plan.bitmap,
        parent,
    )


def _layer(spec: VhdSpec, parent: VhdImage | None) -> Layer:
    child = spec.kind is VhdKind.DIFFERENCING
    partial = {plan.index for plan in spec.blocks if plan.state is State.PARTIAL}
    return Layer(
        guest_size(spec),
        spec.block_size,
        spec.seed,
        spec.layer,
        Source.PARENT if child else Source.ZERO,
        tuple(
            BlockTruth(plan.index, Source.PARTIAL if plan.index in partial else Source.DATA, plan.runs)
            for plan in spec.blocks
        ),
        parent.truth.top if parent else None,
    )


def _payload(spec: VhdSpec, layer: Layer, homes: tuple[Home, ...], bitmap: int) -> Iterator[Chunk]:
    per_block = spec.block_size // UNIT
    places = {home.number: home.offset + bitmap for home in homes}
    for block in layer.blocks:
        runs = block.runs if block.source is Source.PARTIAL else (Span(0, spec.block_size),)
        for run in runs:
            span = Span(block.index * spec.block_size + run.offset, run.size)
            for numbers, data in layer.units_of(span, span):
                local = numbers - block.index * per_block
                if spec.kind is VhdKind.FIXED:  # nothing may run into the footer
                    keep = numbers * UNIT < spec.virtual_size
                    yield from join(places[block.index], local[keep], data[keep])
                else:
                    yield from join(places[block.index], local, data)
        if block.source is Source.PARTIAL:
            around = around_runs(runs, per_block)
            poison = units(spec.seed, spec.layer | POISON, block.index, around)
            yield from join(places[block.index], around, poison)
