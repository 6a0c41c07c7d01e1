"""``disk convert``: the guest's bytes, through chain and log, into a new file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hvrescue.app import pieces
from hvrescue.app.check import all_findings
from hvrescue.app.looking import Drives, Looked, look_at
from hvrescue.app.result import HEALTHY, PROBLEMS, Result
from hvrescue.byteio.file import FileSource
from hvrescue.byteio.target import new_file, refuse_taken
from hvrescue.core import units
from hvrescue.core.context import Context
from hvrescue.core.errors import Misuse, Refused, StepFailed, problem
from hvrescue.core.language import _
from hvrescue.core.limits import MIB
from hvrescue.core.words import Severity, Where, worst
from hvrescue.document.model import Block, Document, Facts, Heading, Paragraph, Tone
from hvrescue.images import convert
from hvrescue.images.chain import open_chain
from hvrescue.images.convert import Hole
from hvrescue.images.disk import VirtualDisk
from hvrescue.images.formats import DISK_SUFFIXES
from hvrescue.images.vhdx.write import VhdxSpec

SCHEMA = "hvrescue/disk-convert/1"
HOLE_MAP_SCHEMA = "hvrescue/hole-map/1"
_FOREIGN_SUFFIXES = frozenset({".vmdk", ".vdi", ".qcow2", ".vhds"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What to write where. ``hole_map``: where the ranges that could not be known are listed."""

    target: Path
    format: str = ""
    allow_damaged: bool = False
    hole_map: Path | None = None
    block_size: int = 32 * MIB

    @property
    def kind(self) -> str:
        """The format asked for, else the one the target's name promises, else raw."""
        return self.format or ("vhdx" if self.target.suffix.lower() == ".vhdx" else "raw")


def convert_disk(path: Path, wish: Wish, drives: Drives, ctx: Context) -> Result:
    """Write the new file. Strict unless damage is allowed and a hole map is kept.

    Exit 1 with holes, or when the chain leaves it doubtful whether these are the right bytes.
    """
    refuse_taken(wish.target, 0)
    _refuse_other_name(wish)
    looked = look_at(path, drives, ctx)
    disk = open_chain(looked.chain, allow_damaged=wish.allow_damaged)
    look = convert.outlook(disk)
    convert.refuse_unknown(disk, look, convert.MOST_HOLES if wish.allow_damaged else 0)
    if wish.hole_map is not None:
        refuse_taken(wish.hole_map, 0)
        if wish.hole_map.absolute() == wish.target.absolute():
            raise Refused(problem("OUT-001", Where(str(wish.target), str(wish.target))))
    with new_file(wish.target, look.present) as part:
        holes = _write(disk, part, wish, ctx)
        _refuse_if_changed(looked)
    if wish.hole_map is not None:
        with new_file(wish.hole_map, 0) as part:
            part.write_text(_hole_map(holes), encoding="utf-8")
    written = look.present - sum(h.length for h in holes if h.reason != "structure")
    document = Document(
        SCHEMA, _data(looked, wish, disk, holes, written), tuple(_blocks(looked, wish, disk, holes, written))
    )
    doubtful = worst(looked.chain.findings) >= Severity.WARNING
    return Result(document, PROBLEMS if holes or doubtful else HEALTHY)


def _refuse_other_name(wish: Wish) -> None:
    """A raw file under a disk format's name is a trap: Hyper-V goes by the name."""
    suffix, where = wish.target.suffix.lower(), Where(str(wish.target), str(wish.target))
    other = suffix != ".vhdx" if wish.kind == "vhdx" else suffix in DISK_SUFFIXES | _FOREIGN_SUFFIXES
    if other:
        raise Misuse(problem("OUT-005", where, {"suffix": suffix, "format": wish.kind}))


def _write(disk: VirtualDisk, part: Path, wish: Wish, ctx: Context) -> tuple[Hole, ...]:
    if wish.kind == "raw":
        return convert.write_raw(disk, part, ctx, tolerant=wish.allow_damaged)
    if disk.size % disk.sector_size or not disk.size:
        where = Where(disk.name, disk.name)
        raise Refused(problem("OUT-006", where, {"virtual_size": disk.size, "sector": disk.sector_size}))
    spec = VhdxSpec(disk.size, wish.block_size, disk.sector_size, max(4096, disk.sector_size))
    return convert.write_vhdx(disk, part, spec, ctx, tolerant=wish.allow_damaged)


def _refuse_if_changed(looked: Looked) -> None:
    for link in looked.chain.links:
        source = link.source
        if isinstance(source, FileSource) and source.changed():
            raise StepFailed(problem("SRC-008", Where(source.name, source.name)))


def _hole_map(holes: tuple[Hole, ...]) -> str:
    rows = [{"offset": h.offset, "length": h.length, "reason": h.reason} for h in holes]
    return json.dumps({"schema": HOLE_MAP_SCHEMA, "holes": rows}, indent=1) + "\n"


def _data(looked: Looked, wish: Wish, disk: VirtualDisk, holes: tuple[Hole, ...], written: int) -> dict[str, Any]:
    return {
        "complete": not holes,
        "path": looked.survey.source.name,
        "target": str(wish.target),
        "format": wish.kind,
        "virtual_size": disk.size,
        "copied": written,
        "unknown": sum(h.length for h in holes),
        "holes": len(holes),
        "hole_map": str(wish.hole_map) if wish.hole_map else None,
        "findings": [pieces.finding_data(f) for f in all_findings(looked)],
    }


def _blocks(looked: Looked, wish: Wish, disk: VirtualDisk, holes: tuple[Hole, ...], written: int) -> Iterator[Block]:
    lost = sum(h.length for h in holes)
    yield Heading(str(wish.target), 1)
    if holes:
        text = _("{bytes} could not be known (ranges: {count}). They are zeros in the copy: it is incomplete.")
        yield Paragraph(
            text.format(bytes=units.size(lost), count=units.number(len(holes))), _("INCOMPLETE"), Tone.ERROR
        )
    else:
        text = _("Every byte was copied as the structures say. Content has no checksum and cannot be verified.")
        yield Paragraph(text, _("DONE"), Tone.GOOD)
    rows = [
        (_("from"), looked.survey.source.name),
        (_("format"), wish.kind.upper()),
        (_("size"), units.size(disk.size)),
        (_("data copied"), units.size(written)),
    ]
    if wish.hole_map:
        rows.append((_("hole map"), str(wish.hole_map)))
    yield Facts(tuple(rows))
    if holes:
        yield Paragraph(_("Do not start a VM from this copy. Attach it read-only and copy the files out."))
    for finding in all_findings(looked):
        if finding.severity >= Severity.WARNING:
            yield pieces.finding_card(finding, finding.where[0].path)
