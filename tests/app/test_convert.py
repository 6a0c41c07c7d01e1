"""Convert: exact, or refused; with damage allowed, zeros that are listed one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hvrescue.app.convert import Wish, convert_disk
from hvrescue.app.looking import look_at
from hvrescue.core.context import QUIET
from hvrescue.core.errors import FormatError, Refused, Unreadable
from hvrescue.core.limits import KIB, MIB
from hvrescue.images.chain import open_chain
from hvrescue.lab.damages import damage
from hvrescue.lab.guests import piece, write_base, write_child

SIZE = 24 * MIB


@pytest.fixture
def base(tmp_path: Path) -> Path:
    write_base(tmp_path / "base.vhdx", "b", SIZE, (0, 3, 7))
    return tmp_path / "base.vhdx"


def guest(blocks: tuple[int, ...], label: str = "b", within: int = 0) -> dict[int, bytes]:
    return {n * 2 * MIB + within: piece(label, n * 2 * MIB + within) for n in blocks}


def test_raw_holds_the_guest_and_keeps_holes(base: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.raw"
    assert convert_disk(base, Wish(target), {}, QUIET).exit_code == 0
    data = target.read_bytes()
    assert len(data) == SIZE
    for at, want in guest((3, 7)).items():
        assert data[at : at + len(want)] == want
    assert target.stat().st_blocks * 512 < SIZE // 2


def test_a_chain_becomes_one_new_vhdx(tmp_path: Path) -> None:
    link = write_base(tmp_path / "base.vhdx", "b", SIZE, (0, 3))
    write_child(tmp_path / "child.avhdx", "c", tmp_path / "base.vhdx", link, SIZE, (3, 9))
    target = tmp_path / "one.vhdx"
    assert convert_disk(tmp_path / "child.avhdx", Wish(target, block_size=MIB), {}, QUIET).exit_code == 0
    before = open_chain(look_at(tmp_path / "child.avhdx", {}, QUIET).chain)
    after = look_at(target, {}, QUIET)
    assert not after.survey.is_child
    assert open_chain(after.chain).pread(0, SIZE) == before.pread(0, SIZE)


def test_unknown_bytes_end_it_and_leave_nothing(base: Path, tmp_path: Path) -> None:
    damage("beyond-end").plant(base)
    with pytest.raises(Unreadable):
        convert_disk(base, Wish(tmp_path / "out.raw"), {}, QUIET)
    assert [p.name for p in tmp_path.iterdir()] == ["base.vhdx"]


def test_damage_allowed_is_listed_and_zero(base: Path, tmp_path: Path) -> None:
    damage("beyond-end").plant(base)
    target, holes = tmp_path / "out.raw", tmp_path / "holes.json"
    result = convert_disk(base, Wish(target, allow_damaged=True, hole_map=holes), {}, QUIET)
    assert result.exit_code == 1
    listed = json.loads(holes.read_text())
    assert listed["schema"] == "hvrescue/hole-map/1"
    assert listed["holes"] == [{"offset": 14 * MIB, "length": 2 * MIB, "reason": "structure"}]
    data = target.read_bytes()
    assert data[6 * MIB : 6 * MIB + 64 * KIB] == piece("b", 6 * MIB)
    assert not any(data[14 * MIB : 16 * MIB])


def test_without_its_parent_a_child_gives_only_its_own(tmp_path: Path) -> None:
    link = write_base(tmp_path / "base.vhdx", "b", SIZE, (0, 3))
    child, holes = tmp_path / "child.avhdx", tmp_path / "holes.json"
    write_child(child, "c", tmp_path / "base.vhdx", link, SIZE, (3,))
    (tmp_path / "base.vhdx").unlink()
    with pytest.raises(FormatError):
        convert_disk(child, Wish(tmp_path / "out.raw"), {}, QUIET)
    convert_disk(child, Wish(tmp_path / "out.raw", allow_damaged=True, hole_map=holes), {}, QUIET)
    own = 6 * MIB + 64 * KIB
    assert (tmp_path / "out.raw").read_bytes()[own : own + 64 * KIB] == piece("c", own)
    rows = json.loads(holes.read_text())["holes"]
    assert [(r["offset"], r["length"]) for r in rows] == [(0, own), (own + 64 * KIB, SIZE - own - 64 * KIB)]


def test_a_hole_map_is_not_written_over(base: Path, tmp_path: Path) -> None:
    holes = tmp_path / "holes.json"
    holes.write_text("mine")
    with pytest.raises(Refused):
        convert_disk(base, Wish(tmp_path / "out.raw", allow_damaged=True, hole_map=holes), {}, QUIET)
    assert holes.read_text() == "mine"
    assert not (tmp_path / "out.raw").exists()
