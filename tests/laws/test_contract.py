"""The command line's contract: exit codes, one JSON document, and what was not looked at (law 4)."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.cli import ROOT, Ran, hv, tidy
from tests.laws.scene import Scene

CODES = {
    ("info",): {"healthy": 0, "child": 0, "pending": 0, "damaged": 1, "orphan": 0, "refused": 1, "vhd": 0, "raw": 0},
    ("check",): {"healthy": 0, "child": 0, "pending": 0, "damaged": 1, "orphan": 1, "refused": 1, "vhd": 0, "raw": 0},
    ("chain",): {"healthy": 0, "child": 0, "pending": 0, "damaged": 1, "orphan": 1, "refused": 1, "vhd": 0, "raw": 0},
    ("map",): {"healthy": 0, "child": 0, "pending": 0, "damaged": 1, "orphan": 1, "refused": 3, "vhd": 0, "raw": 0},
    ("cat",): {"healthy": 0, "child": 0, "pending": 0, "damaged": 3, "orphan": 3, "refused": 3, "vhd": 0, "raw": 0},
}
CASES = [(verb[0], name, code) for verb, codes in CODES.items() for name, code in codes.items()]
SCHEMAS = ROOT / "src" / "hvrescue" / "schemas"


def document(ran: Ran) -> Any:
    """Standard output holds exactly one JSON object, its schema first; it is what the schema says."""
    value, end = json.JSONDecoder().raw_decode(ran.out)
    assert ran.out[end:].strip() == ""
    assert re.fullmatch(r"hvrescue/[a-z-]+/[0-9]+", value["schema"]), value["schema"]
    assert isinstance(value["complete"], bool)
    _, name, number = value["schema"].split("/")
    schema = SCHEMAS / f"{name}-{number}.json"
    if schema.is_file():
        import jsonschema

        jsonschema.validate(value, json.loads(schema.read_text(encoding="utf-8")))
    return value


@pytest.mark.parametrize(("verb", "name", "code"), CASES)
def test_exit_codes(scene: Scene, verb: str, name: str, code: int) -> None:
    ran = hv("disk", verb, scene.files[name])
    assert ran.code == code
    assert (ran.err == "") == (code in (0, 1))
    assert (ran.out == "") == (code == 3)


@pytest.mark.parametrize(("verb", "name", "code"), [case for case in CASES if case[0] != "cat"])
def test_json(scene: Scene, verb: str, name: str, code: int) -> None:
    ran = tidy(hv("disk", verb, "--json", scene.files[name]))
    assert ran.code == code
    data = document(ran)
    assert data["schema"] == ("hvrescue/error/1" if code == 3 else f"hvrescue/disk-{verb}/1")
    assert ran.err == ""


def test_convert_json(scene: Scene, tmp_path: Path) -> None:
    ran = tidy(hv("disk", "convert", "--json", scene.child, tmp_path / "out.vhdx"))
    assert ran.code == 0 and document(ran)["schema"] == "hvrescue/disk-convert/1"
    assert document(tidy(hv("disk", "convert", "--json", scene.child, tmp_path / "out.vhdx")))["exit_code"] == 4


def test_diagnose(scene: Scene, tmp_path: Path) -> None:
    ran = tidy(hv("diagnose", "--json", scene.root))
    assert ran.code == 1
    data = document(ran)
    assert data["schema"] == "hvrescue/diagnosis/1"
    assert {Path(disk["path"]).name for disk in data["disks"]} >= {"healthy.vhdx", "orphan.avhdx", "disk.img"}
    assert tidy(hv("diagnose", scene.root)).code == 1
    assert tidy(hv("diagnose", tmp_path)).code == 3
    assert document(tidy(hv("diagnose", "--json", tmp_path)))["complete"] is False
    assert tidy(hv("diagnose", scene.root / "nowhere")).code == 3
    assert document(tidy(hv("diagnose", "--json", scene.root, scene.root / "nowhere")))["complete"] is False


def test_one_disk_named_to_diagnose(scene: Scene) -> None:
    """Only the file is looked at, and what it hangs on is found beside it or said to be not looked for."""
    for name, wanted in (("healthy", "healthy"), ("damaged", "damaged")):
        data = document(tidy(hv("diagnose", "--json", scene.files[name])))
        assert [disk["verdict"] for disk in data["disks"]] == [wanted]


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["disk"],
        ["disk", "nonsense"],
        ["disk", "check"],
        ["disk", "check", "a", "b"],
        ["disk", "check", "--nonsense", "a"],
        ["disk", "check", "--lang", "fr", "a"],
        ["disk", "check", "--map", "D=/tmp", "a"],
        ["disk", "check", "--map", "D:=/nowhere", "a"],
        ["disk", "check", "--color", "red", "a"],
        ["disk", "cat", "--offset", "-1", "a"],
        ["disk", "cat", "--length", "x", "a"],
        ["disk", "map", "--most", "0", "a"],
        ["disk", "convert", "a"],
        ["disk", "convert", "--to", "qcow2", "a", "b"],
        ["diagnose"],
        ["explain"],
    ],
)
def test_usage(words: list[str]) -> None:
    ran = tidy(hv(*words))
    assert ran.code == 2
    assert ran.out == "" and ran.err


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], ["disk", "--help"], ["disk", "convert", "-h"], ["diagnose", "--help"]]
)
def test_help(words: list[str]) -> None:
    ran = tidy(hv(*words))
    assert ran.code == 0 and ran.err == "" and "--help" in ran.out


def test_explain() -> None:
    ran = tidy(hv("explain", "--json", "VHDX-HDR-001"))
    assert ran.code == 0 and document(ran)["schema"] == "hvrescue/explanation/1"
    assert tidy(hv("explain", "vhdx-hdr-001")).code == 0
    ran = tidy(hv("explain", "--json", "VHDX-HDR-999"))
    assert ran.code == 3 and document(ran)["complete"] is False
    assert tidy(hv("explain", "no code at all")).code == 3


def test_cat_ranges(scene: Scene) -> None:
    assert hv("disk", "cat", "--offset", str(8 << 20), scene.healthy).code == 0
    assert hv("disk", "cat", "--offset", str((8 << 20) + 1), scene.healthy).code == 2
    assert hv("disk", "cat", "--length", str(8 << 20), "--offset", "1", scene.healthy).code == 2
    assert hv("disk", "cat", "--length", str(1 << 70), scene.healthy).code == 2
    assert len(hv("disk", "cat", "--length", "512", scene.healthy).out) > 0


def test_the_reader_goes_away(scene: Scene) -> None:
    """``hvrescue disk cat ... | head``: no trace, no message."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "hvrescue", "disk", "cat", str(scene.healthy)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.read(100)
        running.stdout.close()
        told = running.stderr.read()
    assert told == b""


def test_quiet_and_colour(scene: Scene) -> None:
    plain = tidy(hv("disk", "check", "--color", "never", scene.damaged))
    assert tidy(hv("disk", "check", "-q", scene.damaged)).out == plain.out
    coloured = hv("disk", "check", "--color", "always", scene.damaged)
    assert "\x1b[" in coloured.out
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured.out) == plain.out


class TestNotLooked:
    """Law 4: what was not looked at is in the text and in the JSON, and nothing is complete."""

    def test_a_link(self, scene: Scene) -> None:
        data = document(tidy(hv("diagnose", "--json", scene.root)))
        assert data["complete"] is False
        (note,) = [n for n in data["not_looked"] if n["code"] == "SRC-012"]
        assert note["where"]["path"] == str(scene.root / "link.vhdx") and note["reason"]
        text = " ".join(tidy(hv("diagnose", scene.root)).out.split())
        assert "link.vhdx" in text and "Not looked at" in text

    def test_a_log_that_is_too_long(self, tmp_path: Path) -> None:
        from tests.hostile import forge

        path = forge.write(tmp_path / "a.vhdx", log_length=512 << 20, in_use=False)
        for verb in ("check", "info", "chain"):
            data = document(tidy(hv("disk", verb, "--json", path)))
            assert data["complete"] is False, verb
            assert any(note["code"] == "VHDX-LOG-007" for note in data["not_looked"]), verb
            assert tidy(hv("disk", verb, path)).code in (1, 3)
        assert "Not looked at" in hv("disk", "check", path).out

    def test_depth_and_number_are_capped(self, tmp_path: Path) -> None:
        from dataclasses import replace

        from hvrescue.core.limits import DEFAULT_LIMITS
        from hvrescue.sources.folder import Folder

        deep = tmp_path
        for n in range(6):
            deep = deep / f"d{n}"
            deep.mkdir()
            (deep / "f").write_bytes(b"")
        shallow = Folder(tmp_path, limits=replace(DEFAULT_LIMITS, walk_depth=3))
        assert len(shallow.entries()) == 3 and [n.reason for n in shallow.not_looked] == ["SRC-011"]
        few = Folder(tmp_path, limits=replace(DEFAULT_LIMITS, walk_entries=4))
        assert len(few.entries()) <= 4 and [n.reason for n in few.not_looked] == ["SRC-011"]
