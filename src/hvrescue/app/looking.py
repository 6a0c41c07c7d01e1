"""How verbs open what the user names: a disk with its neighbours, drives mapped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hvrescue.byteio.medium import readers
from hvrescue.core.context import Context
from hvrescue.images import chain as chains
from hvrescue.images.chain import Chain
from hvrescue.images.formats import survey_image
from hvrescue.images.survey import Survey
from hvrescue.sources.folder import Folder

Drives = Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Looked:
    """A disk surveyed together with the chain beneath it."""

    survey: Survey[Any]
    chain: Chain


def look_at(path: Path, drives: Drives, ctx: Context) -> Looked:
    """Survey a disk and its parents. Raises ``RescueError`` when the file itself cannot be opened.

    Parents are looked for in the disk's folder and below; a recorded path may lead one folder up.
    """
    path = path.absolute()
    ctx = ctx.with_workers(readers(path, ctx.workers))
    near = Folder(path.parent, drives, ctx.limits, reach=path.parent.parent)
    survey = survey_image(near.open(path), ctx)
    return Looked(survey, chains.resolve(survey, near, ctx))
