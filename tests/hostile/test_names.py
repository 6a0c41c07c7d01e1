"""Names that would steer a terminal, in the file system, in recorded paths, and in fields of formats."""

from __future__ import annotations

import os
import struct
import sys
from pathlib import Path

import pytest

from hvrescue.images.vhdx import encode
from tests.hostile.cli import calm, hv, tidy
from tests.hostile.deep import guid, linked, write_tiny
from tests.strangers.sparse import Editor
from tests.strangers.vhd_bases import vhd_base

if sys.platform == "win32":
    pytest.skip("files and calls of Unix", allow_module_level=True)

NAMES = {
    "title": b"a\x1b]0;owned\x07.vhdx",
    "clear": b"b\x1b[2J\x1b[H.vhdx",
    "newline": b"c\nHEALTHY  all is well\r\n.vhdx",
    "c1": "d\x9b31m\x85\x90.vhdx".encode(),
    "bidi": "e\u202excod.vhdx\u2066\u200f.vhdx".encode(),
    "bytes": b"f\xff\xfe\x80.vhdx",
    "markup": b"g[bold red]x[bold]{where}{0}%s.vhdx",
    "longest": b"h" * 250 + b".vhdx",
    "dots": b"...vhdx",
    "option": b"--json.vhdx",
    "space": b" \t .vhdx",
    "backslash": b"..\\..\\i.vhdx",
    "tag": "j\U000e0041\u2028\u2029\ufeff\u00ad.vhdx".encode(),
}
"""Names of files that a hostile source may hold."""
VERBS = ("info", "check", "chain", "map")


def place(folder: Path, name: bytes) -> Path:
    path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
    try:
        return write_tiny(path, guid(5))
    except OSError:
        pytest.skip("this file system does not take the name")


@pytest.mark.parametrize("kind", NAMES)
def test_a_file_of_this_name(tmp_path: Path, kind: str) -> None:
    path = place(tmp_path, NAMES[kind])
    for verb in VERBS:
        assert tidy(hv("disk", verb, "--", path)).code == 0, verb
        ran = tidy(hv("disk", verb, "--json", "--", path))
        assert os.fsencode(ran.data["path"]) == os.fsencode(path)
    with Editor(path) as edit:
        edit.write(0x10000, bytes(4096))
    assert tidy(hv("disk", "check", "--", path)).code == 1
    ran = tidy(hv("diagnose", tmp_path))
    assert ran.code == 1
    assert [os.fsencode(disk["path"]) for disk in tidy(hv("diagnose", "--json", tmp_path)).data["disks"]] == [
        os.fsencode(path)
    ]


@pytest.mark.parametrize("kind", NAMES)
def test_a_folder_of_this_name(tmp_path: Path, kind: str) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + NAMES[kind]))
    folder.mkdir()
    write_tiny(folder / "a.vhdx", guid(1))
    write_tiny(folder / "b.avhdx", guid(2), linked(guid(9), "gone.vhdx"))
    assert tidy(hv("diagnose", "--", folder)).code == 1
    tidy(hv("diagnose", "--json", "--", folder)).data  # noqa: B018 - it must be JSON


@pytest.mark.parametrize("kind", NAMES)
def test_errors_about_this_name(tmp_path: Path, kind: str) -> None:
    """Files that are missing, unreadable or given too many; and a target that is there already."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + NAMES[kind]))
    assert tidy(hv("disk", "check", "--", path)).code == 3
    assert tidy(hv("diagnose", "--", path)).code == 3
    assert tidy(hv("disk", "check", "--", path, path)).code == 2
    assert tidy(hv("disk", "check", "--map", f"D:={path}", "--", path)).code == 2
    assert tidy(hv("demo", "--", place(tmp_path, NAMES[kind]))).code == 2
    good = write_tiny(tmp_path / "good.vhdx", guid(1))
    assert tidy(hv("disk", "convert", "--", good, path)).code == 4
    assert tidy(hv("disk", "convert", "--", good, path / "x")).code == 4
    assert tidy(hv("explain", "--", str(path))).code == 3


@pytest.mark.parametrize("kind", ["title", "clear", "newline", "c1", "bidi", "markup", "tag"])
def test_a_parent_of_this_name(tmp_path: Path, kind: str) -> None:
    """Recorded, not there: shown in findings, in the tree and in the chain."""
    text = NAMES[kind].decode()
    pairs = {**linked(guid(9), text), "volume_path": f"\\\\?\\Volume{{x}}\\{text}", f"key\x1b[31m{text}": text}
    path = write_tiny(tmp_path / "child.avhdx", guid(1), pairs)
    for words in (("disk", "check"), ("disk", "chain"), ("disk", "info"), ("diagnose",)):
        assert tidy(hv(*words, path)).code in (0, 1)
        tidy(hv(*words, "--json", path)).data  # noqa: B018 - it must be JSON


def test_a_creator_that_steers(tmp_path: Path) -> None:
    path = write_tiny(tmp_path / "a.vhdx", guid(1))
    evil = "\x1b]0;owned\x07\u202eevil\x9b\n\ud800"
    with Editor(path) as edit:
        edit.write(8, evil.encode("utf-16-le", "surrogatepass"))
    for verb in ("info", "check"):
        assert tidy(hv("disk", verb, path)).code == 0
        assert "owned" in tidy(hv("disk", verb, "--json", path)).out
    tidy(hv("diagnose", path))


def test_a_vhd_creator_that_steers(tmp_path: Path) -> None:
    from hvrescue.images.vhd.layout import FOOTER_SUM, checksum

    path = vhd_base("vhd").build(0, tmp_path).path
    with Editor(path) as edit:
        for at in (0, edit.size - 512):
            edit.write(at + 28, b"\x1b[2J")
            body = os.pread(edit._fd, 512, at)
            edit.write(at + FOOTER_SUM, struct.pack(">I", checksum(body, FOOTER_SUM)))
    for verb in ("info", "check"):
        assert tidy(hv("disk", verb, path)).code == 0


def test_metadata_names_and_regions_that_steer(tmp_path: Path) -> None:
    """A locator whose keys are the message: they are named in the finding about it."""
    evil = "parent_linkage\x1b[2J\u202e"
    path = write_tiny(tmp_path / "child.avhdx", guid(1), encode.parent_locator({evil: "x", "b": "\x1b"}))
    ran = tidy(hv("disk", "check", path))
    assert ran.code == 1
    assert "parent_linkage" in ran.both
    calm(tidy(hv("disk", "info", "--json", path)).out)
