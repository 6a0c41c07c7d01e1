"""How verbs open what the user names: a disk with its neighbours, drives mapped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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


def reach_of(path: Path) -> Path | None:
    """One folder above a disk's own, since checkpoints lie beside their parents' folder; never a whole drive."""
    above = path.parent.parent
    return None if above == above.parent or os.path.ismount(path.parent) or os.path.ismount(above) else above


def look_at(path: Path, drives: Drives, ctx: Context) -> Looked:
    """Survey a disk and its parents. Raises ``RescueError`` when the file itself cannot be opened.

    Parents are looked for in the disk's folder and below; a recorded path may lead one folder up.
    """
    path = path.absolute()
    near = Folder(path.parent, drives, ctx.limits, reach=reach_of(path))
    survey = survey_image(near.open(path), ctx)
    return Looked(survey, chains.resolve(survey, near, ctx))
