"""Decide where everything lies in a VHDX file (spec 1.1, observed placement; spec 1.3, block sizes)."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .model import MIB, Span, round_up
from .vhdx_codec import Geometry
from .vhdx_spec import BlockPlan, Kind, State, Style, VhdxSpec


@dataclass(frozen=True)
class Home:
    """The place of a block (or of a chunk's bitmap) in the file."""

    number: int
    offset: int


@dataclass(frozen=True)
class Layout:
    """File ranges of all structures, before any byte is written."""

    geometry: Geometry
    plans: tuple[BlockPlan, ...]
    log: Span
    metadata: Span
    bat: Span
    homes: tuple[Home, ...]
    """Payload blocks in the order of their allocation."""
    bitmaps: tuple[Home, ...]
    orphans: tuple[Span, ...]
    end: int

    def home(self, block: int) -> int:
        """File offset of a payload block, 0 when it has none."""
        return next((h.offset for h in self.homes if h.number == block), 0)


def all_plans(spec: VhdxSpec, geometry: Geometry) -> tuple[BlockPlan, ...]:
    """The block map; a fixed disk has every block in state 6 (spec 1.3)."""
    plans = {plan.index: plan for plan in spec.blocks}
    if spec.kind is Kind.FIXED:
        for index in range(geometry.blocks):
            plans.setdefault(index, BlockPlan(index, State.FULL))
    return tuple(plans[index] for index in sorted(plans) if index < geometry.blocks)


def plan_layout(spec: VhdxSpec) -> Layout:
    """Place regions by style and payload in a shuffled order."""
    geometry = Geometry(spec.virtual_size, spec.block_size, spec.logical, spec.kind is Kind.DIFFERENCING)
    plans = all_plans(spec, geometry)
    log = Span(MIB, spec.log.length)
    bat_size = round_up(geometry.entries * 8, MIB)
    if spec.style is Style.QEMU:
        bat = Span(log.end, bat_size)
        meta = Span(bat.end, MIB)
        position = meta.end
    else:
        meta = Span(log.end, MIB)
        bat = Span(meta.end, bat_size)
        position = bat.end
    order = [p for p in plans if p.state in (State.FULL, State.PARTIAL) or p.anchored]
    if spec.shuffle and spec.kind is not Kind.FIXED:
        random.Random(spec.seed).shuffle(order)
    chunks = {p.index // geometry.ratio for p in plans if p.state is State.PARTIAL}
    homes: list[Home] = []
    bitmaps: list[Home] = []
    orphans: list[Span] = []
    step = max(len(order) // (spec.orphans + 1), 1)
    for rank, plan in enumerate(order):
        chunk = plan.index // geometry.ratio
        if chunk in chunks:
            chunks.discard(chunk)
            bitmaps.append(Home(chunk, position))
            position += MIB
        if rank and rank % step == 0 and len(orphans) < spec.orphans:
            orphans.append(Span(position, spec.block_size))
            position += spec.block_size
        homes.append(Home(plan.index, position))
        position += spec.block_size
    while len(orphans) < spec.orphans:
        orphans.append(Span(position, spec.block_size))
        position += spec.block_size
    return Layout(geometry, plans, log, meta, bat, tuple(homes), tuple(bitmaps), tuple(orphans), position)
