"""The broken host of the lab: what was planted is found, dated, and answered with the right warning."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hvrescue.app.demo import demo
from hvrescue.app.diagnose import diagnose
from hvrescue.core.context import QUIET
from hvrescue.images.vhd.write import write_differencing, write_dynamic
from hvrescue.lab.host import build_host
from tests.images.vhd.build import BLOCK, PARENT, child_recipe, pattern, recipe


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("host")
    build_host(root)
    return root


@pytest.fixture(scope="module")
def data(host: Path) -> dict[str, Any]:
    result = diagnose([host], {}, QUIET)
    assert result.exit_code == 1
    return dict(result.document.data)


def disk(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(d for d in data["disks"] if name in d["path"])


@pytest.mark.parametrize(
    ("name", "verdict", "start", "code"),
    [
        ("DC01.vhdx", "healthy", "yes", "VHDX-LOG-001"),
        ("FILES01.vhdx", "healthy", "never", ""),
        ("FILES01_", "healthy", "yes", ""),
        ("ERP01.vhdx", "healthy", "never", ""),
        ("ERP01_", "damaged", "no", "CHAIN-002"),
        ("WEB01_", "damaged", "no", "CHAIN-001"),
        ("MAIL01", "damaged", "no", "VHDX-BAT-005"),
        ("SQL01", "damaged", "no", "VHDX-BAT-004"),
        ("APP01", "damaged", "no", "VHDX-HDR-002"),
        ("PRINT01", "unreadable", "no", "VHDX-LOG-002"),
        ("TEST01", "unreadable", "no", "IMG-001"),
    ],
)
def test_each_disk(data: dict[str, Any], name: str, verdict: str, start: str, code: str) -> None:
    found = disk(data, name)
    assert (found["verdict"], found["may_start"]) == (verdict, start)
    assert not code or code in found["findings"]


def test_who_depends_on_whom(data: dict[str, Any]) -> None:
    child = disk(data, "FILES01_")
    assert disk(data, "FILES01.vhdx")["children"] == [child["path"]]
    assert child["parent"] == disk(data, "FILES01.vhdx")["path"]
    assert disk(data, "ERP01.vhdx")["estranged"] == [disk(data, "ERP01_")["path"]]
    assert disk(data, "WEB01_")["orphan"]


def test_since_when(data: dict[str, Any]) -> None:
    assert disk(data, "ERP01_")["onset"]["before"] == "2026-11-20T06:12:00Z"
    assert disk(data, "WEB01_")["onset"]["after"] == "2026-11-20T02:12:00Z"
    assert disk(data, "MAIL01")["onset"]["before"] == "2026-11-20T03:12:00Z"
    assert disk(data, "DC01.vhdx")["onset"] is None


def test_the_first_steps_change_nothing(data: dict[str, Any]) -> None:
    assert {step["risk"] for step in data["steps"]} == {"reads"}
    commands = [step["command"] for step in data["steps"]]
    whole = next(c for c in commands if "APP01.vhdx" in c)
    assert "--allow-damaged" not in whole
    holed = next(c for c in commands if "MAIL01.vhdx" in c)
    assert "--allow-damaged --hole-map" in holed


def test_the_order_of_sources_changes_nothing(host: Path, data: dict[str, Any]) -> None:
    folders = sorted(p for p in host.iterdir() if p.is_dir())
    one, two = (diagnose(order, {}, QUIET).document.data for order in (folders, folders[::-1]))
    assert one["disks"] == two["disks"]
    assert one["findings"] == two["findings"]


def test_a_copy_elsewhere_is_diagnosed_alike(host: Path, data: dict[str, Any], tmp_path: Path) -> None:
    copy = shutil.copytree(host, tmp_path / "copy", copy_function=shutil.copy2)
    again = diagnose([copy], {}, QUIET).document.data
    assert [d["verdict"] for d in again["disks"]] == [d["verdict"] for d in data["disks"]]


def test_the_demo_is_right_about_itself(tmp_path: Path) -> None:
    assert demo(tmp_path, QUIET).exit_code == 0


def test_nothing_there_is_not_healthy(tmp_path: Path) -> None:
    result = diagnose([tmp_path], {}, QUIET)
    assert result.exit_code == 3


def test_a_vhd_parent_written_to_later(tmp_path: Path) -> None:
    """A VHD keeps its identity when it is written to: only the times tell."""
    born = 1_700_000_000
    parent = replace(PARENT, timestamp=born - 946_684_800)
    write_dynamic(tmp_path / "base.vhd", recipe(), {0: pattern(1, BLOCK)})
    write_differencing(tmp_path / "child.avhd", child_recipe(), parent, {0: pattern(2, BLOCK)})

    def codes(written: int) -> list[str]:
        os.utime(tmp_path / "child.avhd", (born + 100, born + 100))
        os.utime(tmp_path / "base.vhd", (written, written))
        found: list[str] = disk(dict(diagnose([tmp_path], {}, QUIET).document.data), "child.avhd")["findings"]
        return found

    assert "CHAIN-014" not in codes(born)
    assert "CHAIN-014" in codes(born + 10_000)
