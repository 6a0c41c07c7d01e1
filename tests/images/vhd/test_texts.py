"""Each code of this folder has texts, each text a code; and what a text names is what the finding carries."""

from __future__ import annotations

import re
import string
from pathlib import Path

import hatch_build

from .one_of_each import one_of_each

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ROOT / "src" / "hvrescue" / "images" / "vhd"
CODE = re.compile(r'"(VHD-[A-Z]+-\d{3})"')


def test_codes_and_texts() -> None:
    used = {code for file in SOURCES.glob("*.py") for code in CODE.findall(file.read_text(encoding="utf-8"))}
    compiled = hatch_build.compile_packs(ROOT / hatch_build.PACKS)["findings"]
    assert used == {code for code in compiled if code.startswith("VHD-")}


def test_safe_texts_name_a_repair() -> None:
    """What can be repaired says what the repair would do."""
    compiled = hatch_build.compile_packs(ROOT / hatch_build.PACKS)["findings"]
    silent = {code for code, row in compiled.items() if code.startswith("VHD-") and "action" not in dict_of(row)}
    assert silent == {"VHD-FTR-007", "VHD-BAT-003"}


def test_findings_carry_what_their_texts_name(tmp_path: Path) -> None:
    """The damaged disks of the other tests, one of each finding."""
    compiled = hatch_build.compile_packs(ROOT / hatch_build.PACKS)["findings"]
    seen = set()
    for found in one_of_each(tmp_path):
        for finding in found.findings:
            row = dict_of(compiled[finding.code])
            args = row["args"]
            assert isinstance(args, list)
            assert set(finding.args) == set(args), finding.code
            assert placeholders(row) <= set(args) | hatch_build.ALWAYS
            seen.add(finding.code)
    assert seen == {code for code in compiled if code.startswith("VHD-")}


def dict_of(row: object) -> dict[str, object]:
    assert isinstance(row, dict)
    return row


def placeholders(row: dict[str, object]) -> set[str]:
    texts = [text for part in row.values() if isinstance(part, dict) for text in part.values()]
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}
