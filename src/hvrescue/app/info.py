"""``disk info``: what a disk says of itself, without judging it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hvrescue.app import pieces
from hvrescue.app.looking import Drives, look_at
from hvrescue.app.result import COULD_NOT_LOOK, HEALTHY, PROBLEMS, Result
from hvrescue.core import units
from hvrescue.core.context import Context
from hvrescue.core.language import _
from hvrescue.core.words import Scalar, Verdict
from hvrescue.document.model import Block, Document, Facts, Heading, Paragraph
from hvrescue.images.formats import describe
from hvrescue.rules.catalogue import shell_quoted

SCHEMA = "hvrescue/disk-info/1"


def disk_info(path: Path, drives: Drives, ctx: Context) -> Result:
    """Fields by their names in the format's specification. Exit 1 when something is wrong with the disk."""
    looked = look_at(path, drives, ctx)
    survey = looked.survey
    fields = describe(survey)
    data: dict[str, Any] = {
        "complete": not survey.not_looked,
        "path": survey.source.name,
        "format": survey.format,
        "verdict": survey.verdict.value,
        "file_size": survey.source.size,
        "disk": pieces.identity_data(survey.identity),
        "fields": {field.name: field.value for field in fields},
        "parents": [link.source.name for link in looked.chain.links[1:]],
        "not_looked": pieces.not_looked_data(survey.not_looked),
    }
    rows = [(_("disk"), pieces.kind_words(survey.identity, survey.format))]
    rows.append((_("file size"), units.size(survey.source.size)))
    rows += [(field.name, _value(field.value, field.unit)) for field in fields]
    rows += [(_("parent"), link.source.name) for link in looked.chain.links[1:]]
    blocks: list[Block] = [Heading(survey.source.name, 1), Facts(tuple(rows))]
    verdict = survey.verdict
    if verdict != Verdict.HEALTHY:
        text = _("Something is wrong with this disk. To see what: {command}")
        text = text.format(command=f"hvrescue disk check {shell_quoted(survey.source.name)}")
        blocks.append(Paragraph(text, pieces.verdict_word(verdict), pieces.VERDICT_TONES[verdict]))
    code = {Verdict.HEALTHY: HEALTHY, Verdict.UNKNOWN: COULD_NOT_LOOK}.get(verdict, PROBLEMS)
    return Result(Document(SCHEMA, data, tuple(blocks)), code)


def _value(value: Scalar, unit: str) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, int):
        return {"bytes": units.size, "offset": units.offset}.get(unit, units.number)(value)
    return str(value)
