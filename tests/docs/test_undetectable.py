"""What the strangers' generator calls not detectable is explained to people, in both languages; nothing else is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, text_of
from tests.strangers.cases import DamagePlan, plans
from tests.strangers.damage import REGISTER

PAGES = [ROOT / "docs" / "undetectable.md", ROOT / "docs" / "undetectable.de.md"]
_DAMAGES = re.compile(r"^<!-- damages:([^>]*?)-->$", re.MULTILINE)


def explained(page: Path) -> list[str]:
    """``vhdx/payload-lost``: from the comment that stands in each section."""
    return [name for comment in _DAMAGES.findall(text_of(page)) for name in comment.split()]


def damaged() -> Iterator[tuple[str, DamagePlan]]:
    """Every damaged case, unbuilt, under the name that the pages use."""
    for plan in plans():
        if isinstance(plan, DamagePlan):
            yield f"{plan.format}/{plan.damage.name}", plan


def is_hidden(plan: DamagePlan, place: Path) -> bool:
    """Only the built case knows: it may depend on what the log still holds."""
    case = plan.build(place)
    hidden = not case.expect.detectable
    case.discard()
    return hidden


def test_both_languages_explain_the_same() -> None:
    english, german = map(explained, PAGES)
    assert english == german
    assert len(english) == len(set(english))


@pytest.mark.parametrize("page", PAGES, ids=["en", "de"])
def test_each_section_names_its_damages(page: Path) -> None:
    sections = re.split(r"^## ", text_of(page), flags=re.MULTILINE)[2:]  # without the introduction and the remedies
    assert [section.splitlines()[0] for section in sections if len(_DAMAGES.findall(section)) != 1] == []


def test_what_is_registered_as_hidden_is_explained() -> None:
    hidden = {f"{'vhd' if d.apply_vhdx is None else 'vhdx'}/{d.name}" for d in REGISTER if not d.detectable}
    assert hidden - set(explained(PAGES[0])) == set()


def test_what_is_explained_can_be_hidden(tmp_path: Path) -> None:
    wanted = set(explained(PAGES[0]))
    for name, plan in damaged():
        if name in wanted and is_hidden(plan, tmp_path):
            wanted.remove(name)
    assert wanted == set()


@pytest.mark.slow
def test_whatever_is_hidden_is_explained(tmp_path: Path) -> None:
    wanted = set(explained(PAGES[0]))
    assert {name for name, plan in damaged() if name not in wanted and is_hidden(plan, tmp_path)} == set()
