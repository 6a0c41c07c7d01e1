"""Laws 2 and 3 as far as ``convert`` goes: new files only, whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest

from hvrescue.byteio.copying import copy_run
from tests.hostile.cli import ROOT, hv, tidy
from tests.laws.scene import SIZE, Scene, fingerprint

Usage = namedtuple("Usage", "total used free")


def test_an_existing_target(scene: Scene, tmp_path: Path) -> None:
    target = tmp_path / "there.raw"
    target.write_bytes(b"mine")
    for words in ([], ["--allow-damaged", "--hole-map", str(tmp_path / "h.json")], ["--to", "vhdx"]):
        ran = tidy(hv("disk", "convert", "--json", *words, scene.healthy, target))
        assert (ran.code, ran.data["finding"]["code"]) == (4, "OUT-001")
    assert target.read_bytes() == b"mine"
    assert [p.name for p in tmp_path.iterdir()] == ["there.raw"]


@pytest.mark.parametrize("kind", ["folder", "dangling", "link", "source", "parent"])
def test_other_things_in_the_way(scene: Scene, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "there.raw"
    if kind == "folder":
        target.mkdir()
    elif kind == "dangling":
        target.symlink_to("nowhere")
    elif kind == "link":
        target.symlink_to(scene.healthy)
    else:
        target = scene.child if kind == "source" else scene.healthy
    before = fingerprint(scene.root)
    assert tidy(hv("disk", "convert", scene.child, target)).code == 4
    assert fingerprint(scene.root) == before
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("where", ["missing/out.raw", "file/out.raw", "/dev/null/out.raw", "/proc/out.raw"])
def test_no_folder_for_it(scene: Scene, tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    ran = tidy(hv("disk", "convert", "--json", scene.healthy, tmp_path / where))
    assert ran.code in (4, 5)
    assert ran.data["finding"]["code"].startswith("OUT-")


def test_no_room(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 30, 1 << 30, 1000))
    ran = tidy(hv("disk", "convert", "--json", scene.healthy, tmp_path / "out.raw"))
    assert (ran.code, ran.data["finding"]["code"]) == (4, "OUT-002")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("number", ["ENOSPC", "EIO", "EDQUOT"])
def test_room_ends_on_the_way(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: str) -> None:
    import errno

    code = getattr(errno, number)

    def full(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "copy_file_range", full, raising=False)
    monkeypatch.setattr("hvrescue.byteio.copying.write_all", full)
    ran = tidy(hv("disk", "convert", "--json", scene.healthy, tmp_path / "out.raw"))
    assert ran.code == 5
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["out.raw", "there.json", "missing/h.json", "dangling.json"])
def test_a_hole_map_that_cannot_be(scene: Scene, tmp_path: Path, name: str) -> None:
    """It is known before the copy begins: no incomplete copy without its hole map."""
    (tmp_path / "there.json").write_text("{}")
    (tmp_path / "dangling.json").symlink_to("nowhere")
    options = ["--allow-damaged", "--hole-map", str(tmp_path / name)]
    assert tidy(hv("disk", "convert", *options, scene.damaged, tmp_path / "out.raw")).code == 4
    assert not (tmp_path / "out.raw").exists()


def test_strict_writes_nothing(scene: Scene, tmp_path: Path) -> None:
    for path in (scene.damaged, scene.orphan, scene.refused):
        assert tidy(hv("disk", "convert", path, tmp_path / "out.raw")).code == 3
    assert not list(tmp_path.iterdir())
    assert tidy(hv("disk", "convert", "--allow-damaged", scene.damaged, tmp_path / "out.raw")).code == 2


def test_holes_are_all_there_is_missing(scene: Scene, tmp_path: Path) -> None:
    out, holes = tmp_path / "out.raw", tmp_path / "holes.json"
    ran = tidy(hv("disk", "convert", "--json", "--allow-damaged", "--hole-map", holes, scene.damaged, out))
    assert ran.code == 1 and ran.data["complete"] is False
    told = json.loads(holes.read_text())
    assert told["schema"] == "hvrescue/hole-map/1"
    assert sum(hole["length"] for hole in told["holes"]) == ran.data["unknown"] > 0
    content = out.read_bytes()
    assert len(content) == SIZE
    for hole in told["holes"]:
        assert not any(content[hole["offset"] : hole["offset"] + hole["length"]])


_SLOW = """
import sys, time
import hvrescue.images.convert as convert
true = convert.copy_run
def slow(*words):
    for step in true(*words):
        yield step
        print("ready", flush=True)
        time.sleep(3)
convert.copy_run = slow
from hvrescue.cli.entry import main
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of Unix")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT", "SIGTERM"])
@pytest.mark.parametrize("target", ["out.raw", "out.vhdx"])
def test_killed_on_the_way(scene: Scene, tmp_path: Path, how: str, target: str) -> None:
    """Nothing stands under the target's name; an interrupt leaves nothing at all."""
    words = [sys.executable, "-c", _SLOW, "disk", "convert", str(scene.healthy), str(tmp_path / target)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "HVRESCUE_LANG": "en"}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as running:
        assert running.stdout is not None and running.stderr is not None
        assert running.stdout.readline().startswith("ready")
        running.send_signal(getattr(signal, how))
        told = running.stderr.read()
    assert not (tmp_path / target).exists()
    if how == "SIGINT":
        assert running.returncode == 130
        assert "Traceback" not in told
        assert not list(tmp_path.iterdir())
    else:
        assert running.returncode == -getattr(signal, how)
    assert tidy(hv("disk", "convert", scene.healthy, tmp_path / target)).code == 0


def test_a_source_that_changes_meanwhile(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "running.vhdx"
    shutil.copyfile(scene.healthy, source)

    def touch(*words: Any) -> object:
        os.utime(source, ns=(1, 1))
        return copy_run(*words)

    monkeypatch.setattr("hvrescue.images.convert.copy_run", touch)
    ran = tidy(hv("disk", "convert", "--json", source, tmp_path / "out.raw"))
    assert (ran.code, ran.data["finding"]["code"]) == (5, "SRC-008")
    assert not (tmp_path / "out.raw").exists()
