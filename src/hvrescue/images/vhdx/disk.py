"""The payload of one VHDX as extents: BAT pages and sector bitmaps, decoded in bulk."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from hvrescue.byteio.arrays import I64, U8, U64, Bools, distinct
from hvrescue.byteio.extents import Extents, State, extents, single, window
from hvrescue.byteio.source import ByteSource
from hvrescue.core.errors import Unreadable
from hvrescue.images.disk import Layer
from hvrescue.images.survey import Survey
from hvrescue.images.vhdx.bat import MIB_SHIFT, STATE_MASK
from hvrescue.images.vhdx.bat_survey import BatSurvey
from hvrescue.images.vhdx.layout import Block
from hvrescue.images.vhdx.survey import VhdxLayout

_SECTORS_AT_ONCE = 1 << 21
"""Sectors of partially present blocks expanded at once: 2 MiB of bits as bytes."""
_BLOCKS_AT_ONCE = 1 << 18


class VhdxLayer:
    """A VHDX whose survey found no reason to refuse it. Doubted blocks are UNKNOWN."""

    def __init__(self, source: ByteSource, bat: BatSurvey) -> None:
        self.source = source
        self.parameters = bat.table.parameters
        self.size = self.parameters.size
        self._bat = bat

    def extents(self, offset: int, size: int) -> Iterator[Extents]:
        """What this file says of [offset, offset+size), a bounded number of blocks at a time."""
        block, ratio = self.parameters.block_size, self.parameters.chunk_ratio
        end = offset + size
        step = max(1, _BLOCKS_AT_ONCE // ratio)
        last_chunk = (end - 1) // block // ratio
        for first_chunk in range(offset // block // ratio, last_chunk + 1, step):
            chunks = min(step, last_chunk + 1 - first_chunk)
            low = max(offset, first_chunk * ratio * block)
            high = min(end, (first_chunk + chunks) * ratio * block)
            if low < high:
                yield from self._chunks(first_chunk, chunks, low, high)

    def _chunks(self, first_chunk: int, chunks: int, low: int, high: int) -> Iterator[Extents]:
        block = self.parameters.block_size
        base = first_chunk * self.parameters.chunk_ratio
        try:
            entries = self._bat.table.page(first_chunk, chunks).entries
        except Unreadable:
            yield single(low, high - low, State.UNKNOWN)
            return
        first, last = low // block, (high - 1) // block
        entries = entries[first - base : last + 1 - base]
        state = self._states(entries, first)
        at = (entries >> MIB_SHIFT).astype(np.int64) << 20
        partial = (entries & STATE_MASK) == Block.PARTIALLY_PRESENT
        partial &= state == State.PRESENT
        if not partial.any():
            yield self._whole(first, low, high, state, at)
            return
        for a, b, mixed in _groups(partial, max(1, _SECTORS_AT_ONCE // (block // self.parameters.logical_sector))):
            inner_low, inner_high = max(low, (first + a) * block), min(high, (first + b) * block)
            if mixed:
                yield self._mixed(first + a, inner_low, inner_high, at[a:b])
            else:
                yield self._whole(first + a, inner_low, inner_high, state[a:b], at[a:b])

    def _states(self, entries: U64, first: int) -> U8:
        absent = State.PARENT if self.parameters.has_parent else State.ZERO
        meaning = np.full(8, State.ZERO, np.uint8)
        meaning[Block.NOT_PRESENT] = absent
        meaning[[4, 5]] = State.UNKNOWN
        meaning[Block.FULLY_PRESENT] = meaning[Block.PARTIALLY_PRESENT] = State.PRESENT
        state: U8 = meaning[entries & STATE_MASK]
        doubt = self._bat.doubt.within(first, entries.size)
        if doubt is not None:
            state[doubt] = State.UNKNOWN
        return state

    def _whole(self, first: int, low: int, high: int, state: U8, at: I64) -> Extents:
        block = self.parameters.block_size
        start = (np.arange(state.size, dtype=np.int64) + first) * block
        at = at.copy()
        at[0] += low - start[0]
        start[0] = low
        return extents(start, high, state, at)

    def _mixed(self, first: int, low: int, high: int, at: I64) -> Extents:
        """Partially present blocks of one run: one bit a sector, least significant first; 0 is the parent's."""
        sector, block = self.parameters.logical_sector, self.parameters.block_size
        per_block = block // sector
        flat = self._sector_states(first, at.size, per_block)
        # A piece begins where the state changes and at each block's start, for blocks lie anywhere in the file.
        begins = np.flatnonzero(np.diff(flat, prepend=np.uint8(255)) != 0)
        begins = distinct(np.concatenate((begins, np.arange(at.size) * per_block)))
        start = begins * sector + first * block
        places = at[begins // per_block] + begins % per_block * sector
        whole = extents(start, (first + at.size) * block, flat[begins], places)
        return window(whole, low, high)

    def _sector_states(self, first: int, blocks: int, per_block: int) -> U8:
        """PRESENT, PARENT or (no bitmap) UNKNOWN for each sector of a run of blocks."""
        ratio = self.parameters.chunk_ratio
        parts = []
        for chunk in range(first // ratio, (first + blocks - 1) // ratio + 1):
            low, high = max(first, chunk * ratio), min(first + blocks, (chunk + 1) * ratio)
            sectors = (high - low) * per_block
            place = self._bat.bitmaps.get(chunk)
            if place is None:
                parts.append(np.full(sectors, State.UNKNOWN, np.uint8))
                continue
            try:
                packed = self.source.pread(place + (low - chunk * ratio) * per_block // 8, sectors // 8)
            except Unreadable:
                parts.append(np.full(sectors, State.UNKNOWN, np.uint8))
                continue
            bits = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")
            parts.append(np.where(bits, np.uint8(State.PRESENT), np.uint8(State.PARENT)))
        return np.concatenate(parts)


def _groups(partial: Bools, most: int) -> Iterator[tuple[int, int, bool]]:
    """Runs of blocks that are partially present, or not; runs of the former cut to ``most`` blocks."""
    edges = [0, *(np.flatnonzero(np.diff(partial)) + 1).tolist(), partial.size]
    for a, b in pairwise(edges):
        if not partial[a]:
            yield a, b, False
            continue
        for low in range(a, b, most):
            yield low, min(b, low + most), True


def layer_of(survey: Survey[VhdxLayout]) -> Layer:
    """The layer of a survey without refusal."""
    layout = survey.layout
    if layout.log is None or layout.bat is None:
        raise survey.refusal or ValueError(survey.source.name)
    return VhdxLayer(layout.log.content, layout.bat)
