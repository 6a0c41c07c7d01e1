"""Sizes and counts that lie: nothing is allocated or worked through because a file says so."""

from __future__ import annotations

import struct
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from hvrescue.core.limits import GIB, MIB, TIB
from hvrescue.images.vhd.layout import FOOTER_SUM, HEADER_SUM, checksum
from hvrescue.images.vhdx.layout import BAT_REGION, METADATA_REGION
from tests.hostile import forge
from tests.hostile.cli import Ran, child, forked, tidy
from tests.hostile.deep import guid, write_tiny
from tests.strangers.model import Span
from tests.strangers.sparse import Chunk, Editor
from tests.strangers.vhd_bases import vhd_base

HUGE = (1 << 62, 1 << 63, (1 << 64) - MIB, (1 << 64) - 1)
MEMORY = 1 << 30


def asked(path: Path, *, memory: int = MEMORY, seconds: int = 10) -> Ran:
    """Checked, mapped and read in little memory and time; whatever is said is said in one piece."""
    ran = tidy(forked("disk", "check", "--json", path, memory=memory, seconds=seconds))
    assert ran.code in (0, 1, 3), ran.both
    assert ran.data["schema"] in ("hvrescue/disk-check/1", "hvrescue/error/1")
    return ran


def codes(ran: Ran) -> set[str]:
    return {finding["code"] for finding in ran.data["findings"]}


@pytest.mark.parametrize("value", HUGE)
@pytest.mark.parametrize("field", ["bat", "metadata"])
def test_regions_far_outside(tmp_path: Path, field: str, value: int) -> None:
    places = {"bat": 2 * MIB, "metadata": MIB} | {field: value}
    entries = [(METADATA_REGION, places["metadata"], MIB, 1), (BAT_REGION, places["bat"], MIB, 1)]
    ran = asked(forge.write(tmp_path / "a.vhdx", table=forge.regions(entries)))
    assert ran.code == 1 and codes(ran) & {"VHDX-FILE-001", "VHDX-REG-008"}


def test_a_bat_of_four_gib(tmp_path: Path) -> None:
    """A region longer than the file, and one as long as a sparse file of this length."""
    entries = [(METADATA_REGION, MIB, MIB, 1), (BAT_REGION, 2 * MIB, (1 << 32) - MIB, 1)]
    ran = asked(forge.write(tmp_path / "a.vhdx", table=forge.regions(entries)))
    assert "VHDX-FILE-001" in codes(ran)
    ran = asked(forge.write(tmp_path / "b.vhdx", table=forge.regions(entries), size=5 * GIB))
    assert ran.data["verdict"] == "healthy"


@pytest.mark.parametrize("count", [2047, 2048, 0xFFFFFFFF])
def test_region_counts(tmp_path: Path, count: int) -> None:
    entries = [(METADATA_REGION, MIB, MIB, 1), (BAT_REGION, 2 * MIB, MIB, 1)]
    entries += [(UUID(int=n + 100), (n + 4) * MIB, MIB, 0) for n in range(2045)]
    ran = asked(forge.write(tmp_path / "a.vhdx", table=forge.regions(entries, count), size=2100 * MIB))
    assert (ran.code == 0) == (count == 2047)


def test_regions_that_all_overlap(tmp_path: Path) -> None:
    entries = [(METADATA_REGION, MIB, MIB, 1), (BAT_REGION, 2 * MIB, MIB, 1)]
    entries += [(UUID(int=n + 100), MIB, MIB, 0) for n in range(2045)]
    ran = asked(forge.write(tmp_path / "a.vhdx", table=forge.regions(entries)))
    assert "VHDX-REG-004" in codes(ran)


@pytest.mark.parametrize("count", [2047, 0xFFFF])
@pytest.mark.parametrize("same", [True, False])
def test_metadata_counts(tmp_path: Path, count: int, same: bool) -> None:
    table = struct.pack("<8sHH20x", b"metadata", 0, count)
    for n in range(2047):
        name = UUID(int=5 if same else n + 100)
        table += name.bytes_le + struct.pack("<IIII", 65536 + (0 if same else n * 8), 8, 1, 0)
    ran = asked(forge.write(tmp_path / "a.vhdx", meta=table))
    assert ran.code == 1


@pytest.mark.parametrize("value", [0, 1, 511, 1 << 46, (1 << 46) + 512, *HUGE])
@pytest.mark.parametrize("sector", [512, 4096])
def test_virtual_sizes(tmp_path: Path, value: int, sector: int) -> None:
    ran = asked(forge.write(tmp_path / "a.vhdx", virtual=value, sector=sector))
    assert ran.code == 1
    assert codes(ran) & {"VHDX-META-003", "VHDX-BAT-001"}


def test_sixty_four_tib(tmp_path: Path) -> None:
    """The largest disk there is, empty: its table is 512 MiB of holes."""
    path = forge.write(tmp_path / "a.vhdx", virtual=64 * TIB, bat_length=513 * MIB)
    ran = asked(path, seconds=20)
    assert ran.data["verdict"] == "healthy"
    ran = tidy(forked("disk", "map", "--json", path, memory=MEMORY, seconds=20))
    assert len(ran.data["extents"]) == 1
    end = str(64 * TIB - 512)
    assert child("disk", "cat", "--offset", end, path, memory=MEMORY).out == "\0" * 512


def test_a_file_larger_than_any(tmp_path: Path) -> None:
    """A sparse file of 8 EiB, if the file system has room for that number; else as large as it takes."""
    path = forge.write(tmp_path / "a.vhdx")
    for size in ((1 << 63) - 1, 1 << 52, 15 * TIB):
        try:
            with Editor(path) as edit:
                edit.grow(size)
            break
        except OSError:
            continue
    ran = asked(path, memory=2 << 30)
    assert ran.code in (0, 1, 3)
    vhd = tmp_path / "a.vhd"
    path.rename(vhd)
    assert asked(vhd, memory=2 << 30).code in (0, 1, 3)


@pytest.mark.parametrize("last", HUGE)
def test_last_file_offset(tmp_path: Path, last: int) -> None:
    """A log that makes the file grow without end is not believed."""
    log = forge.entry(1, b"", last=last)
    ran = asked(forge.write(tmp_path / "a.vhdx", log_length=MIB, log=[Chunk(0, log)]))
    assert ran.code == 1 and ran.data["verdict"] == "unreadable"


@pytest.mark.parametrize("size", [1 << 40, 1 << 50, 1 << 62, (1 << 63) - 4096, (1 << 64) - 4096])
def test_zero_descriptors_of_huge_length(tmp_path: Path, size: int) -> None:
    log = forge.entry(1, forge.zero(8 * MIB, size, 1), last=3 * MIB)
    ran = asked(forge.write(tmp_path / "a.vhdx", log_length=MIB, log=[Chunk(0, log)]))
    assert ran.code in (0, 1)


@pytest.mark.parametrize("count", [1 << 16, 1 << 31, (1 << 32) - 1])
def test_descriptor_counts(tmp_path: Path, count: int) -> None:
    log = forge.entry(1, forge.zero(8 * MIB, 4096, 1), count=count)
    ran = asked(forge.write(tmp_path / "a.vhdx", log_length=MIB, log=[Chunk(0, log)]))
    assert ran.code == 1


@pytest.mark.parametrize("in_use", [True, False])
def test_entries_that_overlap(tmp_path: Path, in_use: bool) -> None:
    """Every sector of a 16 MiB log begins an entry that reaches round it: 16 GiB to sum up if nobody counts."""
    ring = 16 * MIB
    row = struct.pack("<4sIIIQII16sQQ", b"loge", 1, ring - 4096, 0, 1, 0, 0, forge.LOG.bytes_le, 0, 0)
    log = [Chunk(at, row) for at in range(0, ring, 4096)]
    ran = asked(forge.write(tmp_path / "a.vhdx", log_length=ring, log=log, in_use=in_use), seconds=15)
    assert any(note["code"] == "VHDX-LOG-007" for note in ran.data["not_looked"])
    assert ran.data["complete"] is False


@pytest.mark.parametrize("in_use", [True, False])
def test_very_many_zero_descriptors(tmp_path: Path, in_use: bool) -> None:
    """A log full of them over a log full of pages: neither the replay nor each read may look at all pairs."""
    ring = 8 * MIB
    pages = np.arange(900, dtype=np.int64) * 4096 + 64 * MIB
    described = b"".join(struct.pack("<4s4s8sQQ", b"desc", b"", b"", at, 1) for at in pages.tolist())
    sector = struct.pack("<4sI", b"data", 0).ljust(4092, b"\0") + struct.pack("<I", 1)
    first = forge.entry(1, described, sectors=sector * len(pages), last=80 * MIB)
    room = (ring - len(first) - 8192) // 32
    many = b"".join(forge.zero(128 * MIB, 4096, 2) for _ in range(room - room % 128 - 2))
    second = forge.entry(2, many, last=130 * MIB)
    log = [Chunk(0, first), Chunk(len(first), second)]
    path = forge.write(tmp_path / "a.vhdx", log_length=ring, log=log, in_use=in_use, size=140 * MIB)
    ran = asked(path, seconds=15)
    assert ran.code in (0, 1)


@pytest.mark.parametrize("length", [MIB + 4096, 512 * MIB, (1 << 32) - MIB])
def test_log_lengths(tmp_path: Path, length: int) -> None:
    """No whole MiB, more than is looked at, and the largest number there is; the file is that long."""
    whole = -(-length // MIB) * MIB
    path = forge.write(tmp_path / "a.vhdx", log_length=whole)
    from hvrescue.images.vhdx import encode
    from hvrescue.images.vhdx.layout import HEADER_OFFSETS, Header

    with Editor(path) as edit:
        for at in HEADER_OFFSETS:
            edit.write(at, encode.header(Header(0, 0, 1, guid(1), guid(2), forge.LOG, 0, 1, length, MIB, b"")))
    ran = asked(path)
    assert ran.code == 1 and ran.data["verdict"] == "unreadable"


@pytest.mark.parametrize("count", [256, 257, 0xFFFF])
def test_locator_counts(tmp_path: Path, count: int) -> None:
    """As many keys as fit, all of them pointing at the same text."""
    head = UUID("B04AEFB7-D19E-4A81-B789-25B8E9445913").bytes_le + struct.pack("<HH", 0, count)
    body = b"".join(struct.pack("<IIHH", 900_000, 900_000, 60_000, 60_000) for _ in range(min(count, 60_000)))
    path = write_tiny(tmp_path / "a.avhdx", guid(1), (head + body).ljust(960_000, b"x"))
    ran = asked(path)
    assert "VHDX-LOC-002" in codes(ran)


class TestVhd:
    """The same lies, told big-endian and summed up."""

    def forged(self, tmp_path: Path, at: int, data: bytes, *, footer: bool) -> Path:
        path = vhd_base("vhd").build(0, tmp_path).path
        with Editor(path) as edit:
            spots = (
                [(0, 512, FOOTER_SUM), (edit.size - 512, 512, FOOTER_SUM)] if footer else [(512, 1024, HEADER_SUM)]
            )
            for base, size, field in spots:
                edit.write(base + at, data)

                body = edit.read(Span(base, size))
                edit.write(base + field, struct.pack(">I", checksum(body, field)))
        return path

    @pytest.mark.parametrize("value", [0, 1, 1 << 41, *HUGE])
    def test_current_size(self, tmp_path: Path, value: int) -> None:
        ran = asked(self.forged(tmp_path, 48, struct.pack(">Q", value), footer=True))
        assert ran.code == 1

    @pytest.mark.parametrize("value", [513, 1 << 40, *HUGE])
    def test_header_offset(self, tmp_path: Path, value: int) -> None:
        asked(self.forged(tmp_path, 16, struct.pack(">Q", value), footer=True))

    @pytest.mark.parametrize("value", [0, 1, 1 << 40, *HUGE])
    def test_table_offset(self, tmp_path: Path, value: int) -> None:
        ran = asked(self.forged(tmp_path, 16, struct.pack(">Q", value), footer=False))
        assert ran.code == 1

    @pytest.mark.parametrize("value", [0, 1 << 23, (1 << 32) - 1])
    def test_entries(self, tmp_path: Path, value: int) -> None:
        ran = asked(self.forged(tmp_path, 28, struct.pack(">I", value), footer=False))
        assert ran.code == 1

    @pytest.mark.parametrize("value", [0, 1, 512, 4096, 1 << 31, (1 << 32) - 1])
    def test_block_size(self, tmp_path: Path, value: int) -> None:
        ran = asked(self.forged(tmp_path, 32, struct.pack(">I", value), footer=False))
        assert ran.code == 1

    def test_locators(self, tmp_path: Path) -> None:
        path = vhd_base("vhd-child").build(0, tmp_path).path

        for length, offset in ((0xFFFFFFFF, 0), (65536, (1 << 64) - 1), (65536, 0)):
            with Editor(path) as edit:
                for n in range(8):
                    edit.write(512 + 576 + 24 * n, struct.pack(">4sIIIQ", b"W2ku", 128, length, 0, offset))
                body = edit.read(Span(512, 1024))
                edit.write(512 + HEADER_SUM, struct.pack(">I", checksum(body, HEADER_SUM)))
            assert asked(path).code == 1
