"""What our writer writes, our survey finds healthy and our layer reads right."""

from __future__ import annotations

import random
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvrescue.byteio.extents import State
from hvrescue.byteio.source import MemorySource
from hvrescue.core.context import QUIET
from hvrescue.core.words import Verdict
from hvrescue.images.vhd import survey as vhd
from hvrescue.images.vhd.describe import describe
from hvrescue.images.vhd.write import Parent, write_differencing, write_dynamic, write_fixed

from .build import (
    BASE_ID,
    BLOCK,
    CHILD_ID,
    PARENT,
    SIZE,
    blocks,
    child_recipe,
    codes,
    disk,
    guest,
    guest_of,
    pattern,
    read,
    recipe,
    survey,
)

SECTORS = SIZE // 512


@pytest.mark.parametrize("numbers", [(), (0,), (20,), (0, 1, 2, 3), (20, 3, 7, 0), tuple(range(21))])
def test_dynamic(tmp_path: Path, numbers: tuple[int, ...]) -> None:
    data = blocks(*numbers)
    write_dynamic(tmp_path / "a.vhd", recipe(), data)
    found = survey(tmp_path / "a.vhd")
    assert (found.verdict, found.findings, found.not_looked) == (Verdict.HEALTHY, (), ())
    assert read(found) == guest_of(data)
    assert found.identity is not None
    assert (found.identity.kind, found.identity.link, found.identity.block_size) == ("dynamic", BASE_ID, BLOCK)
    assert found.parent is None


def test_blocks_lie_aligned_and_in_order(tmp_path: Path) -> None:
    write_dynamic(tmp_path / "a.vhd", recipe(), blocks(9, 2))
    table = survey(tmp_path / "a.vhd").layout.table
    assert table is not None
    starts = table.starts(table.believed()).tolist()
    assert starts[0] > starts[1]
    assert all((start + 512) % 4096 == 0 for start in starts)


def test_zeros_take_no_room(tmp_path: Path) -> None:
    write_dynamic(tmp_path / "a.vhd", recipe(), {0: bytes(BLOCK), 5: bytes(BLOCK)})
    assert (tmp_path / "a.vhd").stat().st_size < BLOCK


@pytest.mark.parametrize("block_size", [4 << 10, 512 << 10, 1 << 20, 2 << 20, 4 << 20])
def test_block_sizes(tmp_path: Path, block_size: int) -> None:
    size = 7 * block_size + 512
    data = {n: pattern(n, min(block_size, size - n * block_size)) for n in (1, 7, 3)}
    write_dynamic(tmp_path / "a.vhd", recipe(size, block_size), data)
    found = survey(tmp_path / "a.vhd")
    assert found.findings == ()
    assert read(found) == guest_of(data, size, block_size)


def test_fixed(tmp_path: Path) -> None:
    pieces = [(512, pattern(1, 700)), (SIZE - 5, b"ending"[:5]), (512, b"again")]
    write_fixed(tmp_path / "a.vhd", recipe(), pieces)
    found = survey(tmp_path / "a.vhd")
    assert found.findings == ()
    assert read(found) == guest(pieces)
    assert found.identity is not None
    assert found.identity.kind == "fixed"


def test_child_without_content_is_its_parent(tmp_path: Path) -> None:
    data = blocks(0, 4, 20)
    write_dynamic(tmp_path / "base.vhd", recipe(), data)
    write_differencing(tmp_path / "child.avhd", child_recipe(), PARENT, [])
    child, base = survey(tmp_path / "child.avhd"), survey(tmp_path / "base.vhd")
    assert child.findings == ()
    assert read(child, base) == read(base) == guest_of(data)
    assert child.parent is not None
    assert child.parent.accepted == (BASE_ID,)
    assert child.parent.paths == (("relative_path", r".\base.vhd"), ("absolute_win32_path", r"C:\VMs\base.vhd"))
    assert child.parent.written == 0


def test_child_zeros_hide_the_parent(tmp_path: Path) -> None:
    write_fixed(tmp_path / "base.vhd", recipe(), [(0, pattern(3, SIZE))])
    own = [(512 * 3, bytes(512 * 2)), (BLOCK * 5, bytes(BLOCK))]
    write_differencing(tmp_path / "child.avhd", child_recipe(), PARENT, own)
    child = survey(tmp_path / "child.avhd")
    assert child.findings == ()
    assert read(child, survey(tmp_path / "base.vhd")) == guest(own, below=pattern(3, SIZE))


def test_the_parent_is_asked_sector_by_sector(tmp_path: Path) -> None:
    write_differencing(
        tmp_path / "c.avhd", child_recipe(), PARENT, [(512 * n, pattern(n, 512)) for n in (1, 9, 17, 130)]
    )
    runs = list(disk(survey(tmp_path / "c.avhd")).runs(0, SIZE))
    own = [(run.start // 512, run.length // 512) for run in runs if run.state == State.PRESENT]
    assert own == [(1, 1), (9, 1), (17, 1), (130, 1)]
    assert {run.state for run in runs} == {State.PRESENT, State.PARENT}


@given(st.data())
def test_any_dynamic_disk(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 64)) * 512
    block_size = data.draw(st.sampled_from([512, 1024, 4096, 8192]))
    count = -(-size // block_size)
    numbers = data.draw(st.permutations(range(count)))[: data.draw(st.integers(0, count))]
    content = {n: pattern(n, min(block_size, size - n * block_size)) for n in numbers}
    path = tmp_path_factory.mktemp("any") / "a.vhd"
    write_dynamic(path, recipe(size, block_size), content)
    found = survey(path)
    assert found.findings == ()
    unaligned(disk(found).pread, guest_of(content, size, block_size), data)


RUNS = st.lists(st.tuples(st.integers(0, SECTORS - 1), st.integers(1, 200)), max_size=8)


@given(RUNS, RUNS, st.data())
def test_any_chain(
    tmp_path_factory: pytest.TempPathFactory,
    below: list[tuple[int, int]],
    above: list[tuple[int, int]],
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("any")
    base = [pieces_of(n + 1, *run) for n, run in enumerate(below)]
    own = [pieces_of(n + 100, *run) for n, run in enumerate(above)]
    write_dynamic(folder / "base.vhd", recipe(), base)
    write_differencing(folder / "child.avhd", child_recipe(block_size=2 * BLOCK), PARENT, own)
    child, parent = survey(folder / "child.avhd"), survey(folder / "base.vhd")
    assert child.findings == parent.findings == ()
    unaligned(disk(child, parent).pread, guest(own, below=guest(base)), data)


def pieces_of(seed: int, sector: int, length: int) -> tuple[int, bytes]:
    return sector * 512, pattern(seed, min(length, SECTORS - sector) * 512)


def unaligned(pread, truth: bytes, data: st.DataObject) -> None:  # type: ignore[no-untyped-def]
    assert pread(0, len(truth)) == truth
    for _ in range(5):
        offset = data.draw(st.integers(0, len(truth)))
        length = data.draw(st.integers(0, len(truth) - offset))
        assert pread(offset, length) == truth[offset : offset + length]


def test_a_large_table_takes_no_time(tmp_path: Path) -> None:
    size, block_size = 2040 << 30, 512 << 10
    numbers = [*random.Random(1).sample(range(size // block_size), 20), size // block_size - 1]
    content = [(n * block_size, pattern(n, 512)) for n in numbers]
    write_dynamic(tmp_path / "a.vhd", recipe(size, block_size), content)
    found = survey(tmp_path / "a.vhd")
    assert found.findings == ()
    whole = disk(found)
    assert all(whole.pread(offset, 512) == data for offset, data in content)
    assert sum(len(batch) for batch in whole.extents(0, size)) < 100


def test_outside_and_odd_requests_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="outside the disk"):
        write_fixed(tmp_path / "a.vhd", recipe(), [(SIZE, b"x")])
    with pytest.raises(ValueError, match="no whole sectors"):
        write_differencing(tmp_path / "b.vhd", child_recipe(), PARENT, [(1, bytes(512))])
    with pytest.raises(ValueError, match="no size"):
        recipe(513)
    with pytest.raises(ValueError, match="no block size"):
        recipe(block_size=3 << 10)
    with pytest.raises(FileExistsError):
        write_fixed(tmp_path / "a.vhd", recipe(), [])


def test_link_and_sniff(tmp_path: Path) -> None:
    write_dynamic(tmp_path / "a.vhd", recipe(), {})
    found = survey(tmp_path / "a.vhd")
    assert vhd.sniff(found.source)
    assert vhd.link_of(found.source) == BASE_ID
    for size in (0, 1, 511, 512, 4096):
        nothing = MemorySource("a.vhd", bytes(size))
        assert not vhd.sniff(nothing)
        assert vhd.link_of(nothing) is None
        assert vhd.survey(nothing, QUIET).verdict == Verdict.UNREADABLE


def test_describe(tmp_path: Path) -> None:
    write_differencing(tmp_path / "c.avhd", child_recipe(), PARENT, [(0, pattern(1, 512))])
    fields = {f.name: f.value for f in describe(survey(tmp_path / "c.avhd"))}
    assert fields["UniqueId"] == str(CHILD_ID)
    assert fields["ParentUniqueId"] == str(BASE_ID)
    assert (fields["Blocks"], fields["Blocks present"]) == (21, 1)
    assert fields["CreatorApplication"] == "win 10.0"


def test_long_paths(tmp_path: Path) -> None:
    long = "C:\\" + "x" * 5000 + ".vhd"
    parent = Parent(UUID(int=7), long, long, "..\\" + long[3:])
    write_differencing(tmp_path / "c.avhd", child_recipe(), parent, blocks(2))
    found = survey(tmp_path / "c.avhd")
    assert found.parent is not None
    assert found.parent.paths[:2] == (("relative_path", parent.relative_path), ("absolute_win32_path", long))
    assert codes(found) == set()
