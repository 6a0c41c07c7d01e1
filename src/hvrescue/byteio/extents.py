"""Extents: which part of an address space lies where, as a numpy struct of arrays.

Sorted, gapless and merged, so that a 64 TiB disk in one piece is one row. All numbers are bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from hvrescue.byteio.arrays import I64, U8, U16, distinct


class State(IntEnum):
    """What is known of a range. PARENT occurs only inside one layer of a chain."""

    PRESENT = 0
    ZERO = 1
    PARENT = 2
    UNKNOWN = 3


class Run(NamedTuple):
    """One extent, for those who go one by one."""

    start: int
    length: int
    state: State
    layer: int
    at: int

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.start + self.length


@dataclass(frozen=True, slots=True)
class Extents:
    """Columns of equal length. ``at`` is the offset in the layer's source where PRESENT bytes lie (else 0)."""

    start: I64
    length: I64
    state: U8
    layer: U16
    at: I64

    def __len__(self) -> int:
        return int(self.start.size)

    def __iter__(self) -> Iterator[Run]:
        rows = zip(
            self.start.tolist(),
            self.length.tolist(),
            self.state.tolist(),
            self.layer.tolist(),
            self.at.tolist(),
            strict=True,
        )
        return (Run(s, n, State(k), layer, at) for s, n, k, layer, at in rows)

    @property
    def first(self) -> int:
        """First byte covered."""
        return int(self.start[0])

    @property
    def end(self) -> int:
        """First byte after the last extent."""
        return int(self.start[-1] + self.length[-1])


def extents(start: I64, end: int, state: U8, at: I64, layer: U16 | int = 0) -> Extents:
    """Merged extents from the sorted starts of gapless pieces that end at ``end``."""
    layers = np.full(start.size, layer, np.uint16) if isinstance(layer, int) else layer
    length = np.diff(start, append=np.int64(end))
    at = np.where(state == State.PRESENT, at, 0)
    layers = np.where(state == State.PRESENT, layers, np.uint16(0))
    if start.size > 1:
        same = (state[1:] == state[:-1]) & (layers[1:] == layers[:-1])
        joined = same & ((state[1:] != State.PRESENT) | (at[1:] == at[:-1] + length[:-1]))
        if joined.any():
            keep = np.concatenate(([True], ~joined))
            start, state, at, layers = start[keep], state[keep], at[keep], layers[keep]
            length = np.diff(start, append=np.int64(end))
    return Extents(start, length, state, layers, at)


def single(start: int, length: int, state: State, at: int = 0, layer: int = 0) -> Extents:
    """One extent."""
    column = np.array([start], np.int64)
    return extents(column, start + length, np.array([state], np.uint8), np.array([at], np.int64), layer)


def window(source: Extents, start: int, end: int) -> Extents:
    """The part of the extents inside [start, end)."""
    low = int(np.searchsorted(source.start, start, side="right")) - 1
    high = int(np.searchsorted(source.start, end, side="left"))
    starts = source.start[low:high].copy()
    at = source.at[low:high].copy()
    shift = start - int(starts[0])
    starts[0] = start
    if source.state[low] == State.PRESENT:
        at[0] += shift
    return extents(starts, end, source.state[low:high], at, source.layer[low:high])


def beneath(upper: Extents, lower: Extents) -> Extents:
    """Both cover the same range: where ``upper`` says PARENT, ``lower`` answers."""
    if not (upper.state == State.PARENT).any():
        return upper
    starts = distinct(np.concatenate((upper.start, lower.start)))
    u = np.searchsorted(upper.start, starts, side="right") - 1
    w = np.searchsorted(lower.start, starts, side="right") - 1
    through = upper.state[u] == State.PARENT
    state = np.where(through, lower.state[w], upper.state[u])
    layer = np.where(through, lower.layer[w], upper.layer[u])
    at = np.where(through, lower.at[w] + (starts - lower.start[w]), upper.at[u] + (starts - upper.start[u]))
    return extents(starts, upper.end, state, at, layer)


def coalesce(batches: Iterator[Extents]) -> Iterator[Run]:
    """Runs of all batches, joined where two batches touch."""
    last: Run | None = None
    for batch in batches:
        for run in batch:
            if (
                last is not None
                and run.state == last.state
                and run.layer == last.layer
                and (run.state != State.PRESENT or run.at == last.at + last.length)
            ):
                last = Run(last.start, last.length + run.length, last.state, last.layer, last.at)
                continue
            if last is not None:
                yield last
            last = run
    if last is not None:
        yield last
