"""Law 5 over any mutation: each guest byte is right, or refused, or covered by a finding; and nothing raises."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import event, given, settings
from hypothesis import strategies as st

from hvrescue.byteio.extents import State
from hvrescue.core.errors import FormatError, Unreadable
from hvrescue.core.words import Severity, Verdict, worst
from hvrescue.images import formats
from hvrescue.images.chain import Chain, open_chain
from hvrescue.images.disk import VirtualDisk
from hvrescue.images.survey import Survey
from tests.properties.thin import Thin
from tests.properties.worlds import World, vhd_worlds, vhdx_worlds
from tests.properties.wounds import Wound, undetectable, wounds
from tests.strangers.model import Span

_STEP = 1 << 20


def pieces(disk: VirtualDisk, ranges: tuple[Span, ...]) -> Iterator[tuple[int, int]]:
    """(offset, size) of everything in the ranges that the disk says it knows."""
    for span in ranges:
        end = min(span.end, disk.size)
        for run in disk.runs(span.offset, end - span.offset) if end > span.offset else ():
            if run.state != State.UNKNOWN:
                for at in range(run.start, run.end, _STEP):
                    yield at, min(_STEP, run.end - at)


def wrong(world: World, disk: VirtualDisk, excused: tuple[Span, ...]) -> list[int]:
    """Guest offsets of sectors that are delivered although they are not the truth."""
    found: list[int] = []
    holes = (*world.truth.undefined, *excused)
    for at, size in pieces(disk, world.ranges()):
        try:
            got = disk.pread(at, size)
        except Unreadable:
            continue
        want = world.truth(at, size)
        if got == want:
            continue
        for sector in range(0, size, 512):
            there = Span(at + sector, min(512, size - sector))
            if got[sector : sector + 512] != want[sector : sector + 512] and not any(
                hole.offset <= there.offset and there.end <= hole.end for hole in holes
            ):
                found.append(there.offset)
    return found


def opened(survey: Survey[object], chain: Chain) -> VirtualDisk | None:
    formats.describe(survey)
    try:
        return open_chain(chain, allow_damaged=True)
    except FormatError:
        assert survey.verdict in (Verdict.UNREADABLE, Verdict.UNKNOWN)
        return None


def warned(survey: Survey[object], chain: Chain) -> bool:
    links = [f for link in chain.links for f in link.findings]
    return max(worst(survey.findings), worst(chain.findings), worst(tuple(links))) >= Severity.WARNING


def agree(world: World, source: Thin, inflicted: list[Wound]) -> None:
    survey, chain = world.with_leaf(source)
    disk = opened(survey, chain)
    if disk is None or warned(survey, chain):
        event("refused" if disk is None else "warned")
        if disk is not None:
            wrong(world, disk, ())  # reading must not raise anything but Unreadable
        return
    excused = undetectable(world, source, inflicted)
    event("harmless" if excused == () else "undetectable")
    if excused is not None:
        assert not wrong(world, disk, excused)


@settings(max_examples=60)
@given(vhdx_worlds(depth=3) | vhd_worlds(depth=3))
def test_what_a_stranger_wrote_is_healthy_and_read_right(world: World) -> None:
    survey, chain = world.with_leaf(world.sources[0])
    assert survey.verdict is Verdict.HEALTHY, survey.findings
    disk = opened(survey, chain)
    assert disk is not None and chain.broken is None
    assert not wrong(world, disk, ())


def damaged(world: World, data: st.DataObject, *, signed: bool = False) -> tuple[Thin, list[Wound]]:
    source = world.sources[0].copy()
    inflicted = data.draw(st.lists(wounds(world, signed=signed), min_size=1, max_size=3))
    for wound in inflicted:
        wound.inflict(source)
    return source, inflicted


@settings(max_examples=250)
@given(vhdx_worlds(), st.data())
def test_damaged_vhdx(world: World, data: st.DataObject) -> None:
    agree(world, *damaged(world, data))


@settings(max_examples=150)
@given(vhd_worlds(), st.data())
def test_damaged_vhd(world: World, data: st.DataObject) -> None:
    agree(world, *damaged(world, data))


@settings(max_examples=80)
@given(vhdx_worlds() | vhd_worlds(), st.data())
def test_cut_off(world: World, data: st.DataObject) -> None:
    """A file that ends too early. What is missing is payload or structure, and told in both cases."""
    source = world.sources[0].copy()
    edges = [e for _, span in world.leaf.structures.items for e in (span.offset, span.end)]
    source.cut(data.draw(st.sampled_from(edges) | st.integers(0, source.size)))
    agree(world, source, [])


@settings(max_examples=120)
@given(vhdx_worlds(), st.data())
def test_forged_vhdx(world: World, data: st.DataObject) -> None:
    """With checksums made right again anything may be said; it must be read without falling over."""
    source, _ = damaged(world, data, signed=True)
    survey, chain = world.with_leaf(source)
    disk = opened(survey, chain)
    if disk is not None:
        wrong(world, disk, ())
        last = max(0, disk.size - 4096)
        for offset in (last, last // 2 // 512 * 512):
            try:
                disk.pread(offset, min(4096, disk.size - offset))
            except Unreadable:
                continue
