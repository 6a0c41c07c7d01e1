"""Every verb's document is as its schema says: for healthy disks, damaged ones, chains, and what cannot be read."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hvrescue.app.demo import demo
from hvrescue.app.diagnose import diagnose
from hvrescue.app.explain import explain
from hvrescue.cli.main import cli
from hvrescue.cli.running import run
from hvrescue.core import language
from hvrescue.core.context import QUIET, Context
from hvrescue.core.limits import MIB, Limits
from hvrescue.lab.host import build_host
from hvrescue.rules import catalogue
from tests.schemas.documents import READERS, Json, complaints, converted, printed
from tests.strangers.cases import first_of_each

PLANS = list(first_of_each())
SLICES = 8


@pytest.fixture(params=["en", "de"])
def spoken(request: pytest.FixtureRequest) -> Iterator[str]:
    """One run in each language: texts differ, the form does not."""
    before = language.language()
    language.speak(request.param)
    yield request.param
    language.speak(before)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lab's broken host."""
    folder = tmp_path_factory.mktemp("host")
    build_host(folder)
    return folder


@pytest.mark.parametrize("part", range(SLICES))
def test_verbs_that_read(part: int, tmp_path: Path) -> None:
    """check, info, chain and map over every healthy variant and every damage."""
    found: list[str] = []
    for plan in PLANS[part::SLICES]:
        case = plan.build(tmp_path)
        for verb in READERS:
            found += [f"{case.name}: {text}" for text in complaints(printed(lambda: verb(case.leaf)))]  # noqa: B023
        case.discard()
    assert found == []


def test_convert(tmp_path: Path) -> None:
    """Strict and tolerant, to raw and to VHDX; refusals are documents too."""
    found: list[str] = []
    kinds: set[str] = set()
    for plan in PLANS[::25]:
        case = plan.build(tmp_path)
        if case.truth.virtual_size <= 128 * MIB:
            documents = converted(case.leaf, case.directory / "strict.vhdx", damaged=False)
            documents += converted(case.leaf, case.directory / "tolerant.raw", damaged=True)
            found += [f"{case.name}: {text}" for document in documents for text in complaints(document)]
            kinds |= {document["schema"] for document in documents}
        case.discard()
    assert found == []
    assert kinds == {"hvrescue/disk-convert/1", "hvrescue/hole-map/1", "hvrescue/error/1"}


def test_convert_with_holes(host: Path, tmp_path: Path) -> None:
    disk = host / "SQL01" / "SQL01.vhdx"
    document, holes = converted(disk, tmp_path / "out.raw", damaged=True)
    assert complaints(document) == complaints(holes) == []
    assert document["holes"] == len(holes["holes"]) > 0


def test_diagnose(host: Path, spoken: str) -> None:
    document = printed(lambda: diagnose([host], {}, QUIET))
    assert complaints(document) == []
    assert document["findings"] and document["steps"] and document["avoid"]


def test_diagnose_nothing(tmp_path: Path) -> None:
    document = printed(lambda: diagnose([tmp_path], {}, QUIET))
    assert complaints(document) == []
    assert document["disks"] == []


def test_diagnose_with_things_left_out(host: Path) -> None:
    document = printed(lambda: diagnose([host], {}, Context(limits=Limits(disks=3))))
    assert complaints(document) == []
    assert len(document["not_looked"]) > 1


def test_demo(tmp_path: Path) -> None:
    assert complaints(printed(lambda: demo(tmp_path, QUIET))) == []


def test_explain() -> None:
    assert complaints(printed(lambda: explain(" ".join(catalogue.codes())))) == []
    assert complaints(printed(lambda: explain("VHDX-BAT-999 and no code at all"))) == []


OTHERS = {
    "empty.vhdx": b"",
    "zeros.vhdx": bytes(4 * MIB),
    "text.vhd": b"no disk " * 1000,
    "cut.vhdx": b"vhdxfile" + bytes(1000),
    "odd.raw": bytes(513),
    "whole.raw": bytes(MIB),
}


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_whole_disk(name: str, tmp_path: Path, spoken: str) -> None:
    (tmp_path / name).write_bytes(OTHERS[name])
    for verb in READERS:
        assert complaints(printed(lambda: verb(tmp_path / name))) == []  # noqa: B023


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.vhdx", tmp_path):
        for verb in READERS:
            document = printed(lambda: verb(path))  # noqa: B023
            assert complaints(document) == []
            assert document["schema"] == "hvrescue/error/1"
    assert complaints(printed(lambda: diagnose([tmp_path / "missing"], {}, QUIET))) == []


def test_standard_output_holds_one_document(host: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command line itself: ``--json`` prints the document, whole and alone, and its exit code fits."""
    disk = str(host / "SQL01" / "SQL01.vhdx")
    target = str(tmp_path / "out.raw")
    for argv, exit_code, schema in (
        (["disk", "check", disk], 1, "hvrescue/disk-check/1"),
        (["disk", "check", str(host / "DC01" / "DC01.vhdx")], 0, "hvrescue/disk-check/1"),
        (["disk", "check", target], 3, "hvrescue/error/1"),
        (["disk", "convert", disk, target], 3, "hvrescue/error/1"),
        (["disk", "convert", disk, disk], None, "hvrescue/error/1"),
        (["diagnose", str(host)], 1, "hvrescue/diagnosis/1"),
        (["explain", "VHDX-BAT-005"], 0, "hvrescue/explanation/1"),
    ):
        code = run(cli, [*argv, "--json", "--quiet"])
        document = json.loads(capsys.readouterr().out)
        assert document["schema"] == schema
        assert complaints(document) == []
        assert code == exit_code or exit_code is None
        assert document.get("exit_code", code) == code


def test_less_or_more_is_refused(host: Path) -> None:
    """The schemas can say no: every key taken away, and one added, at every level."""
    for verb in READERS:
        document = printed(lambda: verb(host / "MAIL01" / "MAIL01.vhdx"))  # noqa: B023
        assert complaints(document) == []
        for path, keys in _objects(document):
            if path and path[-1] in ("args", "fields"):
                continue
            assert complaints(_changed(document, path, "surplus", 1)), path
            for key in keys:
                if (*path, key) != ("schema",):
                    assert complaints(_changed(document, path, key)), (path, key)


def _objects(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], list[str]]]:
    if isinstance(value, dict):
        yield path, list(value)
        for key, part in value.items():
            yield from _objects(part, (*path, key))
    elif isinstance(value, list) and value:
        yield from _objects(value[0], (*path, 0))


def _changed(document: Json, path: tuple[str | int, ...], key: str, value: object = None) -> Json:
    """A copy with a key taken away, or set."""
    changed = copy.deepcopy(document)
    place: Any = changed
    for step in path:
        place = place[step]
    if value is None:
        del place[key]
    else:
        place[key] = value
    return changed
