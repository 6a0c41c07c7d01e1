"""The compiler of packs and translations: what it makes, and what it refuses, by file and line."""

from __future__ import annotations

import gettext
import io
import json
import textwrap
from pathlib import Path

import pytest

import hatch_build as compiler
from hvrescue.rules import catalogue

GOOD = """\
findings:
  VHDX-HDR-001:
    invariant: X3
    args: [copy, got]
    title: {en: Header copy broken, de: Kopfkopie beschädigt}
    meaning:
      en: "Copy {copy} holds {got:hex} at {where}."
      de: "An {where}, {offset:hex}, steht {got:hex}."
    next: {en: Nothing., de: Nichts.}
    avoid: {en: Do not compact., de: Nicht komprimieren.}
"""


def write(folder: Path, text: str, name: str = "disks/vhdx.yaml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def problems(folder: Path) -> list[str]:
    with pytest.raises(compiler.LintError) as caught:
        compiler.compile_packs(folder)
    return caught.value.problems


def test_no_packs_yet(tmp_path: Path) -> None:
    assert compiler.compile_packs(tmp_path / "none") == {"findings": {}}
    assert compiler.as_json({"findings": {}}) == '{"findings":{}}\n'


def test_a_good_pack(tmp_path: Path) -> None:
    compiled = compiler.compile_packs(write(tmp_path, GOOD))
    assert compiled == {
        "findings": {
            "VHDX-HDR-001": {
                "invariant": ["X3"],
                "args": ["copy", "got"],
                "title": {"en": "Header copy broken", "de": "Kopfkopie beschädigt"},
                "meaning": {
                    "en": "Copy {copy} holds {got:hex} at {where}.",
                    "de": "An {where}, {offset:hex}, steht {got:hex}.",
                },
                "next": {"en": "Nothing.", "de": "Nichts."},
                "avoid": {"en": "Do not compact.", "de": "Nicht komprimieren."},
            }
        }
    }


def test_optional_parts(tmp_path: Path) -> None:
    more = "    action: {en: Rewrite it., de: Neu schreiben.}\n"
    text = GOOD.replace("invariant: X3", "invariant: [X3, X4]").replace("VHDX-HDR-001", "CHAIN-005") + more
    finding = compiler.compile_packs(write(tmp_path, text))["findings"]["CHAIN-005"]
    assert isinstance(finding, dict)
    assert finding["invariant"] == ["X3", "X4"]
    assert finding["action"] == {"en": "Rewrite it.", "de": "Neu schreiben."}


def test_the_same_packs_give_the_same_bytes(tmp_path: Path) -> None:
    other = GOOD.replace("HDR-001", "LOG-002")
    first = write(write(tmp_path / "a", GOOD), other, "zz/last.yaml")
    second = write(write(tmp_path / "b", other, "aa/first.yaml"), GOOD)
    one = compiler.as_json(compiler.compile_packs(first))
    assert one == compiler.as_json(compiler.compile_packs(second))
    assert list(json.loads(one)["findings"]) == ["VHDX-HDR-001", "VHDX-LOG-002"]
    assert ": " not in one.split('"title"')[0]
    assert "beschädigt" in one


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("    invariant: X3", "    invariants: X3", 3, "VHDX-HDR-001: unknown key 'invariants'"),
        ("    next: {en: Nothing., de: Nichts.}\n", "", 2, "VHDX-HDR-001 lacks 'next'"),
        ("next: {en: Nothing., de: Nichts.}", "next: {en: Nothing.}", 9, "VHDX-HDR-001.next lacks 'de'"),
        ("de: Nichts.", "de: Nichts., fr: Rien.", 9, "unknown language 'fr'"),
        ("de: Nichts.", "de: ' '", 9, "VHDX-HDR-001.next.de is empty"),
        ("de: Nichts.", "de: ", 9, "VHDX-HDR-001.next.de must be text"),
        ("de: Nichts.", "de: 5", 9, "VHDX-HDR-001.next.de must be text (quote it?)"),
        ("de: Nichts.", "en: Nichts.", 9, "VHDX-HDR-001.next has 'en' twice"),
        ("next: {en: Nothing., de: Nichts.}", "next: Nothing.", 9, "VHDX-HDR-001.next must be a mapping"),
        ("{got:hex} at", "{gott:hex} at", 7, "meaning.en: placeholder {gott} is not in args"),
        ("{offset:hex}", "{index}", 8, "meaning.de: placeholder {index} is not in args"),
        ("{got:hex} at", "{got:08X} at", 7, "placeholder {got:08X}: unknown format; known: hex, size"),
        ("{copy} holds", "{} holds", 7, "a brace that is no placeholder"),
        ("{copy} holds", "{copy.real} holds", 7, "a brace that is no placeholder"),
        ("{copy} holds", "{copy!r} holds", 7, "a brace that is no placeholder"),
        ("{copy} holds", "{{copy}} holds", 7, "a brace that is no placeholder"),
        ("{got:hex} at", "{got:{copy}} at", 7, "a brace that is no placeholder"),
        ("{copy} holds", "{copy holds", 7, "a brace that is no placeholder"),
        ("{copy} holds", "copy} holds", 7, "a brace that is no placeholder"),
        ("args: [copy, got]", "args: [copy, got, copy]", 4, "VHDX-HDR-001.args has 'copy' twice"),
        ("args: [copy, got]", "args: copy", 4, "VHDX-HDR-001.args must be a list"),
        ("args: [copy, got]", "args: [copy, got, A-b]", 4, "'A-b' must be a plain name"),
        ("invariant: X3", "invariant: [X3, [X4]]", 3, "an entry of VHDX-HDR-001.invariant must be text"),
        ("VHDX-HDR-001", "VHDX-HDR-1", 2, "code 'VHDX-HDR-1' is not of the form"),
        ("VHDX-HDR-001", "vhdx-HDR-001", 2, "code 'vhdx-HDR-001' is not of the form"),
        ("VHDX-HDR-001", "A-B-C-001", 2, "code 'A-B-C-001' is not of the form"),
        ("findings:", "finding:", 1, "unknown section 'finding'; known: findings"),
        ("    invariant: X3", "    invariant: [X3", 4, "not YAML"),
    ],
)
def test_what_is_refused_says_where(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    assert old in GOOD
    found = problems(write(tmp_path, GOOD.replace(old, new, 1)))
    assert any(p.startswith(f"disks/vhdx.yaml:{line}: ") and says in p for p in found), found


def test_the_program_knows_every_format_the_compiler_lets_pass() -> None:
    shown = {catalogue.fill(f"{{n:{form}}}", {"n": 5 << 20}) for form in compiler.FORMATS}
    assert len(shown) == len(compiler.FORMATS)
    assert catalogue.fill("{n}", {"n": 5 << 20}) not in shown


def test_one_wrong_thing_is_one_complaint(tmp_path: Path) -> None:
    assert len(problems(write(tmp_path, GOOD.replace("de: Nichts.", "de: ''")))) == 1
    assert len(problems(write(tmp_path, "findings:\n  VHDX-HDR-001:\n"))) == 1


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    write(tmp_path, GOOD.replace("de: Nichts.", "de: ''").replace("X3", "[]"))
    write(tmp_path, GOOD.replace("HDR-001", "HDR-002").replace("{copy}", "{cop}"), "disks/vhd.yaml")
    found = problems(tmp_path)
    assert {p.partition(":")[0] for p in found} == {"disks/vhd.yaml", "disks/vhdx.yaml"}


def test_a_code_stands_once_in_all_packs(tmp_path: Path) -> None:
    write(write(tmp_path, GOOD, "disks/a.yaml"), GOOD, "disks/b.yaml")
    assert problems(tmp_path) == ["disks/b.yaml:2: code VHDX-HDR-001 stands already in disks/a.yaml:2"]


def test_a_code_stands_once_in_one_pack(tmp_path: Path) -> None:
    again = GOOD.split("\n", 1)[1]
    assert problems(write(tmp_path, GOOD + again)) == ["disks/vhdx.yaml:11: findings has 'VHDX-HDR-001' twice"]


@pytest.mark.parametrize("name", ["vhdx.yaml", "disks/more/vhdx.yaml", "disks/vhdx.yml"])
def test_a_pack_at_the_wrong_place(tmp_path: Path, name: str) -> None:
    assert problems(write(tmp_path, GOOD, name)) == [f"{name}:1: a pack is <topic>/<id>.yaml"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the pack is empty"),
        (b"- a\n", "the pack must be a mapping"),
        (b"findings: [a]\n", "findings must be a mapping"),
        (b"findings:\n  x: \xff\n", "not UTF-8"),
        (b"a: \x00\n", "not YAML"),
        (b"? [a]\n: b\n", "a key of the pack must be text"),
    ],
)
def test_what_is_no_pack(tmp_path: Path, content: bytes, says: str) -> None:
    write(tmp_path, "").joinpath("disks/vhdx.yaml").write_bytes(content)
    found = problems(tmp_path)
    assert len(found) == 1
    assert found[0].startswith("disks/vhdx.yaml:1: ") or "findings" in found[0]
    assert says in found[0]


PO = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: de\\n"

msgid "Disks"
msgstr "Datenträger"

#, fuzzy
msgid "Chain"
msgstr "Band"
"""


def house(folder: Path) -> Path:
    write(folder / compiler.PACKS, GOOD)
    write(folder / compiler.LOCALE, PO, "de/LC_MESSAGES/hvrescue.po")
    return folder


def test_build_writes_what_changed_and_nothing_else(tmp_path: Path) -> None:
    root = house(tmp_path)
    mo = root / compiler.LOCALE / "de/LC_MESSAGES/hvrescue.mo"
    before = sorted(f for f in root.rglob("*") if f.is_file())
    assert compiler.build(root) == [root / compiler.COMPILED, mo]
    assert sorted(f for f in root.rglob("*") if f.is_file()) == sorted([*before, root / compiler.COMPILED, mo])
    assert compiler.build(root) == []
    write(root / compiler.PACKS, GOOD.replace("Nothing.", "Wait."))
    assert compiler.build(root) == [root / compiler.COMPILED]
    assert "Wait." in (root / compiler.COMPILED).read_text(encoding="utf-8")


def test_a_wrong_pack_leaves_the_built_files_alone(tmp_path: Path) -> None:
    root = house(tmp_path)
    compiler.build(root)
    before = (root / compiler.COMPILED).read_bytes()
    write(root / compiler.PACKS, GOOD.replace("X3", "[]").replace("de: Nichts.", "de: ''"))
    with pytest.raises(compiler.LintError):
        compiler.build(root)
    assert (root / compiler.COMPILED).read_bytes() == before


def test_translations_speak_and_guesses_do_not(tmp_path: Path) -> None:
    po = house(tmp_path) / compiler.LOCALE / "de/LC_MESSAGES/hvrescue.po"
    german = gettext.GNUTranslations(io.BytesIO(compiler.compile_translation(po)))
    assert german.gettext("Disks") == "Datenträger"
    assert german.gettext("Chain") == "Chain"
