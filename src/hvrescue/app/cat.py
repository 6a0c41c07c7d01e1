"""``disk cat``: guest bytes to a stream; exact, or an end with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from hvrescue.app import pieces
from hvrescue.app.looking import Drives, look_at
from hvrescue.app.result import HEALTHY, PROBLEMS, Result
from hvrescue.core.context import Context
from hvrescue.core.errors import Misuse, problem
from hvrescue.core.words import Severity, Where
from hvrescue.document.model import Document
from hvrescue.images.chain import open_chain

_STEP = 4 << 20


def cat_disk(path: Path, offset: int, length: int | None, out: BinaryIO, drives: Drives, ctx: Context) -> Result:
    """Write [offset, offset+length) of the guest. Raises before the first byte that cannot be known.

    The result holds what makes it doubtful whether these are the right bytes (exit 1); mostly nothing.
    """
    looked = look_at(path, drives, ctx)
    disk = open_chain(looked.chain)
    end = disk.size if length is None else offset + length
    if offset > disk.size or end > disk.size:
        where = Where(disk.name, disk.name, "guest", "", offset, max(0, end - offset))
        raise Misuse(problem("IMG-012", where, {"virtual_size": disk.size}))
    while offset < end:
        step = min(_STEP, end - offset)
        out.write(disk.pread(offset, step))
        offset += step
    doubts = [f for f in looked.chain.findings if f.severity >= Severity.WARNING]
    blocks = tuple(pieces.finding_card(f, f.where[0].path) for f in doubts)
    data = {"complete": True, "findings": [pieces.finding_data(f) for f in doubts]}
    return Result(Document("hvrescue/disk-cat/1", data, blocks), PROBLEMS if doubts else HEALTHY)
