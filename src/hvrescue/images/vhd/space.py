"""Who owns which bytes of the file: blocks in the order of their places, and the room between them (V7, V8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from hvrescue.byteio.arrays import I64, Bools, distinct
from hvrescue.core.limits import KIB
from hvrescue.images.vhd.layout import Header


@dataclass(frozen=True, slots=True)
class Span:
    """A structure's room in the file, in bytes: [start, end)."""

    name: str
    start: int
    end: int


@dataclass
class Space:
    """``starts``: where believed blocks begin, sorted, each once. ``limit``: where room for blocks ends."""

    header: Header
    starts: I64
    spans: Sequence[Span]
    limit: int
    _bounds: I64 = field(init=False)

    def __post_init__(self) -> None:
        self._bounds = np.array([*sorted(s.start for s in self.spans), np.iinfo(np.int64).max], np.int64)

    def crowded(self) -> tuple[I64, bool]:
        """Starts of blocks that reach into each other; and whether that is the rule, not the exception."""
        near = np.diff(self.starts) < self.header.slot
        hits = np.flatnonzero(near)
        found = distinct(np.concatenate((self.starts[hits], self.starts[hits + 1])))
        return found, bool(2 * hits.size > near.size)

    def touching(self, span: Span) -> I64:
        """Starts of blocks that reach into a structure."""
        low = np.searchsorted(self.starts, span.start - self.header.slot, side="right")
        return self.starts[low : np.searchsorted(self.starts, span.end, side="left")]

    def rooms(self) -> I64:
        """From each block's start to the next thing in the file."""
        following = self._bounds[np.searchsorted(self._bounds, self.starts, side="right")]
        room: I64 = np.minimum(np.append(self.starts[1:], self.limit), following) - self.starts
        return room

    def roomy(self) -> bool:
        """Whether every block has room for a block of twice its size: then the block size is told too small."""
        size = self.header.block_size
        doubled = replace(self.header, block_size=2 * size).slot
        return self.starts.size >= 2 and size >= _SMALL and bool((self.rooms() >= doubled).all())

    def regular(self) -> bool:
        """Whether the room proves the block size: two blocks follow each other at once, or all room is taken."""
        slot, rooms = self.header.slot, self.rooms()
        steps = np.diff(self.starts)
        follow = bool(steps.size) and slot <= int(steps.min()) < slot + _SMALL
        return follow or (bool(rooms.size) and slot <= int(rooms.min()) and int(rooms.max()) < slot + _SMALL)

    def gaps(self) -> I64:
        """Rows of (start, length) where a whole block would fit and nobody owns the room."""
        names = [(s.start, s.end) for s in self.spans] + [(self.limit, self.limit)]
        rows = np.array(names, np.int64)
        starts = np.concatenate((self.starts, rows[:, 0]))
        ends = np.concatenate((self.starts + self.header.slot, rows[:, 1]))
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], np.maximum.accumulate(ends[order])
        length = starts[1:] - ends[:-1]
        free = length >= max(self.header.slot, _RESERVE)
        return np.stack((ends[:-1][free], length[free]), axis=1)

    def off_stride(self) -> Bools:
        """Blocks that lie where no other block's distance to the first would put them."""
        few = np.zeros(self.starts.size, np.bool_)
        if self.starts.size < 3:
            return few
        slot = self.header.slot
        steps, count = np.unique(np.diff(self.starts), return_counts=True)
        odd = [self._alone(stride) for stride in (int(steps[np.argmax(count)]), slot, slot + -slot % _SMALL)]
        least = min(odd, key=lambda mask: int(mask.sum()))
        return few if least.all() else least

    def _alone(self, stride: int) -> Bools:
        phase = self.starts % stride
        phases, many = np.unique(phase, return_counts=True)
        alone: Bools = np.isin(phase, phases[many == 1])
        return alone


_RESERVE = 72 * KIB
"""Windows 10 keeps 64 KiB for the relative path, mostly unused; real blocks are larger by far."""
_SMALL = 4096
"""Windows 10 aligns blocks to 4 KiB, so that a gap below this says nothing."""
