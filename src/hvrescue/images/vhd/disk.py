"""The payload of one VHD as extents: BAT entries and sector bitmaps, decoded in bulk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hvrescue.byteio.arrays import I64, U8
from hvrescue.byteio.extents import Extents, State, extents, single, window
from hvrescue.byteio.source import ByteSource
from hvrescue.core.errors import Unreadable
from hvrescue.images.disk import FlatLayer, Layer
from hvrescue.images.survey import Survey
from hvrescue.images.vhd.bat import Table
from hvrescue.images.vhd.layout import ABSENT, SECTOR, Kind
from hvrescue.images.vhd.survey import VhdLayout

_SECTORS_AT_ONCE = 1 << 21
"""Sectors expanded at once: 2 MiB of bits as bytes."""
_BLOCKS_AT_ONCE = 1 << 18


class VhdLayer:
    """A dynamic or differencing VHD whose survey found no reason to refuse it. Doubted blocks are UNKNOWN."""

    def __init__(self, source: ByteSource, table: Table, kind: Kind) -> None:
        self.source = source
        self.size = table.size
        self._table = table
        self._block = table.header.block_size
        self._child = kind == Kind.DIFFERENCING

    def extents(self, offset: int, size: int) -> Iterator[Extents]:
        """What this file says of [offset, offset+size), a bounded number of blocks at a time."""
        end = offset + size
        most = max(1, _SECTORS_AT_ONCE // (self._block // SECTOR)) if self._child else _BLOCKS_AT_ONCE
        for first in range(offset // self._block, -(-end // self._block), most):
            last = min(first + most, -(-end // self._block))
            low, high = max(offset, first * self._block), min(end, last * self._block)
            state, at = self._blocks(first, last)
            if self._child and (state == State.PRESENT).any():
                yield self._by_bitmap(first, low, high, state, at)
            else:
                yield self._whole(first, low, high, state, at)

    def _blocks(self, first: int, last: int) -> tuple[U8, I64]:
        """State of each block, and where the data of present ones lies."""
        entries = self._table.entries[first:last]
        absent = State.PARENT if self._child else State.ZERO
        state = np.where(entries == ABSENT, np.uint8(absent), np.uint8(State.PRESENT))
        doubt = self._table.doubt.within(first, last - first)
        if doubt is not None:
            state[doubt] = State.UNKNOWN
        return state, entries.astype(np.int64) * SECTOR + self._table.header.bitmap_size

    def _whole(self, first: int, low: int, high: int, state: U8, at: I64) -> Extents:
        start = (np.arange(state.size, dtype=np.int64) + first) * self._block
        at = at.copy()
        at[0] += low - start[0]
        start[0] = low
        return extents(start, high, state, at)

    def _by_bitmap(self, first: int, low: int, high: int, state: U8, at: I64) -> Extents:
        """Sectors of a child's blocks: 1 is here, 0 is the parent's, most significant bit first."""
        per_block = self._block // SECTOR
        flat = np.repeat(state, per_block)
        for n in np.flatnonzero(state == State.PRESENT).tolist():
            flat[n * per_block : (n + 1) * per_block] = self._sectors(int(at[n]), per_block)
        # A piece begins where the state changes and at each block's start, for blocks lie anywhere in the file.
        change = np.diff(flat, prepend=np.uint8(255)) != 0
        change[::per_block] = True
        begins = np.flatnonzero(change)
        places = at[begins // per_block] + begins % per_block * SECTOR
        start = begins * SECTOR + first * self._block
        return window(extents(start, (first + state.size) * self._block, flat[begins], places), low, high)

    def _sectors(self, data_at: int, per_block: int) -> U8:
        size = self._table.header.bitmap_size
        try:
            packed = self.source.pread(data_at - size, -(-per_block // 8))
        except Unreadable:
            return np.full(per_block, State.UNKNOWN, np.uint8)
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=per_block)
        return np.where(bits, np.uint8(State.PRESENT), np.uint8(State.PARENT))


class CutLayer:
    """A fixed VHD whose file is shorter than its disk: what is missing is UNKNOWN."""

    def __init__(self, source: ByteSource, size: int, data_size: int) -> None:
        self.source, self.size, self._data_size = source, size, data_size

    def extents(self, offset: int, size: int) -> Iterator[Extents]:
        """The file's own holes as far as it goes."""
        inside = max(0, min(size, self._data_size - offset))
        if inside:
            yield self.source.holes(offset, inside)
        if inside < size:
            yield single(offset + inside, size - inside, State.UNKNOWN)


def layer_of(survey: Survey[VhdLayout]) -> Layer:
    """The layer of a survey without refusal. Guest bytes of a fixed disk stand at their own addresses."""
    layout = survey.layout
    if layout.footer is None:
        raise ValueError("a refused survey has no layer")
    if layout.table is not None:
        return VhdLayer(survey.source, layout.table, Kind(layout.footer.kind))
    size = layout.footer.guest_size
    if layout.data_size < size:
        return CutLayer(survey.source, size, layout.data_size)
    return FlatLayer(survey.source, size)
