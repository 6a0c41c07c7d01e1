"""Strangers read what our writer writes: qemu-img (fixed, dynamic) and libvhdi (differencing too)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from hvrescue.images.vhd.write import Recipe, write_differencing, write_dynamic, write_fixed

from .build import CHILD_ID, PARENT, child_recipe, guest, pattern, read, recipe, survey

pytestmark = pytest.mark.oracle
SIZE = 33 * (2 << 20) + 7 * 512
PIECES = [(5, b"not aligned"), (3 << 20, pattern(2, 3 << 20)), (SIZE - 700, pattern(3, 700))]
WHOLE = [(512 * 3, pattern(1, 512)), (2 << 20, pattern(2, 5 << 20)), (SIZE - 512, pattern(3, 512))]
BIG = 2 << 20


def qemu_raw(path: Path) -> bytes:
    if not shutil.which("qemu-img"):
        pytest.skip("no qemu-img")
    raw = path.with_suffix(".raw")
    command = ["qemu-img", "convert", "-f", "vpc", "-O", "raw", str(path), str(raw)]
    subprocess.run(command, check=True, capture_output=True)
    return raw.read_bytes()


@pytest.mark.parametrize("block_size", [512 << 10, 2 << 20])
def test_qemu_reads_dynamic(tmp_path: Path, block_size: int) -> None:
    write_dynamic(tmp_path / "a.vhd", recipe(SIZE, block_size), PIECES)
    assert qemu_raw(tmp_path / "a.vhd") == guest(PIECES, SIZE) == read(survey(tmp_path / "a.vhd"))


def test_qemu_reads_fixed(tmp_path: Path) -> None:
    write_fixed(tmp_path / "a.vhd", recipe(SIZE), PIECES)
    assert qemu_raw(tmp_path / "a.vhd") == guest(PIECES, SIZE)


@pytest.mark.parametrize("options", ["subformat=dynamic", "subformat=fixed", "subformat=dynamic,force_size=on"])
def test_we_read_what_qemu_writes(tmp_path: Path, options: str) -> None:
    if not shutil.which("qemu-img"):
        pytest.skip("no qemu-img")
    raw, path = tmp_path / "a.raw", tmp_path / "a.vhd"
    raw.write_bytes(guest(PIECES, SIZE))
    command = ["qemu-img", "convert", "-f", "raw", "-O", "vpc", "-o", options, str(raw), str(path)]
    subprocess.run(command, check=True, capture_output=True)
    found = survey(path)
    assert found.findings == ()
    assert read(found) == qemu_raw(path)
    assert read(found)[:SIZE] == guest(PIECES, SIZE)


def test_libvhdi_reads_all_kinds(tmp_path: Path) -> None:
    pyvhdi = pytest.importorskip("pyvhdi")
    write_dynamic(tmp_path / "base.vhd", recipe(SIZE, BIG), PIECES)
    write_differencing(tmp_path / "child.avhd", Recipe(SIZE, CHILD_ID, BIG), PARENT, WHOLE)
    base, child = pyvhdi.file(), pyvhdi.file()
    base.open(str(tmp_path / "base.vhd"))
    child.open(str(tmp_path / "child.avhd"))
    assert child.parent_identifier == base.identifier
    child.set_parent(base)
    truth = guest(WHOLE, SIZE, guest(PIECES, SIZE))
    assert base.read_buffer_at_offset(SIZE, 0) == guest(PIECES, SIZE)
    assert child.read_buffer_at_offset(SIZE, 0) == truth
    assert read(survey(tmp_path / "child.avhd"), survey(tmp_path / "base.vhd")) == truth
    child.close()
    base.close()


def test_libvhdi_reads_fixed(tmp_path: Path) -> None:
    pyvhdi = pytest.importorskip("pyvhdi")
    write_fixed(tmp_path / "a.vhd", child_recipe(SIZE), PIECES)
    file = pyvhdi.file()
    file.open(str(tmp_path / "a.vhd"))
    assert file.read_buffer_at_offset(SIZE, 0) == guest(PIECES, SIZE)
    file.close()
