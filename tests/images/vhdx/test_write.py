"""What our writer makes, strangers read; what it makes, our survey finds whole."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hvrescue.app.looking import look_at
from hvrescue.core.context import QUIET
from hvrescue.core.limits import KIB, MIB
from hvrescue.core.words import Severity, Verdict
from hvrescue.images.chain import open_chain
from hvrescue.images.vhdx.layout import Block
from hvrescue.images.vhdx.write import LogKind, VhdxSpec, VhdxWriter
from hvrescue.lab.guests import piece, write_base, write_child

SIZE = 48 * MIB + 512 * 7 * 8


def _write(path: Path, spec: VhdxSpec) -> bytearray:
    """A file of scattered pieces, and what the guest must see."""
    guest = bytearray(spec.size)
    with VhdxWriter(path, spec) as writer:
        for block in (3, 0, 11, 7):
            at = block * spec.block_size + 64 * KIB
            data = piece("w", at)
            writer.write(at, data)
            guest[at : at + len(data)] = data
        end = spec.size - spec.logical_sector
        writer.write(end, b"e" * spec.logical_sector)
        guest[end:] = b"e" * spec.logical_sector
        writer.state(5, Block.ZERO)
        writer.state(6, Block.UNMAPPED)
    return guest


@pytest.mark.parametrize("log", list(LogKind))
@pytest.mark.parametrize("block", [MIB, 2 * MIB, 4 * MIB])
@pytest.mark.parametrize("sector", [512, 4096])
def test_written_and_read_again(tmp_path: Path, block: int, sector: int, log: LogKind) -> None:
    path = tmp_path / "a.vhdx"
    guest = _write(path, VhdxSpec(SIZE, block, sector, log=log))
    looked = look_at(path, {}, QUIET)
    assert looked.survey.verdict == Verdict.HEALTHY
    assert all(f.severity == Severity.INFO for f in looked.survey.findings)
    assert ("VHDX-LOG-001" in {f.code for f in looked.survey.findings}) == (log in (LogKind.PENDING, LogKind.WRAPPED))
    disk = open_chain(looked.chain)
    assert disk.pread(0, disk.size) == bytes(guest)


def test_a_fixed_disk_has_every_block(tmp_path: Path) -> None:
    path = tmp_path / "f.vhdx"
    spec = VhdxSpec(24 * MIB, 2 * MIB, fixed=True)
    with VhdxWriter(path, spec) as writer:
        writer.write(5 * MIB, b"x" * 512)
    looked = look_at(path, {}, QUIET)
    assert looked.survey.verdict == Verdict.HEALTHY
    assert looked.survey.identity is not None and looked.survey.identity.kind == "fixed"
    assert open_chain(looked.chain).pread(5 * MIB, 513) == b"x" * 512 + b"\0"


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    path.write_bytes(b"something")
    with pytest.raises(FileExistsError):
        VhdxWriter(path, VhdxSpec(MIB))
    assert path.read_bytes() == b"something"


def test_a_file_whose_writing_was_cut_short_does_not_open(tmp_path: Path) -> None:
    path = tmp_path / "a.vhdx"
    with pytest.raises(RuntimeError), VhdxWriter(path, VhdxSpec(8 * MIB, MIB)) as writer:
        writer.write(0, b"x" * 512)
        raise RuntimeError
    assert look_at(path, {}, QUIET).survey.verdict == Verdict.UNREADABLE


@pytest.mark.oracle
@pytest.mark.parametrize("log", [LogKind.EMPTY, LogKind.CLEAN])
@pytest.mark.parametrize("block", [MIB, 4 * MIB])
def test_qemu_reads_what_we_write(tmp_path: Path, block: int, log: LogKind) -> None:
    path, raw = tmp_path / "a.vhdx", tmp_path / "a.raw"
    guest = _write(path, VhdxSpec(SIZE, block, log=log))
    subprocess.run(["qemu-img", "check", path], check=True, capture_output=True)
    subprocess.run(["qemu-img", "convert", "-O", "raw", path, raw], check=True, capture_output=True)
    assert raw.read_bytes() == bytes(guest)


@pytest.mark.oracle
def test_qemu_replays_our_pending_log(tmp_path: Path) -> None:
    path, raw = tmp_path / "a.vhdx", tmp_path / "a.raw"
    guest = _write(path, VhdxSpec(SIZE, MIB, log=LogKind.PENDING))
    subprocess.run(["qemu-img", "check", "-r", "all", path], check=True, capture_output=True)
    subprocess.run(["qemu-img", "convert", "-O", "raw", path, raw], check=True, capture_output=True)
    assert raw.read_bytes() == bytes(guest)


@pytest.mark.oracle
def test_seven_zip_reads_our_chain(tmp_path: Path) -> None:
    """7-Zip follows differencing VHDX and checks the identity, QEMU and libvhdi do not (field notes)."""
    program = shutil.which("7zz") or shutil.which("7z")
    assert program
    base, child = tmp_path / "base.vhdx", tmp_path / "child.avhdx"
    link = write_base(base, "b", 16 * MIB, (0, 2, 5))
    write_child(child, "c", base, link, 16 * MIB, (2, 3))
    want = open_chain(look_at(child, {}, QUIET).chain).pread(0, 16 * MIB)
    copy = child.with_suffix(".vhdx").with_name("leaf.vhdx")
    child.rename(copy)
    listed = subprocess.run([program, "e", "-so", "-tvhdx", copy], capture_output=True, check=False)
    assert listed.stdout == want
