"""Law 11: two languages, complete."""

from __future__ import annotations

import ast
import gettext
import re
from functools import cache
from pathlib import Path

import pytest

from hvrescue.core import language
from hvrescue.rules import catalogue
from tests.hostile.cli import ROOT, child, tidy
from tests.laws.scene import Scene

SOURCE = ROOT / "src" / "hvrescue"
LOCALE = SOURCE / "core" / "locale"
_CODE = re.compile(r"\b(?:VHDX|VHD|RAW|IMG|CHAIN|SRC|OUT|DIA)(?:-[A-Z]+)?-\d{3}\b")
_HOLE = re.compile(r"\{[^}]*\}")


@cache
def english() -> tuple[str, ...]:
    """Every string of the program that is meant to be translated."""
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "say")
            if named and isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
    return tuple(sorted(found))


@cache
def codes_in_use() -> frozenset[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py"))
    return frozenset(_CODE.findall(text)) - {"VHDX-BAT-999"}


def test_every_code_has_texts_in_both_languages() -> None:
    unknown = codes_in_use() - set(catalogue.codes())
    assert not unknown
    for code in catalogue.codes():
        both = [catalogue.texts(code, {}, spoken) for spoken in language.LANGUAGES]
        for field in ("title", "meaning", "next"):
            one, two = (getattr(texts, field) for texts in both)
            assert one and two and one != two, (code, field)
        assert bool(both[0].avoid) == bool(both[1].avoid), code
        assert bool(both[0].action) == bool(both[1].action), code


@pytest.mark.parametrize(
    "words",
    [["diagnose", "{root}"], ["disk", "check", "{damaged}"], ["disk", "check", "{orphan}"], ["disk", "info", "{vhd}"],
     ["disk", "info", "{refused}"], ["disk", "chain", "{child}"], ["disk", "chain", "{orphan}"],
     ["disk", "map", "{damaged}"], ["disk", "check", "{root}"], ["disk", "convert", "{damaged}", "/nowhere/x"],
     ["explain", "VHDX-HDR-001"], ["explain", "VHDX-HDR-999"], ["--help"], ["disk", "--help"],
     ["disk", "convert", "--help"], ["diagnose", "--help"], ["disk", "check"], ["disk", "check", "--map", "x", "y"]],
    ids=lambda words: "-".join(words).replace("/", ""),
)  # fmt: skip
def test_german_is_german(scene: Scene, words: list[str]) -> None:
    """No piece of an English string is left in what a German reads."""
    if not (LOCALE / "de" / "LC_MESSAGES" / "hvrescue.mo").is_file():
        pytest.skip("no compiled translation")
    german = gettext.translation("hvrescue", LOCALE, ["de"]).gettext
    files = {name: str(path) for name, path in scene.files.items()} | {"root": str(scene.root)}
    full = [word.format(**files) if "{" in word else word for word in words]
    ran = tidy(child(*full, "--lang", "de", env={"LC_ALL": "C.UTF-8", "COLUMNS": "100", "HVRESCUE_LANG": "en"}))
    shown = " ".join(ran.both.split())
    assert shown
    left = []
    for text in english():
        theirs = " ".join(german(text).split())
        for piece in _HOLE.split(" ".join(text.split())):
            long_enough = len(piece.strip()) >= 12 and " " in piece.strip()
            if long_enough and piece.strip() not in theirs and piece.strip() in shown:
                left.append(piece)
    assert not left
    assert "Traceback" not in shown


def test_findings_are_german(scene: Scene) -> None:
    ran = tidy(child("disk", "check", "--json", "--lang", "de", scene.damaged))
    for finding in ran.data["findings"]:
        texts = catalogue.texts(finding["code"], {}, "en")
        assert finding["title"] != texts.title


@pytest.mark.parametrize(
    ("words", "env", "wanted"),
    [
        ([], {}, "en"),
        ([], {"LANG": "de_DE.UTF-8"}, "de"),
        ([], {"LANG": "de_DE.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ([], {"HVRESCUE_LANG": "de", "LC_ALL": "en_US.UTF-8"}, "de"),
        (["--lang", "de"], {"HVRESCUE_LANG": "en"}, "de"),
        (["--lang=de"], {}, "de"),
        (["--lang", "fr"], {}, "en"),
        (["--", "--lang", "de"], {}, "en"),
        (["--lang"], {"LANG": "fr_FR.UTF-8"}, "en"),
    ],
)
def test_who_decides(
    monkeypatch: pytest.MonkeyPatch, words: list[str], env: dict[str, str], wanted: str, tmp_path: Path
) -> None:
    del tmp_path
    for name in ("HVRESCUE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert language.wanted_language(words) == wanted
