"""Property 6: the order in which sources are named changes nothing that is found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hvrescue.app.diagnose import diagnose
from hvrescue.core.context import QUIET
from hvrescue.images.vhdx.write import LogKind
from hvrescue.lab.damages import damage
from hvrescue.lab.guests import write_base, write_child

MIB = 1 << 20
SIZE = 8 * MIB


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Sources that need each other: parents elsewhere, twice the same parent, one inside the other."""
    root = tmp_path_factory.mktemp("host")
    one, two, three, four = (root / name for name in ("one", "two", "three", "four"))
    for folder in (one, two, three, four, one / "inner"):
        folder.mkdir()
    link = write_base(two / "base.vhdx", "base", SIZE, (0, 1))
    write_base(three / "base.vhdx", "base", SIZE, (0, 1))
    damage("beyond-end").plant(three / "base.vhdx")
    write_child(one / "inner" / "child.avhdx", "child", two / "base.vhdx", link, SIZE, (1,))
    write_child(four / "child.avhdx", "other", one / "nowhere.vhdx", link, SIZE, (2,))
    write_base(four / "pending.vhdx", "pending", SIZE, (0, 3), log=LogKind.PENDING)
    damage("overlap").plant(write_third(four))
    (one / "loop").symlink_to(one)
    return one, one / "inner", two, three, four


def write_third(folder: Path) -> Path:
    path = folder / "overlap.vhdx"
    write_base(path, "overlap", SIZE, (0, 1, 2), log=LogKind.EMPTY)
    return path


def essence(data: Any) -> dict[str, Any]:
    """All of a diagnosis but the order of the sources themselves; the step that copies names the first of them."""
    kept = ("complete", "summary", "onset", "machines", "disks", "findings", "causes", "avoid", "timeline")
    notes = sorted(str(note) for note in data["not_looked"])
    steps = [{**step, "command": step["command"].partition("cp -a")[0]} for step in data["steps"]]
    return {**{key: data[key] for key in kept}, "not_looked": notes, "steps": steps}


@settings(max_examples=12)
@given(st.data())
def test_the_order_of_sources_changes_nothing(host: tuple[Path, ...], data: st.DataObject) -> None:
    expected = essence(diagnose(host, {}, QUIET).document.data)
    assert len(expected["disks"]) == 6
    order = data.draw(st.permutations(host))
    assert essence(diagnose(order, {}, QUIET).document.data) == expected
