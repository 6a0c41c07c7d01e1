"""Holes of a sparse file, asked of the file system and never read."""

from __future__ import annotations

import errno
import os
import sys

import numpy as np

from hvrescue.byteio.extents import Extents, State, extents, single

_MAX_RUNS = 1_000_000
"""A file cut into more pieces than this is taken as data from there on: correct, only slower."""


def file_holes(fd: int, offset: int, size: int) -> Extents:
    """PRESENT and ZERO runs of [offset, offset+size). The descriptor's position is used by nobody else."""
    if sys.platform == "win32":
        return single(offset, size, State.PRESENT, offset)
    end, at = offset + size, offset
    starts: list[int] = []
    states: list[int] = []
    try:
        while at < end and len(starts) < _MAX_RUNS:
            data = _seek(fd, at, os.SEEK_DATA, end)
            if data > at:
                starts.append(at)
                states.append(State.ZERO)
            if data < end:
                starts.append(data)
                states.append(State.PRESENT)
            at = min(end, _seek(fd, data, os.SEEK_HOLE, end)) if data < end else end
    except OSError:
        return single(offset, size, State.PRESENT, offset)
    if at < end:
        starts.append(at)
        states.append(State.PRESENT)
    columns = np.array(starts, np.int64)
    return extents(columns, end, np.array(states, np.uint8), columns)


def _seek(fd: int, at: int, what: int, end: int) -> int:
    try:
        return min(end, os.lseek(fd, at, what))
    except OSError as error:
        if error.errno == errno.ENXIO:
            return end
        raise
