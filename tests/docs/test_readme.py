"""README shows only what runs: its console blocks are executed in a folder with a host's storage in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hvrescue.lab.host import build_host
from tests.docs.console import Shell, Step, matches, steps
from tests.docs.pages import ROOT, text_of

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the examples are those of a POSIX shell")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """What the page calls /mnt."""
    build_host(tmp_path / "host")
    (tmp_path / "safe").mkdir()
    return tmp_path


@pytest.mark.parametrize(("name", "language"), [("README.md", "en"), ("README.de.md", "de")])
def test_what_is_shown_is_what_is_printed(name: str, language: str, place: Path) -> None:
    shell = Shell(place, language)
    done = 0
    for step in steps(text_of(ROOT / name)):
        printed = shell.run(step.command)
        assert matches(step.shown, printed), f"{step.command} prints:\n" + "\n".join(printed)
        done += 1
    assert done >= 8


PRINTED = ["one", "  two of three", "", "four"]


@pytest.mark.parametrize("shown", ["one/  two of three//four", ".../four", "one/...", "one/...two.../.../four"])
def test_the_runner_accepts(shown: str) -> None:
    assert matches(tuple(shown.split("/")), PRINTED)


@pytest.mark.parametrize("shown", ["one/four", "one", "one/two of three//four", "four/.../one", "one/...5"])
def test_the_runner_can_fail(shown: str) -> None:
    assert not matches(tuple(shown.split("/")), PRINTED)


def test_steps_of_a_page() -> None:
    page = "```sh\n$ not this\n```\n\n```console\n$ a\nb\n$ c\n```\n"
    assert list(steps(page)) == [Step("a", ("b",)), Step("c", ())]


def test_the_exit_code_is_that_of_the_command_before(tmp_path: Path) -> None:
    shell = Shell(tmp_path, "en")
    shell.run("exit 3")
    assert shell.run("echo $?") == ["3"]
