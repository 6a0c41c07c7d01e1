"""Chains that never end: a file that is its own parent, rings of files, and ten thousand links."""

from __future__ import annotations

from pathlib import Path

import pytest

from hvrescue.core.context import QUIET
from hvrescue.core.limits import DEFAULT_LIMITS
from hvrescue.diagnosis.storage import examine
from hvrescue.images.vhdx import encode
from hvrescue.sources.folder import Folder
from tests.hostile.cli import child, forked, hv, tidy
from tests.hostile.deep import guid, linked, write_chain, write_tiny


def ring(folder: Path, count: int) -> Path:
    """Each is the child of the next, the last of the first."""
    paths = [folder / f"{n}.avhdx" for n in range(count)]
    for n, path in enumerate(paths):
        write_tiny(path, guid(n), linked(guid((n + 1) % count), paths[(n + 1) % count].name))
    return paths[0]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_rings(tmp_path: Path, count: int) -> None:
    leaf = ring(tmp_path, count)
    ran = tidy(forked("disk", "check", "--json", leaf))
    assert ran.code == 1
    assert [f["code"] for f in ran.data["findings"]] == ["CHAIN-003"]
    for verb in ("chain", "info", "map"):
        assert tidy(hv("disk", verb, leaf)).code in (0, 1)
    assert tidy(hv("disk", "cat", leaf)).code == 3
    assert tidy(hv("disk", "convert", leaf, tmp_path / "out.raw")).code == 3
    ran = tidy(forked("diagnose", "--json", tmp_path))
    assert ran.code == 1
    assert all("CHAIN-003" in disk["findings"] for disk in ran.data["disks"])
    assert tidy(hv("diagnose", tmp_path)).code == 1


def test_a_child_that_hangs_on_a_ring(tmp_path: Path) -> None:
    inside = ring(tmp_path, 2)
    leaf = write_tiny(tmp_path / "leaf.avhdx", guid(50), linked(guid(0), inside.name))
    assert [f["code"] for f in tidy(hv("disk", "check", "--json", leaf)).data["findings"]] == ["CHAIN-003"]
    assert tidy(hv("diagnose", tmp_path)).code == 1


def test_the_same_identity_everywhere(tmp_path: Path) -> None:
    """Copies of one file, each naming that identity as its parent."""
    for n in range(40):
        write_tiny(tmp_path / f"{n}.avhdx", guid(1), linked(guid(1), f"{n + 1}.avhdx"))
    assert tidy(child("diagnose", "--json", tmp_path)).code == 1


def test_a_chain_deeper_than_any(tmp_path: Path) -> None:
    """It ends at the cap, with one finding, in little memory and time."""
    leaf = write_chain(tmp_path, DEFAULT_LIMITS.chain_depth + 44)
    ran = tidy(child("disk", "check", "--json", leaf, memory=1 << 30, seconds=10, files=512))
    assert ran.code == 1
    assert [f["code"] for f in ran.data["findings"]] == ["CHAIN-004"]
    assert len(ran.data["chain"]) == DEFAULT_LIMITS.chain_depth
    assert tidy(child("disk", "cat", "--length", "512", leaf, seconds=10, files=512)).code == 3
    ran = tidy(child("diagnose", "--json", tmp_path, memory=1 << 30))
    assert ran.code == 1
    assert sum("CHAIN-004" in disk["findings"] for disk in ran.data["disks"]) == 44
    assert tidy(child("diagnose", tmp_path, memory=1 << 30)).code == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_links(tmp_path: Path) -> None:
    write_chain(tmp_path, 10_000)
    ctx = QUIET
    storage = examine([Folder(tmp_path)], ctx)
    assert len(storage.disks) == 10_000
    assert not storage.not_looked


def test_more_disks_than_handles(tmp_path: Path) -> None:
    """A folder of many disks, and one that looks for its parent among them all."""
    for n in range(300):
        write_tiny(tmp_path / f"{n}.vhdx", guid(n))
    write_tiny(tmp_path / "orphan.avhdx", guid(900), linked(guid(901), "gone.vhdx"))
    ran = tidy(child("diagnose", "--json", tmp_path, files=64))
    assert ran.code == 1
    assert len(ran.data["disks"]) == 301
    assert {note["code"] for note in ran.data["not_looked"]} == {"DIA-001"}


LONG = {
    "climb": "D:\\" + "..\\" * 10_000 + "x",
    "relative": "..\\" * 10_000 + "x",
    "many": "D:\\" + "a\\" * 16_000 + "x",
    "long": "x" * 32_000,
    "real": "D:\\" + "deep\\" * 6_000 + "x",
    "volume": "\\\\?\\Volume{11111111-1111-1111-1111-111111111111}\\" + "..\\" * 9_000,
    "through-a-file": "a.vhdx\\" * 4_000,
}


@pytest.mark.parametrize("kind", LONG)
def test_paths_that_cost(tmp_path: Path, kind: str) -> None:
    """A recorded path of 64 KiB, which could be looked up in very many ways."""
    recorded = LONG[kind]
    (tmp_path / "deep").symlink_to(tmp_path)
    pairs = {**linked(guid(9), recorded), "volume_path": recorded + "y", "absolute_win32_path": recorded + "z"}
    leaf = write_tiny(tmp_path / "child.avhdx", guid(1), encode.parent_locator(pairs))
    ran = tidy(forked("disk", "check", "--json", leaf, seconds=4))
    assert [f["code"] for f in ran.data["findings"]] == ["CHAIN-001"]
