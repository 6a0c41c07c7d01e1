"""One case for each finding about the dynamic header, the table, bitmaps and locators."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvrescue.byteio.extents import State
from hvrescue.byteio.source import MemorySource
from hvrescue.core.context import QUIET
from hvrescue.core.errors import Unreadable
from hvrescue.core.words import Severity, Verdict
from hvrescue.images.survey import Survey
from hvrescue.images.vhd import survey as vhd
from hvrescue.images.vhd.layout import ABSENT, HEADER_SUM
from hvrescue.images.vhd.survey import VhdLayout
from hvrescue.images.vhd.write import write_differencing, write_dynamic

from .build import (
    BASE_ID,
    BLOCK,
    PARENT,
    SIZE,
    Broken,
    Knife,
    blocks,
    child_recipe,
    codes,
    disk,
    finding,
    guest_of,
    pattern,
    read,
    recipe,
    survey,
)

DATA = blocks(0, 3, 4, 9, 20)


@pytest.fixture
def dynamic(tmp_path: Path) -> Knife:
    write_dynamic(tmp_path / "a.vhd", recipe(), DATA)
    return Knife(tmp_path / "a.vhd")


@pytest.fixture
def child(tmp_path: Path) -> Knife:
    own = [(n * BLOCK + 512 * 8, pattern(n, 512 * 40)) for n in (1, 2, 5)]
    write_differencing(tmp_path / "c.avhd", child_recipe(), PARENT, own)
    return Knife(tmp_path / "c.avhd")


def unknown(found: Survey[VhdLayout]) -> set[int]:
    """Blocks that read as UNKNOWN; all the others must be right."""
    whole, truth = disk(found), guest_of(DATA)
    lost = set()
    for n in range(21):
        offset, size = n * BLOCK, min(BLOCK, SIZE - n * BLOCK)
        try:
            assert whole.pread(offset, size) == truth[offset : offset + size]
        except Unreadable:
            lost.add(n)
    return lost


def refused(found: Survey[VhdLayout], code: str) -> bool:
    return found.refusal is not None and code in codes(found) and found.verdict == Verdict.UNREADABLE


def test_header_lost(dynamic: Knife) -> None:
    assert refused(dynamic.put(512, bytes(1024)).survey(), "VHD-HDR-001")


def test_header_cookie(dynamic: Knife) -> None:
    found = dynamic.put(512, b"C").survey()
    assert codes(found) == {"VHD-HDR-002"}
    assert read(found) == guest_of(DATA)


@pytest.mark.parametrize("at", [36, 39, 600, 1000])
def test_header_checksum_where_all_agrees(dynamic: Knife, at: int) -> None:
    found = dynamic.put(512 + at, b"\x99").survey()
    assert codes(found) == {"VHD-HDR-002"}
    assert read(found) == guest_of(DATA)


@pytest.mark.parametrize("at", [22, 23, 26, 30, 31, 33, 34, 45])
def test_header_checksum_where_something_does_not(dynamic: Knife, at: int) -> None:
    assert dynamic.put(512 + at, b"\x99").survey().refusal is not None


def test_header_checksum_with_one_block_and_free_room(tmp_path: Path) -> None:
    size = 300 * BLOCK
    write_dynamic(tmp_path / "a.vhd", recipe(size), {250: pattern(1, BLOCK), 1: pattern(1, BLOCK)})
    knife = Knife(tmp_path / "a.vhd").set_entry(1, ABSENT).put(512 + 36, b"\x11")
    assert refused(knife.survey(), "VHD-HDR-002")


def test_header_version(dynamic: Knife) -> None:
    assert codes(dynamic.header(24, b"\0\1\0\1").survey()) == {"VHD-HDR-003"}
    assert refused(dynamic.header(24, b"\0\2\0\0").survey(), "VHD-HDR-003")


def test_header_is_not_where_the_footer_says(dynamic: Knife) -> None:
    found = dynamic.both(16, (8192).to_bytes(8, "big")).survey()
    assert codes(found) == {"VHD-HDR-003"}
    assert finding(found, "VHD-HDR-003").severity == Severity.FATAL
    assert read(found) == guest_of(DATA)


@pytest.mark.parametrize("offset", [0, 512, 1024, 1537, 1 << 40, (1 << 64) - 512])
def test_table_offset(dynamic: Knife, offset: int) -> None:
    assert refused(dynamic.header(16, offset.to_bytes(8, "big")).survey(), "VHD-HDR-004")


def test_too_few_entries(dynamic: Knife) -> None:
    assert refused(dynamic.header(28, (20).to_bytes(4, "big")).survey(), "VHD-HDR-004")


@pytest.mark.parametrize("count", [5000, 20_000, 1 << 28, ABSENT])
def test_too_many_entries(dynamic: Knife, count: int) -> None:
    found = dynamic.header(28, count.to_bytes(4, "big")).survey()
    assert codes(found) == {"VHD-HDR-004"}
    assert read(found) == guest_of(DATA)


def test_more_entries_than_needed_are_normal(dynamic: Knife) -> None:
    assert dynamic.header(28, (100).to_bytes(4, "big")).survey().findings == ()


@pytest.mark.parametrize("size", [0, 1, 256, 3 << 20, (2 << 20) + 512, 0xFFFFFFFF])
def test_block_size_illegal(dynamic: Knife, size: int) -> None:
    assert refused(dynamic.header(32, size.to_bytes(4, "big")).survey(), "VHD-HDR-005")


def test_block_size_told_too_large(tmp_path: Path) -> None:
    write_dynamic(tmp_path / "a.vhd", recipe(), blocks(*range(10)))
    found = Knife(tmp_path / "a.vhd").header(32, (2 * BLOCK).to_bytes(4, "big")).survey()
    assert refused(found, "VHD-HDR-006")


def test_block_size_told_too_small(dynamic: Knife) -> None:
    found = dynamic.header(28, (200).to_bytes(4, "big")).header(32, (BLOCK // 2).to_bytes(4, "big")).survey()
    assert refused(found, "VHD-HDR-006")


def test_table_read_a_sector_too_late(tmp_path: Path) -> None:
    size = 300 * BLOCK
    for numbers in (range(5), range(100, 300, 50)):
        path = tmp_path / f"{numbers[0]}.vhd"
        write_dynamic(path, recipe(size), blocks(*numbers, size=size))
        knife = Knife(path)
        assert refused(knife.header(16, (knife.table + 512).to_bytes(8, "big")).survey(), "VHD-HDR-007")


def test_table_read_from_payload(dynamic: Knife) -> None:
    found = dynamic.header(16, (16 * 1024).to_bytes(8, "big")).survey()
    assert found.refusal is not None


def test_table_read_from_ones(tmp_path: Path) -> None:
    """Whatever is all ones looks like a table without blocks; the room full of data contradicts it."""
    write_dynamic(tmp_path / "a.vhd", recipe(), {2: b"\xff" * BLOCK, 3: pattern(1, BLOCK)})
    knife = Knife(tmp_path / "a.vhd")
    assert knife.header(16, (32 * 1024).to_bytes(8, "big")).survey().refusal is not None


def test_entry_outside_the_file(dynamic: Knife) -> None:
    for block, value in ((3, 0x7FFFFFFF), (20, dynamic.end // 512), (4, (dynamic.end - BLOCK) // 512)):
        found = Knife(dynamic.path).set_entry(block, value).survey()
        assert codes(found) - {"VHD-BAT-003"} == {"VHD-BAT-001"}
        assert unknown(found) == {block}


def test_two_blocks_in_one_place(dynamic: Knife) -> None:
    found = dynamic.set_entry(3, dynamic.entry(9)).survey()
    assert codes(found) - {"VHD-BAT-003"} == {"VHD-BAT-002"}
    assert unknown(found) == {3, 9}


def test_a_block_reaches_into_the_next(dynamic: Knife) -> None:
    found = dynamic.set_entry(3, dynamic.entry(3) + 8).survey()
    assert codes(found) - {"VHD-BAT-003"} == {"VHD-BAT-002"}
    assert unknown(found) == {3, 4}


def test_a_block_over_the_table(dynamic: Knife) -> None:
    found = dynamic.set_entry(3, 3).survey()
    assert codes(found) - {"VHD-BAT-003"} == {"VHD-BAT-002"}
    assert 3 in unknown(found)


def test_room_of_nobody(tmp_path: Path) -> None:
    block_size, size = 512 << 10, 8 * (512 << 10)
    data = {n: pattern(n, block_size) for n in (1, 2, 3)}
    write_dynamic(tmp_path / "a.vhd", recipe(size, block_size), data)
    found = Knife(tmp_path / "a.vhd").set_entry(2, ABSENT).survey()
    assert codes(found) == {"VHD-BAT-003"}
    assert finding(found, "VHD-BAT-003").args["slots"] == 1
    assert found.verdict == Verdict.HEALTHY


def test_padding(dynamic: Knife) -> None:
    found = dynamic.put(dynamic.table + 4 * 21, bytes(4)).survey()
    assert codes(found) == {"VHD-BAT-004"}
    assert read(found) == guest_of(DATA)


def test_entries_past_the_end(dynamic: Knife) -> None:
    found = dynamic.header(28, (100).to_bytes(4, "big")).set_entry(30, 9).survey()
    assert refused(found, "VHD-BAT-005")


def test_truncated(dynamic: Knife) -> None:
    del dynamic.data[dynamic.end - BLOCK * 3 // 2 :]
    found = dynamic.survey()
    assert codes(found) == {"VHD-FTR-001", "VHD-BAT-006"}
    assert unknown(found) == {9, 20}


def test_last_block_cut_where_the_disk_ends(tmp_path: Path) -> None:
    write_dynamic(tmp_path / "a.vhd", recipe(), DATA)
    knife = Knife(tmp_path / "a.vhd")
    footer = knife.data[knife.end :]
    del knife.data[knife.entry(20) * 512 + 512 + 3 * 512 :]
    knife.data += footer
    found = knife.survey()
    assert found.findings == ()
    assert read(found) == guest_of(DATA)


def test_table_without_blocks_in_a_full_file(dynamic: Knife) -> None:
    assert refused(dynamic.put(dynamic.table, b"\xff" * 84).survey(), "VHD-BAT-007")


def test_zeroed_entries(dynamic: Knife) -> None:
    found = dynamic.set_entry(3, 0).set_entry(5, 0).survey()
    assert codes(found) - {"VHD-BAT-003"} == {"VHD-BAT-008"}
    assert unknown(found) == {3, 5}


def test_unreadable_table(dynamic: Knife) -> None:
    source = Broken(MemorySource("a.vhd", dynamic.data), (dynamic.table, dynamic.table + 4))
    found = vhd.survey(source, QUIET)
    assert [n.where.structure for n in found.not_looked] == ["BAT"]
    assert unknown(found) == set(range(21))


def test_unreadable_part_of_a_table(tmp_path: Path) -> None:
    size = 3000 * 512
    write_dynamic(tmp_path / "a.vhd", recipe(size, 512), {n: pattern(n, 512) for n in (0, 1500, 2999)})
    plain = survey(tmp_path / "a.vhd")
    assert plain.layout.table is not None
    place = plain.layout.table.place(1500)
    found = vhd.survey(Broken(plain.source, (place, place + 4)), QUIET)
    states = {run.state for run in disk(found).runs(0, 512)} | {
        run.state for run in disk(found).runs(size - 512, 512)
    }
    assert states == {State.PRESENT}
    assert [run.state for run in disk(found).runs(1500 * 512, 512)] == [State.UNKNOWN]
    assert len(found.not_looked) == 1


def test_bitmap_of_zeros_over_data(child: Knife) -> None:
    at = child.entry(2) * 512
    found = child.put(at, bytes(512)).survey()
    assert codes(found) == {"VHD-BMP-001"}
    assert [run.state for run in disk(found).runs(2 * BLOCK, BLOCK)] == [State.UNKNOWN]
    empty = child.put(at + 512, bytes(BLOCK)).survey()
    assert empty.findings == ()


def test_bitmap_of_noise(tmp_path: Path) -> None:
    size, block_size = 4 << 20, 2 << 20
    write_differencing(tmp_path / "c.avhd", child_recipe(size, block_size), PARENT, [(0, pattern(1, 4096))])
    knife = Knife(tmp_path / "c.avhd")
    noise = bytes((n * n * 167 + n * 73 + (n >> 3) * 91) * 2654435761 >> 13 & 0xFF for n in range(512))
    assert codes(knife.put(knife.entry(0) * 512, noise).survey()) == {"VHD-BMP-001"}


def test_busy_bitmap_is_no_noise(tmp_path: Path) -> None:
    size, block_size = 4 << 20, 2 << 20
    own = [(n * 1024, pattern(n, 512)) for n in range(2048)]
    write_differencing(tmp_path / "c.avhd", child_recipe(size, block_size), PARENT, own)
    assert survey(tmp_path / "c.avhd").findings == ()


def test_unreadable_bitmap(child: Knife) -> None:
    at = child.entry(5) * 512
    found = vhd.survey(Broken(MemorySource("c.avhd", child.data), (at, at + 512)), QUIET)
    assert codes(found) == {"VHD-BMP-001"}
    assert len(found.not_looked) == 1
    assert [run.state for run in disk(found).runs(5 * BLOCK, BLOCK)] == [State.UNKNOWN]


def test_zeroed_bitmap_of_a_dynamic_disk(dynamic: Knife) -> None:
    found = dynamic.put(dynamic.entry(4) * 512, bytes(512)).survey()
    assert codes(found) == {"VHD-BMP-002"}
    assert found.verdict == Verdict.HEALTHY
    assert read(found) == guest_of(DATA)


def test_no_name_at_all(child: Knife) -> None:
    found = child.header(64, bytes(512)).header(576, bytes(192)).survey()
    assert codes(found) == {"VHD-LOC-001"}
    assert found.parent is not None
    assert (found.parent.accepted, found.parent.paths) == ((BASE_ID,), ())


@pytest.mark.parametrize(
    ("at", "new"),
    [(4 + 4, (1 << 20).to_bytes(4, "big")), (16, (1 << 40).to_bytes(8, "big")), (0, b"Wxyz"), (8, bytes(4))],
)
def test_locator_damaged(child: Knife, at: int, new: bytes) -> None:
    found = child.header(576 + at, new).survey()
    assert codes(found) == {"VHD-LOC-002"}
    assert found.parent is not None
    assert [kind for kind, _ in found.parent.paths] == ["relative_path", "absolute_win32_path"]


def test_name_alone(child: Knife) -> None:
    found = child.header(576, bytes(192)).survey()
    assert found.findings == ()
    assert found.parent is not None
    assert found.parent.paths == (("absolute_win32_path", PARENT.name),)


def test_header_of_a_child_without_checksum(child: Knife) -> None:
    found = child.put(512 + 36, b"\x12").survey()
    assert codes(found) == {"VHD-HDR-002"}
    assert child.sign(512, 1024, HEADER_SUM).survey().findings == ()
