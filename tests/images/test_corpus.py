"""Real disks written by others: healthy, nothing above a note, and byte for byte what strangers read."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hvrescue.app.convert import Wish, convert_disk
from hvrescue.app.looking import look_at
from hvrescue.core.context import QUIET
from hvrescue.core.words import Severity, Verdict

SINGLE = ("discutils-btrfs.vhdx", "discutils-swap.vhdx", "discutils-lvm2.vhdx", "dfvfs-ext2.vhd")

pytestmark = pytest.mark.corpus


@pytest.mark.parametrize("name", SINGLE)
def test_healthy_and_the_same_bytes_as_qemu(name: str, unpacked: Callable[[str], Path], tmp_path: Path) -> None:
    path = unpacked(f"disks/{name}.gz")
    looked = look_at(path, {}, QUIET)
    assert looked.survey.verdict == Verdict.HEALTHY
    assert all(f.severity == Severity.INFO for f in (*looked.survey.findings, *looked.chain.findings))
    ours, theirs = tmp_path / "ours.raw", tmp_path / "theirs.raw"
    assert convert_disk(path, Wish(ours), {}, QUIET).exit_code == 0
    subprocess.run(["qemu-img", "convert", "-O", "raw", path, theirs], check=True, capture_output=True)
    subprocess.run(["cmp", ours, theirs], check=True)


def test_the_differencing_vhd_as_libvhdi_reads_it(unpacked: Callable[[str], Path], tmp_path: Path) -> None:
    import pyvhdi

    base = unpacked("disks/dfvfs-image.vhd.gz")
    child = unpacked("disks/dfvfs-image-differential.vhd.gz")
    for path in (base, child):
        (tmp_path / path.name.removeprefix("dfvfs-")).write_bytes(path.read_bytes())
    leaf = tmp_path / "image-differential.vhd"
    looked = look_at(leaf, {}, QUIET)
    assert looked.survey.verdict == Verdict.HEALTHY
    assert all(f.severity == Severity.INFO for f in (*looked.survey.findings, *looked.chain.findings))
    ours = tmp_path / "ours.raw"
    assert convert_disk(leaf, Wish(ours), {}, QUIET).exit_code == 0
    parent, theirs = pyvhdi.file(), pyvhdi.file()
    parent.open(str(tmp_path / "image.vhd"))
    theirs.open(str(leaf))
    theirs.set_parent(parent)
    assert ours.read_bytes() == theirs.read(theirs.get_media_size())
