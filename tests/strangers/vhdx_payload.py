"""Payload bytes of a VHDX file: blocks, and poison in all places the guest must not see."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from .model import UNIT, Span, noise
from .pattern import POISON, Bytes, Numbers, units, written
from .sparse import Chunk
from .truth import Layer, Source
from .vhdx_layout import Layout
from .vhdx_spec import VhdxSpec


def payload_chunks(spec: VhdxSpec, layout: Layout, layer: Layer) -> Iterator[Chunk]:
    """Guest data where it belongs, poison where the guest must never look."""
    per_block = spec.block_size // UNIT
    everything = np.arange(per_block, dtype=np.int64)
    edges = everything[written(0, everything, 0, per_block - 1)]
    places = {home.number: home.offset for home in layout.homes}
    for block in layer.blocks:
        home = places.get(block.index)
        if home is None:
            continue
        guest = Span(block.index * spec.block_size, spec.block_size)
        runs = block.runs if block.source is Source.PARTIAL else (Span(0, spec.block_size),)
        if block.source in (Source.DATA, Source.PARTIAL):
            for run in runs:
                span = Span(guest.offset + run.offset, run.size)
                for numbers, data in layer.units_of(span, span):
                    yield from join(home, numbers - block.index * per_block, data)
            around = around_runs(runs, per_block) if block.source is Source.PARTIAL else everything[:0]
            poison = units(spec.seed, spec.layer | POISON, block.index, around)
            yield from join(home, around, poison)
        elif not spec.log.extend or home != layout.homes[-1].offset:
            yield from join(home, edges, units(spec.seed, spec.layer | POISON, block.index, edges))
    for n, span in enumerate(layout.orphans):
        yield from join(span.offset, edges, units(spec.seed, spec.layer | POISON, 0x100000 + n, edges))
    if spec.surplus_tail:
        yield Chunk(layout.end, noise(spec.seed, "tail", min(spec.surplus_tail, 4096)))


def around_runs(runs: tuple[Span, ...], per_block: int) -> Numbers:
    """Units just outside the runs: they hold poison, so a bitmap read one bit off is noticed."""
    mask = np.zeros(per_block, dtype=bool)
    for run in runs:
        low, high = run.offset // UNIT, run.end // UNIT
        mask[max(low - 8, 0) : low] = True
        mask[high : high + 8] = True
    for run in runs:
        mask[run.offset // UNIT : run.end // UNIT] = False
    return np.flatnonzero(mask).astype(np.int64)


def join(home: int, numbers: Numbers, data: Bytes) -> Iterator[Chunk]:
    """Neighbouring units become one write."""
    if not len(numbers):
        return
    breaks = np.flatnonzero(np.diff(numbers) != 1) + 1
    starts = [0, *breaks.tolist(), len(numbers)]
    for low, high in pairwise(starts):
        yield Chunk(home + int(numbers[low]) * UNIT, data[low:high].tobytes())
