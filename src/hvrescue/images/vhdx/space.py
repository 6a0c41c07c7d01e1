"""Who owns which MiB of the file: overlaps, and room that nobody owns (X14, X18, X19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from hvrescue.byteio.arrays import I64, U8, distinct
from hvrescue.core.limits import MIB
from hvrescue.core.words import Where

_PAYLOAD, _ANCHOR = 1, 2
_WINDOW = 1 << 17
_MAX_GAPS = 4096
_NONE = np.empty(0, np.int64)


class Span(NamedTuple):
    """A structure's room in the file, in MiB: [start, end)."""

    name: str
    start: int
    end: int
    entry: Where | None = None
    """Where the file says so."""


class Room(NamedTuple):
    """What a walk over the file's room showed, in MiB.

    ``crowded``: starts of payload blocks that reach into each other. ``roomy``: behind every payload block a
    whole further block of room is free. ``gaps``: (start, length) that nobody owns, capped; ``unowned``: all.
    """

    blocks: int
    crowded: I64
    roomy: bool
    gaps: tuple[tuple[int, int], ...]
    unowned: int


@dataclass
class Space:
    """One byte per MiB of the file, marked where a block starts; ``block`` is a block's length in MiB."""

    file_size: int
    block: int
    spans: Sequence[Span]
    starts: U8 = field(init=False)
    anchors: bool = False
    """Whether there are any."""

    def __post_init__(self) -> None:
        self.starts = np.zeros(-(-self.file_size // MIB) + 1, np.uint8)

    def claim(self, at: I64) -> None:
        """Payload blocks start here; all inside the file."""
        if self.anchors:
            self.starts[at] |= np.uint8(_PAYLOAD)
        else:
            self.starts[at] = _PAYLOAD

    def anchor(self, at: I64) -> None:
        """Blocks without content keep this room; all inside the file."""
        self.starts[at] |= np.uint8(_ANCHOR)
        self.anchors = self.anchors or at.size > 0

    def anchored(self) -> I64:
        """Starts that a payload block shares with room kept for another block."""
        return np.flatnonzero(self.starts == _PAYLOAD | _ANCHOR) if self.anchors else np.empty(0, np.int64)

    def is_free(self, start: int, length: int) -> bool:
        """Whether no structure lies in [start, start + length)."""
        return not any(start < span.end and span.start < start + length for span in self.spans)

    def could_hold(self, start: int) -> bool:
        """Whether a whole block could lie there: inside the file, and no structure in its way."""
        return (start + self.block) * MIB <= self.file_size and self.is_free(start, self.block)

    def touching(self, span: Span) -> I64:
        """Payload starts whose block reaches into a structure."""
        low = max(0, span.start - self.block + 1)
        return np.flatnonzero(self.starts[low : span.end] & _PAYLOAD) + low

    def walk(self, bitmaps: I64) -> Room:
        """One pass over the room, a window at a time; ``bitmaps`` are starts of bitmap blocks, 1 MiB each."""
        end = self.file_size // MIB
        fixed = np.array([(span.start, span.end) for span in self.spans], np.int64).reshape(-1, 2)
        fixed = np.concatenate((fixed, np.stack((bitmaps, bitmaps + 1), axis=1)))
        gaps: list[tuple[int, int]] = []
        crowded: list[I64] = []
        blocks, unowned, roomy, free_from, previous = 0, 0, True, 0, _NONE
        for low in range(0, end, _WINDOW):
            high = min(end, low + _WINDOW)
            seen = _Window(self, low, high)
            crowded.append(seen.crowded(previous))
            blocks += seen.blocks
            free, free_from = seen.free(free_from, last=high == end)
            free = _without(free, fixed)
            unowned += int((free[:, 1] - free[:, 0]).sum())
            gaps += [(start, stop - start) for start, stop in free[: _MAX_GAPS - len(gaps)].tolist()]
            roomy = roomy and seen.roomy(free, end)
            if self.block > 1 and seen.starts.size:
                previous = seen.starts[-1:]
        found = distinct(np.concatenate(crowded)) if crowded else _NONE
        return Room(blocks, found, roomy and blocks > 0, tuple(gaps), unowned)


class _Window:
    """The blocks that start in [low, high), found once and looked at from several sides."""

    def __init__(self, space: Space, low: int, high: int) -> None:
        self.marks = space.starts[low:high]
        self.low, self.high, self.block = low, high, space.block
        self._space = space

    @cached_property
    def starts(self) -> I64:
        """Where anything starts."""
        return np.flatnonzero(self.marks != 0) + self.low

    @cached_property
    def steps(self) -> I64:
        """From each start to the next."""
        return np.diff(self.starts)

    @cached_property
    def payload(self) -> I64:
        """Where payload blocks start."""
        return np.flatnonzero((self.marks & _PAYLOAD) != 0) + self.low if self._space.anchors else self.starts

    @cached_property
    def blocks(self) -> int:
        """How many payload blocks start here."""
        return int(np.count_nonzero((self.marks & _PAYLOAD if self._space.anchors else self.marks).view(np.bool_)))

    def crowded(self, previous: I64) -> I64:
        """Payload starts that reach into another block's room, or another block into theirs."""
        if self.block == 1:
            return _NONE
        first = self.starts[:1] - previous if previous.size else _NONE
        if self.steps.min(initial=self.block) >= self.block and first.min(initial=self.block) >= self.block:
            return _NONE
        starts = np.concatenate((previous, self.starts))
        near = np.flatnonzero(np.diff(starts) < self.block)
        both: I64 = distinct(np.concatenate((starts[near], starts[near + 1])))
        mine: I64 = both[(self._space.starts[both] & _PAYLOAD) != 0]
        return mine

    def free(self, free_from: int, *, last: bool) -> tuple[I64, int]:
        """Rows [start, stop) that no block takes, and from where on it is still open."""
        if self.block == 1:
            if self.marks.all():
                return _NONE.reshape(-1, 2), self.high
            edges = np.flatnonzero(np.diff(self.marks != 0, prepend=True, append=True)) + self.low
            return edges.reshape(-1, 2), self.high
        if not self.starts.size:
            open_end = np.array([[free_from, self.high]], np.int64)
            return (open_end if last and free_from < self.high else open_end[:0]), free_from
        after = self.starts + self.block
        wide = np.flatnonzero(self.steps > self.block)
        rows = [(free_from, int(self.starts[0]))] if free_from < int(self.starts[0]) else []
        ends = [(int(after[-1]), self.high)] if last and after[-1] < self.high else []
        outer = [np.array(part, np.int64).reshape(-1, 2) for part in (rows, ends)]
        between = np.stack((after[wide], self.starts[wide + 1]), axis=1)
        return np.concatenate((outer[0], between, outer[1])), int(after[-1])

    def roomy(self, free: I64, end: int) -> bool:
        """Whether each payload block has a free block's length right behind it."""
        if self.blocks == 0 or not free.size:
            return self.blocks == 0
        if self.steps.min(initial=2 * self.block) < 2 * self.block:
            return False
        behind = self.payload + self.block
        row = np.searchsorted(free[:, 0], behind, side="right") - 1
        inside = (row >= 0) & (behind + self.block <= free[np.maximum(row, 0), 1])
        # The last block's room may reach into the next window.
        return bool(inside[:-1].all()) and bool(inside[-1] or behind[-1] + self.block > self.high < end)


def _without(free: I64, taken: I64) -> I64:
    """The rows of ``free`` minus the rows of ``taken``, which may overlap each other."""
    if not free.size or not taken.size:
        return free
    taken = taken[(taken[:, 1] > free[0, 0]) & (taken[:, 0] < free[-1, 1])]
    if not taken.size:
        return free
    at = np.concatenate((free[:, 0], free[:, 1], taken[:, 0], taken[:, 1]))
    opens = np.repeat([1, -1, 0, 0], [len(free), len(free), len(taken), len(taken)])
    covers = np.repeat([0, 0, 1, -1], [len(free), len(free), len(taken), len(taken)])
    order = np.argsort(at, kind="stable")
    at = at[order]
    is_free = (np.cumsum(opens[order]) > 0) & (np.cumsum(covers[order]) == 0)
    keep = is_free[:-1] & (at[1:] > at[:-1])
    rows: I64 = np.stack((at[:-1][keep], at[1:][keep]), axis=1)
    return rows
