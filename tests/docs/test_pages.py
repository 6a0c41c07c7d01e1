"""Pages hold together: both languages, links, codes, commands; and those written by a program are up to date."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest

from hvrescue.cli.main import cli
from hvrescue.rules.catalogue import codes
from tests.docs.pages import ENGLISH, EVERY, GERMAN, PRESENT, ROOT, blocks, code_spans, headings, text_of

_CODE = re.compile(r"\b(?:CHAIN|DIA|IMG|OUT|RAW|SRC|VHDX?-[A-Z]+)-\d{3}\b")
_LINK = re.compile(r"\]\(([^)\s]+)\)")


def names(pages: list[Path]) -> list[str]:
    return [page.relative_to(ROOT).as_posix() for page in pages]


@pytest.mark.parametrize("page", ENGLISH, ids=names(ENGLISH))
def test_german_has_the_same_headings_and_code(page: Path) -> None:
    english, german = text_of(page), text_of(page.with_suffix(".de.md"))
    assert headings(english) == headings(german)
    assert blocks(english) == blocks(german)
    assert _CODE.findall(english) == _CODE.findall(german)


def test_no_page_is_alone() -> None:
    assert [page.with_suffix(".de.md") for page in ENGLISH] == GERMAN


@pytest.mark.parametrize("page", EVERY, ids=names(EVERY))
def test_links_lead_somewhere(page: Path) -> None:
    inside = [link for link in _LINK.findall(text_of(page)) if not link.startswith(("https://", "#"))]
    assert [link for link in inside if not (page.parent / link.partition("#")[0]).exists()] == []


@pytest.mark.parametrize("page", EVERY, ids=names(EVERY))
def test_codes_exist(page: Path) -> None:
    known = set(codes())
    assert [code for code in _CODE.findall(text_of(page)) if code not in known] == []


def verbs() -> list[str]:
    """``diagnose``, ``disk check``: every command there is."""
    context = click.Context(cli)
    disk = cli.get_command(context, "disk")
    assert isinstance(disk, click.Group)
    return [*(name for name in cli.list_commands(context) if name != "disk"), *(f"disk {n}" for n in disk.commands)]


def verb_of(span: str) -> str:
    """The command that a piece of code names; empty when it names none."""
    words = [*span.removeprefix("hvrescue ").split(), ""]
    if words[0] == "disk" and words[1]:
        return " ".join(words[:2])
    return words[0] if span.startswith("hvrescue ") and words[0].isalpha() and words[0] != "disk" else ""


@pytest.mark.parametrize("page", PRESENT, ids=names(PRESENT))
def test_commands_exist(page: Path) -> None:
    """Nothing that comes later is spoken of as if it were there."""
    named = {verb for span in code_spans(text_of(page)) if (verb := verb_of(span))}
    assert named - set(verbs()) == set()


@pytest.mark.parametrize("name", ["README.md", "README.de.md"])
def test_readme_names_every_command_and_exit_code(name: str) -> None:
    rows = [row.strip() for row in re.findall(r"^\| `?([^|`]+)", text_of(ROOT / name), re.MULTILINE)]
    assert [verb for verb in verbs() if not any(row == verb or row.startswith(f"{verb} ") for row in rows)] == []
    assert [code for code in ("0", "1", "2", "3", "4", "5", "130") if code not in rows] == []


@pytest.mark.parametrize("path", re.findall(r"`([a-z]+/[\w/.]+)`", text_of(ROOT / "ARCHITECTURE.md")))
def test_the_architecture_names_what_is_there(path: str) -> None:
    assert any((root / path).exists() for root in (ROOT, ROOT / "src" / "hvrescue"))


def test_the_architecture_names_every_room() -> None:
    rooms = {folder.parent.name for folder in (ROOT / "src" / "hvrescue").glob("*/__init__.py")}
    named = set(re.findall(r"^\| `(\w+)` \|", text_of(ROOT / "ARCHITECTURE.md"), re.MULTILINE))
    assert named == rooms


def test_written_by_a_program_and_up_to_date() -> None:
    command = [sys.executable, "scripts/lib/docs.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr


def test_the_package_carries_the_readme() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["readme"] == "README.md"
