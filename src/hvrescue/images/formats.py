"""The disk formats there are. A new one is a folder, a line here, catalogue entries and matrix rows."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol
from uuid import UUID

from hvrescue.byteio.file import FileSource
from hvrescue.byteio.medium import readers
from hvrescue.byteio.source import ByteSource
from hvrescue.core.context import Context
from hvrescue.core.errors import Unreadable
from hvrescue.images import recognise
from hvrescue.images.describe import Field
from hvrescue.images.disk import Layer
from hvrescue.images.survey import Survey


class Doors(Protocol):
    """What a format's ``format.py`` offers."""

    def sniff(self, source: ByteSource) -> bool:
        """Whether the content is of this format."""

    def survey(self, source: ByteSource, ctx: Context) -> Survey[Any]:
        """One pass that never raises on content."""

    def layer_of(self, survey: Survey[Any]) -> Layer:
        """The readable layer of a survey without refusal."""

    def link_of(self, source: ByteSource) -> UUID | None:
        """The identity that a child would name, without a survey."""

    def describe(self, survey: Survey[Any]) -> list[Field]:
        """Fields by their names in the specification."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format's name and the file name endings that promise it. Its code is imported when it is needed."""

    name: str
    suffixes: frozenset[str]

    @property
    def doors(self) -> Doors:
        """Its code."""
        return _doors(self.name)


@cache
def _doors(name: str) -> Doors:
    module: Any = importlib.import_module(f"hvrescue.images.{name}.format")
    doors: Doors = module
    return doors


FORMATS = (
    Format("vhdx", frozenset({".vhdx", ".avhdx"})),
    Format("vhd", frozenset({".vhd", ".avhd", ".vud"})),
    Format("raw", frozenset({".img", ".raw", ".dd", ".bin"})),
)
DISK_SUFFIXES = frozenset().union(*(f.suffixes for f in FORMATS[:2]))
"""Names that promise a virtual disk."""


def format_of(source: ByteSource) -> Format | None:
    """By content, in the table's order."""
    return next((f for f in FORMATS if f.doors.sniff(source)), None)


def survey_image(source: ByteSource, ctx: Context) -> Survey[Any]:
    """Survey whatever this is; what is no disk is told apart (``recognise``)."""
    if isinstance(source, FileSource):
        ctx = ctx.with_workers(readers(source.path, ctx.workers))
    promised = _promised(source.name)
    try:
        found = format_of(source)
    except Unreadable as error:
        return recognise.survey_of_unreadable(source, error)
    if found is not None and (found.name != "raw" or promised in ("", "raw")):
        return found.doors.survey(source, ctx)
    if promised == "raw":
        return _named("raw").doors.survey(source, ctx)
    stranger = recognise.survey_of_no_disk(source, bool(promised))
    if promised == "vhd" and (found is not None or [f.code for f in stranger.findings] == ["IMG-005"]):
        # Nothing but its footer makes a fixed VHD one: without it, it is raw bytes under this name.
        from hvrescue.images.vhd.survey import survey_without_footer

        return survey_without_footer(source, ctx)
    return stranger


def _promised(name: str) -> str:
    suffix = suffix_of(name)
    return next((f.name for f in FORMATS if suffix in f.suffixes), "")


def layer_of(survey: Survey[Any]) -> Layer:
    """The readable layer of a survey without refusal."""
    return _named(survey.format).doors.layer_of(survey)


def link_of(source: ByteSource, format: str) -> UUID | None:
    """The identity a child of this format would name; None when it is no such disk."""
    return _named(format).doors.link_of(source)


def describe(survey: Survey[Any]) -> list[Field]:
    """The fields of a survey, under their names in the format's specification."""
    known = any(f.name == survey.format for f in FORMATS)
    return _named(survey.format).doors.describe(survey) if known else []


def suffixes_of(format: str) -> frozenset[str]:
    """File name endings of a format."""
    return _named(format).suffixes


def suffix_of(name: str) -> str:
    """The ending of a file's name, lower case, with its dot."""
    base = name.replace("\\", "/").rpartition("/")[2]
    return "." + base.rpartition(".")[2].lower() if "." in base else ""


def _named(name: str) -> Format:
    return next(f for f in FORMATS if f.name == name)
