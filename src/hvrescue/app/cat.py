"""``disk cat``: guest bytes to a stream; exact, or an end with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

from hvrescue.app.looking import Drives, look_at
from hvrescue.core.context import Context
from hvrescue.core.errors import Misuse, problem
from hvrescue.core.words import Where
from hvrescue.images.chain import open_chain

_STEP = 4 << 20


def cat_disk(path: Path, offset: int, length: int | None, out: BinaryIO, drives: Drives, ctx: Context) -> None:
    """Write [offset, offset+length) of the guest. Raises before the first byte that cannot be known."""
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
