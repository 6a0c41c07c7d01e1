"""The algebra of extents against a model that goes byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hvrescue.byteio.extents import Extents, Run, State, beneath, coalesce, extents, single, window

Byte = tuple[State, int, int]
"""State, layer, place; the last two count for PRESENT alone."""
LENGTH = 40
UNTIL = 1 << 42


@st.composite
def byte_maps(draw: st.DrawFn, length: int = LENGTH) -> list[Byte]:
    """What each byte of a range is: mostly runs, whose places go on or jump."""
    out: list[Byte] = []
    while len(out) < length:
        state = draw(st.sampled_from(list(State)))
        layer, at = draw(st.integers(0, 2)), draw(st.integers(0, 60))
        for n in range(draw(st.integers(1, 12))):
            out += [(state, layer, at + n) if state == State.PRESENT else (state, 0, 0)]
    return out[:length]


def build(model: list[Byte], first: int, cuts: set[int]) -> Extents:
    """Extents of the model, begun anew wherever a byte does not go on, and at arbitrary ``cuts``."""
    starts = [n for n in range(len(model)) if n == 0 or n in cuts or not _goes_on(model[n - 1], model[n])]
    column = [model[n] for n in starts]
    return extents(
        np.array([first + n for n in starts], np.int64),
        first + len(model),
        np.array([b[0] for b in column], np.uint8),
        np.array([b[2] for b in column], np.int64),
        np.array([b[1] for b in column], np.uint16),
    )


def _goes_on(one: Byte, two: Byte) -> bool:
    return one[:2] == two[:2] and (one[0] != State.PRESENT or two[2] == one[2] + 1)


def flat(runs: Iterator[Run] | Extents) -> list[Byte]:
    """Back to bytes."""
    out: list[Byte] = []
    for run in runs:
        there = run.state == State.PRESENT
        out += [(run.state, run.layer, run.at + n) if there else (run.state, 0, 0) for n in range(run.length)]
    return out


def is_canonical(e: Extents) -> None:
    """Sorted, gapless, merged, nothing empty."""
    runs = list(e)
    assert all(run.length > 0 for run in runs)
    for one, two in pairwise(runs):
        assert one.end == two.start
        same = one.state == two.state and one.layer == two.layer
        assert not (same and (one.state != State.PRESENT or one.at + one.length == two.at))


CUTS = st.sets(st.integers(0, LENGTH))
FIRST = st.integers(0, 100) | st.integers(UNTIL, UNTIL + 9)


@given(byte_maps(), FIRST, CUTS)
def test_extents_say_what_the_bytes_say(model: list[Byte], first: int, cuts: set[int]) -> None:
    e = build(model, first, cuts)
    assert flat(e) == model
    assert (e.first, e.end, len(e)) == (first, first + LENGTH, len(list(e)))
    is_canonical(e)


@given(byte_maps(), FIRST, CUTS, st.data())
def test_a_window_is_a_slice(model: list[Byte], first: int, cuts: set[int], data: st.DataObject) -> None:
    low = data.draw(st.integers(0, LENGTH - 1))
    high = data.draw(st.integers(low + 1, LENGTH))
    part = window(build(model, first, cuts), first + low, first + high)
    assert flat(part) == model[low:high]
    is_canonical(part)


@given(byte_maps(), byte_maps(), FIRST, CUTS, CUTS)
def test_beneath_answers_where_the_upper_asks(
    upper: list[Byte], lower: list[Byte], first: int, cuts: set[int], more: set[int]
) -> None:
    both = beneath(build(upper, first, cuts), build(lower, first, more))
    assert flat(both) == [low if up[0] == State.PARENT else up for up, low in zip(upper, lower, strict=True)]
    is_canonical(both)


@given(byte_maps(), FIRST, st.sets(st.integers(1, LENGTH - 1)))
def test_coalesce_forgets_where_batches_ended(model: list[Byte], first: int, cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), LENGTH]
    batches = [build(model[a:b], first + a, set()) for a, b in pairwise(edges)]
    runs = list(coalesce(iter(batches)))
    assert flat(iter(runs)) == model
    assert runs == list(build(model, first, set()))


@given(st.integers(0, UNTIL), st.integers(1, UNTIL), st.sampled_from(list(State)), st.integers(0, UNTIL))
def test_single(start: int, length: int, state: State, at: int) -> None:
    assert list(single(start, length, state, at)) == [
        Run(start, length, state, 0, at if state == State.PRESENT else 0)
    ]


def test_coalesce_of_nothing() -> None:
    assert list(coalesce(iter(()))) == []
