"""``disk map``: which guest range lies where, in which file of the chain."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Any

from hvrescue.app import pieces
from hvrescue.app.check import all_not_looked
from hvrescue.app.looking import Drives, look_at
from hvrescue.app.result import COULD_NOT_LOOK, HEALTHY, PROBLEMS, Result
from hvrescue.byteio.extents import Run, State
from hvrescue.core import units
from hvrescue.core.context import Context
from hvrescue.core.language import _
from hvrescue.document.model import Block, Document, Heading, Paragraph, Table, Tone
from hvrescue.images.chain import open_chain

SCHEMA = "hvrescue/disk-map/1"


def disk_map(path: Path, most: int, drives: Drives, ctx: Context) -> Result:
    """At most ``most`` extents. Unknown ranges are shown as such: exit 1. Exit 3 when something was not looked at."""
    looked = look_at(path, drives, ctx)
    disk = open_chain(looked.chain, allow_damaged=True)
    runs = list(islice(disk.runs(0, disk.size), most + 1))
    cut, runs = len(runs) > most, runs[:most]
    names, notes = [layer.name for layer in disk.layers], all_not_looked(looked)
    data: dict[str, Any] = {
        "complete": not cut and not notes,
        "path": looked.survey.source.name,
        "virtual_size": disk.size,
        "layers": names,
        "extents": [_data(run) for run in runs],
        "not_looked": pieces.not_looked_data(notes),
    }
    columns = (_("guest offset"), _("length"), _("state"), _("file"), _("file offset"))
    rows = tuple(_row(run, names) for run in runs)
    blocks: list[Block] = [Heading(looked.survey.source.name, 1), Table(columns, rows, frozenset({0, 1, 4}))]
    if cut:
        text = _("Only the first {count} ranges are shown; --most shows more.").format(count=units.number(most))
        blocks.append(Paragraph(text, _("CUT"), Tone.WARNING))
    blocks += pieces.not_looked_blocks(notes)
    unknown = any(run.state == State.UNKNOWN for run in runs)
    code = PROBLEMS if unknown else COULD_NOT_LOOK if notes else HEALTHY
    return Result(Document(SCHEMA, data, tuple(blocks)), code)


def _data(run: Run) -> dict[str, Any]:
    row: dict[str, Any] = {"offset": run.start, "length": run.length, "state": run.state.name.lower()}
    if run.state == State.PRESENT:
        row.update(layer=run.layer, at=run.at)
    return row


def _row(run: Run, names: list[str]) -> tuple[str, ...]:
    words = {State.PRESENT: _("data"), State.ZERO: _("zeros"), State.UNKNOWN: _("UNKNOWN"), State.PARENT: ""}
    there = run.state == State.PRESENT
    name = Path(names[run.layer]).name if there else ""
    at = units.offset(run.at) if there else ""
    return units.offset(run.start), units.size(run.length), words[run.state], name, at
