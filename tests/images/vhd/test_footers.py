"""One case for each finding about footers, their fields and sizes."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvrescue.byteio.source import MemorySource
from hvrescue.core.context import QUIET
from hvrescue.core.words import Severity, Verdict
from hvrescue.images.vhd import survey as vhd
from hvrescue.images.vhd.layout import FOOTER_SUM, Chs, geometry
from hvrescue.images.vhd.write import Recipe, write_differencing, write_dynamic, write_fixed

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

DATA = blocks(0, 3, 4, 20)


@pytest.fixture
def dynamic(tmp_path: Path) -> Knife:
    write_dynamic(tmp_path / "a.vhd", recipe(), DATA)
    return Knife(tmp_path / "a.vhd")


@pytest.fixture
def fixed(tmp_path: Path) -> Knife:
    write_fixed(tmp_path / "f.vhd", recipe(), DATA)
    return Knife(tmp_path / "f.vhd")


def test_end_footer_wiped(dynamic: Knife) -> None:
    found = dynamic.put(dynamic.end, bytes(512)).survey()
    assert codes(found) == {"VHD-FTR-001"}
    assert finding(found, "VHD-FTR-001").severity == Severity.FATAL
    assert read(found) == guest_of(DATA)


def test_end_footer_cut_off(dynamic: Knife) -> None:
    del dynamic.data[dynamic.end :]
    found = dynamic.survey()
    assert codes(found) == {"VHD-FTR-001"}
    assert read(found) == guest_of(DATA)


@pytest.mark.parametrize("at", [0, 64, 100, 300])
def test_end_footer_damaged(dynamic: Knife, at: int) -> None:
    found = dynamic.put(dynamic.end + at, b"!").survey()
    assert codes(found) == {"VHD-FTR-001"}
    assert read(found) == guest_of(DATA)


@pytest.mark.parametrize("new", [bytes(512), b"!", pattern(5, 512)])
def test_copy_damaged(dynamic: Knife, new: bytes) -> None:
    found = dynamic.put(0, new).survey()
    assert codes(found) == {"VHD-FTR-002"}
    assert finding(found, "VHD-FTR-002").severity == Severity.WARNING
    assert read(found) == guest_of(DATA)


def test_copies_differ_in_what_does_not_matter(dynamic: Knife) -> None:
    found = dynamic.footer(68, bytes(range(16))).survey()
    assert codes(found) == {"VHD-FTR-002"}
    assert found.identity is not None
    assert found.identity.link.bytes == bytes(range(16))
    assert read(found) == guest_of(DATA)


def test_copies_differ_in_size_and_the_header_decides(dynamic: Knife) -> None:
    found = dynamic.footer(48, (SIZE * 4).to_bytes(8, "big")).survey()
    assert codes(found) == {"VHD-FTR-014"}
    assert read(found) == guest_of(DATA)


def test_copies_differ_and_nothing_decides(dynamic: Knife) -> None:
    found = dynamic.footer(48, (SIZE - 512).to_bytes(8, "big")).put(512, bytes(1024)).survey()
    assert found.refusal is not None
    assert "VHD-FTR-014" in codes(found)


def test_both_footers_lost(dynamic: Knife) -> None:
    found = dynamic.put(0, bytes(512)).put(dynamic.end, bytes(512)).survey()
    assert codes(found) == {"VHD-FTR-003"}
    assert found.verdict == Verdict.UNREADABLE


def test_fixed_without_footer(fixed: Knife) -> None:
    fixed.data[0x1FE:0x200] = b"\x55\xaa"
    del fixed.data[fixed.end :]
    source = MemorySource("a.vhd", fixed.data)
    assert not vhd.sniff(source)
    found = vhd.survey_without_footer(source, QUIET)
    assert codes(found) == {"VHD-FTR-004"}
    assert found.refusal is not None
    assert codes(vhd.survey(source, QUIET)) == {"VHD-FTR-004"}


@pytest.mark.parametrize("at", [64, 70, 90, 0])
def test_fixed_footer_damaged_but_its_fields_agree(fixed: Knife, at: int) -> None:
    found = fixed.put(fixed.end + at, b"\xf7").survey()
    assert codes(found) >= {"VHD-FTR-005"}
    assert finding(found, "VHD-FTR-005").severity == Severity.ERROR
    assert read(found) == guest_of(DATA)


@pytest.mark.parametrize("at", [12, 20, 50, 63])
def test_fixed_footer_damaged_in_what_matters(fixed: Knife, at: int) -> None:
    found = fixed.put(fixed.end + at, b"\xf7").survey()
    assert found.refusal is not None


def test_both_checksums_wrong_but_all_agrees(dynamic: Knife) -> None:
    found = dynamic.put(64, b"\0").put(dynamic.end + 64, b"\0").survey()
    assert codes(found) == {"VHD-FTR-005"}
    assert read(found) == guest_of(DATA)


def test_both_checksums_wrong_and_sizes_do_not_agree(dynamic: Knife) -> None:
    size = (SIZE + 512 * 17 * 4).to_bytes(8, "big")
    found = dynamic.put(48, size).put(dynamic.end + 48, size).survey()
    assert codes(found) == {"VHD-FTR-003"}


def test_saved_state(dynamic: Knife) -> None:
    found = dynamic.both(84, b"\1").survey()
    assert codes(found) == {"VHD-FTR-006"}
    assert read(found) == guest_of(DATA)


def test_geometry(dynamic: Knife) -> None:
    found = dynamic.both(56, b"\0\x10\4\x11").survey()
    assert codes(found) == {"VHD-FTR-007"}
    assert found.verdict == Verdict.HEALTHY
    assert read(found) == guest_of(DATA)


@pytest.mark.parametrize(
    ("field", "new", "severity"),
    [
        (8, b"\0\0\0\0", Severity.INFO),
        (8, b"\0\0\1\2", Severity.INFO),
        (200, b"x", Severity.INFO),
        (12, b"\0\1\0\1", Severity.WARNING),
        (12, b"\0\2\0\0", Severity.FATAL),
    ],
)
def test_version_features_reserved(dynamic: Knife, field: int, new: bytes, severity: Severity) -> None:
    found = dynamic.both(field, new).survey()
    assert codes(found) == {"VHD-FTR-008"}
    assert finding(found, "VHD-FTR-008").severity == severity
    assert (found.refusal is not None) == (severity == Severity.FATAL)


@pytest.mark.parametrize("junk", [b"x", b"\n\n", bytes(512), pattern(9, 5000), bytes(65_536)])
def test_data_after_the_footer(dynamic: Knife, fixed: Knife, junk: bytes) -> None:
    for knife in (dynamic, fixed):
        knife.data += junk
        found = knife.survey()
        assert codes(found) == {"VHD-FTR-009"}
        assert vhd.sniff(found.source)
        assert read(found) == guest_of(DATA)


def test_a_vhd_inside_a_fixed_vhd_is_not_its_footer(tmp_path: Path, fixed: Knife) -> None:
    """The guest's own files may end with a footer, but only the disk's own says the file's size."""
    write_fixed(tmp_path / "outer.vhd", recipe(40 * BLOCK), [(19 * BLOCK, bytes(fixed.data))])
    outer = Knife(tmp_path / "outer.vhd")
    del outer.data[outer.end :]
    assert not vhd.sniff(MemorySource("outer.vhd", outer.data))


@pytest.mark.parametrize("more", [512, -512 * 9])
def test_fixed_of_another_size(fixed: Knife, more: int) -> None:
    found = fixed.footer(48, (SIZE + more).to_bytes(8, "big")).footer(56, chs(SIZE + more)).survey()
    assert codes(found) == {"VHD-FTR-010"}
    whole = disk(found)
    assert whole.size == SIZE + more
    known = min(SIZE, SIZE + more)
    assert whole.pread(0, known) == guest_of(DATA)[:known]
    assert [run.length for run in whole.runs(0, whole.size) if run.state == 3] == ([512] if more > 0 else [])


def chs(size: int) -> bytes:
    g: Chs = geometry(size)
    return g.cylinders.to_bytes(2, "big") + bytes((g.heads, g.sectors))


@pytest.mark.parametrize("kind", [0, 1, 4, 5])
def test_kind(dynamic: Knife, kind: int) -> None:
    found = dynamic.both(60, kind.to_bytes(4, "big")).survey()
    assert found.refusal is not None
    assert codes(found) == {"VHD-FTR-011"}


def test_kind_fixed_with_a_dynamic_header(dynamic: Knife) -> None:
    found = dynamic.both(60, (2).to_bytes(4, "big")).survey()
    assert found.refusal is not None
    assert codes(found) >= {"VHD-FTR-011"}


def test_a_child_that_says_it_is_none(tmp_path: Path) -> None:
    write_differencing(tmp_path / "c.avhd", child_recipe(), PARENT, blocks(1))
    knife = Knife(tmp_path / "c.avhd").both(60, (3).to_bytes(4, "big"))
    assert codes(knife.survey()) == {"VHD-FTR-011"}
    orphan = knife.header(40, bytes(16)).survey()
    assert orphan.refusal is not None
    assert codes(orphan) == {"VHD-FTR-011"}


@pytest.mark.parametrize("size", [0, 100, (2040 << 30) + 512, 1 << 63])
def test_size(dynamic: Knife, size: int) -> None:
    found = dynamic.both(48, size.to_bytes(8, "big")).survey()
    assert found.refusal is not None
    assert codes(found) >= {"VHD-FTR-012"}


def test_checksum_without_id(dynamic: Knife) -> None:
    for at in (0, dynamic.end):
        dynamic.put(at + 68, bytes(16)).sign(at, 512, FOOTER_SUM).put(at + 68, BASE_ID.bytes)
    found = dynamic.survey()
    assert codes(found) == {"VHD-FTR-013"}
    assert read(found) == guest_of(DATA)


@pytest.mark.parametrize("creator", [b"vpc ", b"qemu", b"vs  "])
def test_old_creators_count_cylinders(tmp_path: Path, creator: bytes) -> None:
    size = 10_000 * 512
    write_dynamic(tmp_path / "a.vhd", Recipe(size, BASE_ID, BLOCK, creator=creator), {0: pattern(1, BLOCK)})
    found = survey(tmp_path / "a.vhd")
    assert found.findings == ()
    assert disk(found).size == geometry(size).size < size


def test_short_footer(dynamic: Knife, fixed: Knife) -> None:
    for knife in (dynamic, fixed):
        knife.data.pop()
        found = knife.survey()
        assert found.findings == ()
        assert read(found) == guest_of(DATA)


def test_unreadable_ends(dynamic: Knife) -> None:
    whole = MemorySource("a.vhd", dynamic.data)
    tail = vhd.survey(Broken(whole, (dynamic.end, len(dynamic.data))), QUIET)
    assert codes(tail) == {"VHD-FTR-001"}
    assert tail.not_looked
    head = Broken(whole, (0, 512))
    assert codes(vhd.survey(head, QUIET)) == {"VHD-FTR-002"}
    assert vhd.sniff(head)
    assert vhd.link_of(head) == BASE_ID
    nothing = vhd.survey(Broken(whole, (0, len(dynamic.data))), QUIET)
    assert nothing.refusal is not None
    assert nothing.not_looked
