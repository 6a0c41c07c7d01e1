"""The house is in order: scripts run, rooms are declared, no machine is named, Windows can install it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import hvrescue

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SCRIPTS = [
    "scripts/demo",
    "scripts/test",
    "scripts/check",
    "scripts/prove",
    "scripts/fuzz",
    "scripts/bench",
    ".ci/run",
]


@cache
def tree() -> tuple[str, ...]:
    """Every file of the project, by git: what is tracked, and what is new and not ignored."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no git, or not a clone: which files belong to the project is not known")
    return tuple(sorted(name for name in set(listing.split("\0")) if (ROOT / name).is_file()))


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.skipif(os.name == "nt", reason="Windows knows no run bit")
def test_scripts_run(name: str) -> None:
    script = ROOT / name
    assert os.access(script, os.X_OK)
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines


def test_no_script_is_forgotten() -> None:
    found = {f"scripts/{f.name}" for f in (ROOT / "scripts").iterdir() if f.is_file() and not f.suffix}
    assert found == set(SCRIPTS) - {".ci/run"}


def test_contributing_names_every_script() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert [name for name in SCRIPTS if name not in text] == []


def test_one_version() -> None:
    assert PROJECT["project"]["version"] == hvrescue.__version__


def test_the_extra_all_is_the_sum_of_the_others() -> None:
    extras = dict(PROJECT["project"]["optional-dependencies"])
    assert sorted(extras.pop("all")) == sorted(d for wanted in extras.values() for d in wanted)


def contract(name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = PROJECT["tool"]["importlinter"]["contracts"]
    return next(c for c in found if c["id"] == name)


def test_every_room_has_its_floor() -> None:
    rooms = {f.parent.name for f in (ROOT / "src" / "hvrescue").glob("*/__init__.py")}
    assert set(contract("rooms")["layers"]) == rooms


def test_the_skin_touches_app_documents_and_words_only() -> None:
    may = {"cli", "app", "document", "core"}
    forbidden = {name.removeprefix("hvrescue.") for name in contract("skin")["forbidden_modules"]}
    assert forbidden == set(contract("rooms")["layers"]) - may


def test_every_format_is_a_room_of_its_own() -> None:
    folders = (ROOT / "src/hvrescue/images").glob("*/__init__.py")
    formats = {f"hvrescue.images.{file.parent.name}" for file in folders}
    assert set(contract("formats")["modules"]) == formats


# Put together here, so that this file does not name what it looks for.
FOLDERS = ("work", "root", "opt/pypi", "opt/wheels")
MACHINE = re.compile("|".join([*(f"/{name}/" for name in FOLDERS), "index" + "-url", "find" + "-links"]))


def test_nothing_names_one_machine() -> None:
    found = []
    for name in tree():
        if name == "uv.lock":
            continue
        text = (ROOT / name).read_bytes().decode("utf-8", "replace")
        found += [f"{name}: {match.group()}" for match in MACHINE.finditer(text)]
    assert found == []


def test_the_lock_names_the_public_index_only() -> None:
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    sources, hosts = set(), set()
    for package in lock["package"]:
        if package["name"] == "hvrescue":
            assert package["source"] == {"editable": "."}
            continue
        sources.add(tuple(package["source"].items()))
        files = [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        hosts |= {file["url"].split("/")[2] for file in files}
    assert sources == {(("registry", "https://pypi.org/simple"),)}
    assert hosts == {"files.pythonhosted.org"}


def test_nothing_built_is_tracked() -> None:
    assert [name for name in tree() if name.endswith((".pyc", ".mo", "compiled.json"))] == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("dependency", PROJECT["project"]["dependencies"])
def test_windows_has_a_wheel(dependency: str, tmp_path: Path) -> None:
    asked = [
        "--only-binary=:all:",
        "--platform",
        "win_amd64",
        "--python-version",
        "3.11",
        "--no-deps",
        "--retries",
        "1",
    ]
    command = [sys.executable, "-m", "pip", "download", "--quiet", *asked, "-d", str(tmp_path), dependency]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if "NewConnectionError" in answer.stderr or "No module named pip" in answer.stderr:
        pytest.skip("pip cannot ask the registry")
    assert answer.returncode == 0, answer.stderr
    assert [f.suffix for f in tmp_path.iterdir()] == [".whl"]
