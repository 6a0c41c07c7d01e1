"""Verbs run in process, their documents as JSON, and the validators of the committed schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

import hvrescue
from hvrescue.app.chain import disk_chain
from hvrescue.app.check import check_disk
from hvrescue.app.convert import Wish, convert_disk
from hvrescue.app.failure import failure
from hvrescue.app.info import disk_info
from hvrescue.app.map import disk_map
from hvrescue.app.result import Result
from hvrescue.core.context import QUIET
from hvrescue.core.errors import RescueError
from hvrescue.document.json import render_json

SCHEMAS = Path(hvrescue.__file__).parent / "schemas"
Json = dict[str, Any]
Verb = Callable[[Path], Result]


@cache
def validator(name: str) -> Draft202012Validator:
    """``validator("hvrescue/disk-check/1")``."""
    file = SCHEMAS / f"{name.removeprefix('hvrescue/').replace('/', '-')}.json"
    schema = json.loads(file.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def complaints(document: Json) -> list[str]:
    """What its own schema has against a document."""
    errors = validator(document["schema"]).iter_errors(document)
    return [f"{document['schema']} {error.json_path}: {error.message[:200]}" for error in errors]


def printed(verb: Callable[[], Result]) -> Json:
    """The document a verb would print, its failure's included."""
    try:
        result = verb()
    except RescueError as error:
        result = failure(error)
    document: Json = json.loads(render_json(result.document))
    return document


READERS: tuple[Verb, ...] = (
    lambda path: check_disk(path, {}, QUIET),
    lambda path: disk_info(path, {}, QUIET),
    lambda path: disk_chain(path, {}, QUIET),
    lambda path: disk_map(path, 100, {}, QUIET),
)


def converted(path: Path, target: Path, *, damaged: bool) -> list[Json]:
    """The document of a conversion, and its hole map where one was written."""
    holes = target.with_suffix(".holes.json") if damaged else None
    wish = Wish(target, allow_damaged=damaged, hole_map=holes)
    documents = [printed(lambda: convert_disk(path, wish, {}, QUIET))]
    if holes is not None and holes.exists():
        documents.append(json.loads(holes.read_text(encoding="utf-8")))
    return documents
