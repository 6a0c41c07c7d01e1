"""Real files written by others. Two of the three had their ids changed by hand, and their checksums not."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hvrescue.core.words import Severity, Verdict, worst

from .build import codes, read, survey

pytestmark = pytest.mark.corpus
Unpack = Callable[[str], Path]


def test_written_by_qemu(unpacked: Unpack, tmp_path: Path) -> None:
    path = unpacked("disks/dfvfs-ext2.vhd.gz")
    found = survey(path)
    assert found.verdict == Verdict.HEALTHY
    assert worst(found.findings) == Severity.INFO
    if not shutil.which("qemu-img"):
        pytest.skip("no qemu-img")
    raw = tmp_path / "raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", str(path), str(raw)], check=True, capture_output=True)
    assert read(found) == raw.read_bytes()


def test_parent_and_child(unpacked: Unpack) -> None:
    """QEMU 7.2 refuses both ("Incorrect header checksum"); libvhdi does not look at checksums."""
    pyvhdi = pytest.importorskip("pyvhdi")
    paths = [unpacked(f"disks/dfvfs-image{name}.vhd.gz") for name in ("", "-differential")]
    parent, child = (survey(path) for path in paths)
    assert codes(parent) == {"VHD-FTR-013"}
    assert codes(child) == {"VHD-FTR-013", "VHD-HDR-008"}
    assert parent.verdict == child.verdict == Verdict.HEALTHY
    assert parent.identity is not None
    assert child.parent is not None
    assert child.parent.accepted == (parent.identity.link,)
    assert child.parent.paths == (("absolute_win32_path", "image.vhd"),)
    base, leaf = pyvhdi.file(), pyvhdi.file()
    base.open(str(paths[0]))
    leaf.open(str(paths[1]))
    leaf.set_parent(base)
    assert read(parent) == base.read_buffer_at_offset(base.media_size, 0)
    assert read(child, parent) == leaf.read_buffer_at_offset(leaf.media_size, 0)
    leaf.close()
    base.close()
