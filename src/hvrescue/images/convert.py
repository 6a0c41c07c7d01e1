"""A virtual disk written as another file: raw or VHDX. Only what is known is copied; holes stay holes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hvrescue.byteio.copying import copy_run
from hvrescue.byteio.extents import Run, State
from hvrescue.byteio.source import ByteSource
from hvrescue.core.context import Context
from hvrescue.core.errors import Unreadable, problem
from hvrescue.core.limits import MIB
from hvrescue.core.words import Where
from hvrescue.images.disk import VirtualDisk
from hvrescue.images.vhdx.layout import INCOMPLETE
from hvrescue.images.vhdx.write import VhdxSpec, VhdxWriter


@dataclass(frozen=True, slots=True)
class Hole:
    """A range of the guest that could not be known; it reads as zeros in the copy."""

    offset: int
    length: int
    reason: str


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a copy will hold, found before the first byte is written. ``first``: the first unknown ranges."""

    present: int
    unknown: int
    ranges: int
    first: tuple[Hole, ...]


_SHOWN = 1000
MOST_HOLES = 2_000_000
"""A disk with more unknown ranges is refused: no map of them helps anybody, and each takes memory."""


def outlook(disk: VirtualDisk) -> Outlook:
    """Count the bytes to be copied and those that are not known."""
    present = unknown = ranges = 0
    first: list[Hole] = []
    for batch in disk.extents(0, disk.size):
        present += int(batch.length[batch.state == State.PRESENT].sum())
        lost = np.flatnonzero(batch.state == State.UNKNOWN)
        unknown += int(batch.length[lost].sum())
        ranges += lost.size
        shown = lost[: _SHOWN - len(first)]
        rows = zip(batch.start[shown].tolist(), batch.length[shown].tolist(), strict=True)
        first += [Hole(start, length, "structure") for start, length in rows]
    return Outlook(present, unknown, ranges, tuple(_joined(first)))


def _joined(holes: list[Hole]) -> Iterator[Hole]:
    last: Hole | None = None
    for hole in holes:
        if last is not None and last.offset + last.length == hole.offset and last.reason == hole.reason:
            last = Hole(last.offset, last.length + hole.length, last.reason)
            continue
        if last is not None:
            yield last
        last = hole
    if last is not None:
        yield last


def refuse_unknown(disk: VirtualDisk, look: Outlook, most: int = 0) -> None:
    """Raise ``Unreadable`` when more than ``most`` ranges of the guest are not known; none is the strict way."""
    if look.ranges > most:
        where = Where(disk.name, disk.name, "guest", "", look.first[0].offset, look.first[0].length)
        ranges = tuple((hole.offset, hole.length) for hole in look.first)
        raise Unreadable(problem("IMG-011", where, {"bytes": look.unknown, "ranges": look.ranges}), ranges)


def write_raw(disk: VirtualDisk, path: Path, ctx: Context, *, tolerant: bool) -> tuple[Hole, ...]:
    """The guest's bytes as a sparse file. ``tolerant``: a read error becomes a hole instead of an end."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    fd = os.open(path, flags, 0o644)
    try:
        os.ftruncate(fd, disk.size)
        holes = tuple(_joined(list(_copy(disk, fd, ctx, tolerant, lambda run: run.start))))
        os.fsync(fd)
    finally:
        os.close(fd)
    return holes


def write_vhdx(disk: VirtualDisk, path: Path, spec: VhdxSpec, ctx: Context, *, tolerant: bool) -> tuple[Hole, ...]:
    """A new VHDX without parent that holds the same guest; only blocks with content get room."""
    with VhdxWriter(path, spec) as writer:

        def target(run: Run) -> int:
            block, within = divmod(run.start, spec.block_size)
            return writer.place(block) + within

        holes = tuple(_joined(list(_copy(disk, writer.fd, ctx, tolerant, target, spec.block_size))))
        if holes:
            writer.creator = INCOMPLETE
        return holes


def _copy(
    disk: VirtualDisk, fd: int, ctx: Context, tolerant: bool, target: Callable[[Run], int], block: int = 0
) -> Iterator[Hole]:
    """Copy every known byte; gives what is not known. A target takes one writer at a time."""
    layers = disk.layers
    ctx.progress.start(disk.name, disk.size)
    for run in disk.runs(0, disk.size):
        if run.state == State.UNKNOWN:
            yield Hole(run.start, run.length, "structure")
        elif run.state == State.PRESENT:
            for piece in _pieces(layers[run.layer], run, block):
                try:
                    for step in copy_run(layers[piece.layer], piece.at, fd, target(piece), piece.length):
                        ctx.progress.advance(step)
                except Unreadable:
                    if not tolerant:
                        raise
                    yield Hole(piece.start, piece.length, "read error")
    ctx.progress.end()


_PIECE = 32 * MIB


def _pieces(source: ByteSource, run: Run, block: int) -> Iterator[Run]:
    """The parts of a run that are no holes of its file, cut at the target's blocks."""
    for part in source.holes(run.at, run.length):
        if part.state == State.ZERO:
            continue
        start, end = run.start + part.start - run.at, run.start + part.end - run.at
        while start < end:
            stop = min(end, start - start % (block or _PIECE) + (block or _PIECE))
            yield Run(start, stop - start, State.PRESENT, run.layer, run.at + start - run.start)
            start = stop
