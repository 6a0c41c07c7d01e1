"""The texts of findings, by code, in the language asked for. Compiled from ``packs`` by ``hatch_build.py``."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hvrescue.core import units
from hvrescue.core.language import _, language
from hvrescue.core.words import Finding, NotLooked, Scalar, Where

_COMPILED = os.path.join(os.path.dirname(__file__), "compiled.json")  # noqa: PTH118, PTH120 - pathlib is slow to start
_PLAIN = re.compile(r"[\w@%+=:,./\\-]+", re.ASCII)
_HOLE = re.compile(r"\{(\w+)(?::(\w+))?\}")


@dataclass(frozen=True, slots=True)
class Texts:
    """What a person reads of a finding. ``action``: what a repair would do; empty when there is none."""

    code: str
    title: str
    meaning: str
    next: str
    avoid: str
    action: str
    invariants: tuple[str, ...]


@cache
def _compiled() -> dict[str, Any]:
    with open(_COMPILED, encoding="utf-8") as file:  # noqa: PTH123
        loaded: dict[str, Any] = json.load(file)
    return loaded


def codes() -> list[str]:
    """Every finding code there is, sorted."""
    return sorted(_compiled()["findings"])


def texts(code: str, args: Mapping[str, Scalar], lang: str | None = None) -> Texts:
    """A finding's texts with its arguments filled in. ``KeyError`` for a code that does not exist."""
    row = _compiled()["findings"][code]
    spoken = lang or language()

    def text(field: str) -> str:
        return fill(row[field][spoken], args) if field in row else ""

    return Texts(
        code,
        text("title"),
        text("meaning"),
        text("next"),
        text("avoid"),
        text("action"),
        tuple(row["invariant"]),
    )


def texts_of(finding: Finding) -> Texts:
    """The texts of a finding about its first place."""
    return texts(finding.code, arguments(finding.args, finding.where[0], finding.count))


def reason_of(note: NotLooked) -> str:
    """Why something was not looked at, in one line."""
    return texts(note.reason, arguments(note.args, note.where, 1)).title


def arguments(args: Mapping[str, Scalar], where: Where, count: int) -> dict[str, Scalar]:
    """What a text may name: the finding's arguments, its place and its count."""
    place: dict[str, Scalar] = {"where": place_of(where), "path": where.path, "count": count}
    return {**place, "image": shell_quoted(where.path), "offset": where.offset, "size": where.size, **args}


def shell_quoted(path: str) -> str:
    """A path as a shell takes it, with anything unprintable made harmless."""
    shown = units.printable(path, 1000)
    return shown if _PLAIN.fullmatch(shown) else "'" + shown.replace("'", "'\"'\"'") + "'"


def place_of(where: Where) -> str:
    """A place in words: structure, field and offset."""
    words = ", ".join(_place_word(w) for w in (where.structure, where.field) if w)
    if where.offset is None:
        return words or where.path
    at = f"@ {units.offset(where.offset)}" + (f" ({units.size(where.size)})" if where.size else "")
    return f"{words} {at}".strip()


def _place_word(name: str) -> str:
    """A structure's or field's name; those that are no names of the specification in the language spoken."""
    words = {
        "unowned": _("unowned room"),
        "guest": _("guest"),
        "file": _("file"),
        "block": _("block"),
        "entry": _("entry"),
        "footer": _("footer"),
        "bitmap": _("bitmap"),
        "sector of zeros": _("sector of zeros"),
        "sector bitmap of chunk": _("sector bitmap of chunk"),
        "after the footer": _("after the footer"),
    }
    text, _blank, last = name.rpartition(" ")
    number = last if last.isdigit() else ""
    stem = text if number else name
    return f"{words.get(stem, stem)} {number}".strip()


def fill(template: str, args: Mapping[str, Scalar]) -> str:
    """Put arguments into ``{name}``, ``{name:size}`` (bytes with unit), ``{name:hex}``; escapes made visible."""
    return _HOLE.sub(
        lambda hole: _shown(args.get(hole[1], "IMAGE" if hole[1] == "image" else "…"), hole[2]), template
    )


def _shown(value: Scalar, form: str | None) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "?"}[value] if language() == "en" else _GERMAN[value]
    if isinstance(value, int):
        if form == "size":
            return units.size(value)
        return units.offset(value) if form == "hex" else units.number(value)
    if isinstance(value, float):
        return units.number(value, 2)
    return units.printable(value)


_GERMAN: dict[bool | None, str] = {True: "ja", False: "nein", None: "?"}
