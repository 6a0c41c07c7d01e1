"""The schemas themselves: as described, valid, complete, strict, and carried by the wheel."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder
from jsonschema import Draft202012Validator

from scripts.lib import schemas
from tests.schemas.documents import SCHEMAS

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(SCHEMAS.glob("*"))
USED = re.compile(r"\bhvrescue/([a-z][a-z-]*)/(\d+)\b")


def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Every part of a schema that describes an object."""
    if isinstance(schema, list):
        for part in schema:
            yield from objects(part)
    elif isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for part in schema.values():
            yield from objects(part)


def test_committed_as_described() -> None:
    assert schemas.drift() == [], "run scripts/lib/schemas.py in the .venv"


def test_drift_is_seen(tmp_path: Path) -> None:
    for file in FILES:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert schemas.drift(tmp_path) == []
    (tmp_path / "error-1.json").unlink()
    (tmp_path / "hole-map-1.json").write_text("{}\n", encoding="utf-8")
    (tmp_path / "stray.json").write_text("{}\n", encoding="utf-8")
    assert schemas.drift(tmp_path) == ["error-1.json", "hole-map-1.json", "stray.json"]


def test_every_schema_the_source_names_is_there_and_no_other() -> None:
    named = set()
    for file in (ROOT / "src" / "hvrescue").rglob("*.py"):
        named |= {f"{name}-{number}.json" for name, number in USED.findall(file.read_text(encoding="utf-8"))}
    assert {file.name for file in FILES} == named


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_valid_and_named_as_its_file(file: Path) -> None:
    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    assert schema["properties"]["schema"] == {"const": schema["title"]}
    assert schema["title"].replace("/", "-") == f"hvrescue-{file.stem}"
    assert set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema))) == set(schema.get("$defs", {}))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_strict(file: Path) -> None:
    """An object names its keys, requires all of them and takes no other; or it is a table of scalars."""
    for part in objects(json.loads(file.read_text(encoding="utf-8"))):
        if "properties" in part:
            assert part["additionalProperties"] is False
            assert part["required"] == list(part["properties"])
        else:
            assert part["additionalProperties"] == schemas.SCALAR


@pytest.mark.slow
def test_the_wheel_carries_them(tmp_path: Path) -> None:
    built = next(WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"]))
    with zipfile.ZipFile(built) as wheel:
        inside = {name for name in wheel.namelist() if name.startswith("hvrescue/schemas/")}
    assert inside == {f"hvrescue/schemas/{file.name}" for file in FILES}
