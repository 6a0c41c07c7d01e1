"""Is the check for untranslated strings awake?"""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.lib import catalogue


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "disk.py").write_text('print(_("Disks"), _("{count} read"))\n', encoding="utf-8")
    return tmp_path


def translate(source: Path, german: dict[str, str], extra: str = "") -> None:
    po = catalogue.translations(source, "de")
    catalogue.update(source, "de")
    text = po.read_text(encoding="utf-8")
    for english, words in german.items():
        text = text.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{words}"')
    po.write_text(text + extra, encoding="utf-8")


COMPLETE = {"Disks": "Datenträger", "{count} read": "{count} gelesen"}


def test_complete(source: Path) -> None:
    translate(source, COMPLETE)
    assert list(catalogue.problems(source, "de")) == []
    before = catalogue.translations(source, "de").read_text(encoding="utf-8")
    assert "Datenträger" in before
    catalogue.update(source, "de")
    assert catalogue.translations(source, "de").read_text(encoding="utf-8") == before


def test_no_translations_at_all(source: Path) -> None:
    assert list(catalogue.problems(source, "de")) == [
        "hvrescue.po for 'de' does not exist, and 2 strings want translating"
    ]


def test_nothing_to_translate(tmp_path: Path) -> None:
    assert list(catalogue.problems(tmp_path, "de")) == []


def test_one_is_empty(source: Path) -> None:
    translate(source, {"Disks": "Datenträger"})
    assert list(catalogue.problems(source, "de")) == ["cli/disk.py:1: not translated into de: '{count} read'"]


def test_one_is_missing_and_one_is_left_over(source: Path) -> None:
    translate(source, COMPLETE)
    (source / "cli" / "disk.py").write_text('print(_("Disks"), _("Chains"))\n', encoding="utf-8")
    assert list(catalogue.problems(source, "de")) == [
        "cli/disk.py:1: not in de: 'Chains'",
        "hvrescue.po: no longer in the source: '{count} read'",
    ]


def test_a_guess_is_no_translation(source: Path) -> None:
    translate(source, COMPLETE)
    po = catalogue.translations(source, "de")
    po.write_text(
        po.read_text(encoding="utf-8").replace('msgid "Disks"', '#, fuzzy\nmsgid "Disks"'), encoding="utf-8"
    )
    assert list(catalogue.problems(source, "de")) == ["cli/disk.py:1: only guessed (fuzzy) in de: 'Disks'"]


def test_placeholders_must_be_the_same(source: Path) -> None:
    translate(source, COMPLETE | {"{count} read": "{anzahl} gelesen"})
    assert list(catalogue.problems(source, "de")) == ["cli/disk.py:1: other placeholders in de: '{count} read'"]
