"""Hold a reader's bytes against the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .model import UNIT, Span
from .pattern import describe
from .truth import Source, Truth

Read = Callable[[int, int], bytes]
"""``read(offset, size)``: may return fewer bytes, which counts as missing, not as wrong."""
STEP = 1 << 22


@dataclass(frozen=True)
class Difference:
    """How far a reader is off the truth."""

    wrong: int
    """Bytes that differ, outside the undefined ranges."""
    wrong_outside_lost: int
    """Those of them that lie outside the ranges the case declares lost."""
    missing: int
    """Bytes the reader did not deliver although it was asked for."""
    parent_shown: int
    """Bytes in the top layer's undefined blocks that show the parent, which spec 1.3 forbids."""
    first: str
    """The first wrong unit in words."""

    @property
    def right(self) -> bool:
        """True when all bytes came and were true."""
        return self.wrong == 0 and self.missing == 0 and self.parent_shown == 0


def steps(ranges: tuple[Span, ...], size: int = STEP) -> Iterator[Span]:
    """Cut ranges into pieces."""
    for span in ranges:
        for low in range(span.offset, span.end, size):
            yield Span(low, min(size, span.end - low))


def compare(
    truth: Truth, read: Read, *, lost: tuple[Span, ...] = (), ranges: tuple[Span, ...] | None = None
) -> Difference:
    """Read the ranges (by default ``truth.ranges()``) and count what is not true."""
    wrong = outside = missing = shown = 0
    first = ""
    for span in steps(truth.ranges() if ranges is None else ranges):
        got = read(span.offset, span.size)[: span.size]
        missing += span.size - len(got)
        want = truth(span.offset, len(got))
        shown += _shown(truth, span, got)
        if got == want:
            continue
        bad = np.frombuffer(got, dtype=np.uint8) != np.frombuffer(want, dtype=np.uint8)
        _clear(bad, span, truth.undefined)
        if not bad.any():
            continue
        if not first:
            at = int(np.argmax(bad)) // UNIT * UNIT
            is_, must = describe(got[at : at + UNIT]), describe(want[at : at + UNIT])
            first = f"guest byte {span.offset + at}: is {is_}; must be {must}"
        wrong += int(np.count_nonzero(bad))
        _clear(bad, span, lost)
        outside += int(np.count_nonzero(bad))
    return Difference(wrong, outside, missing, shown, first)


def _shown(truth: Truth, span: Span, got: bytes) -> int:
    """Count units in undefined blocks of the top layer that hold what the parent has there."""
    below = truth.top.parent
    if below is None:
        return 0
    count = 0
    for piece in truth.top.pieces_in(span):
        if piece.source is not Source.UNDEFINED or piece.depth:
            continue
        parent = Truth(below)
        end = min(piece.span.end, parent.virtual_size, span.offset + len(got))
        for at in range(piece.span.offset, end, UNIT):
            theirs = parent(at, min(UNIT, end - at))
            if any(theirs) and theirs == got[at - span.offset : at - span.offset + len(theirs)]:
                count += len(theirs)
    return count


def _clear(bad: np.ndarray[tuple[int], np.dtype[np.bool_]], span: Span, holes: tuple[Span, ...]) -> None:
    for hole in holes:
        part = hole.clip(span)
        if part is not None:
            bad[part.offset - span.offset : part.end - span.offset] = False
