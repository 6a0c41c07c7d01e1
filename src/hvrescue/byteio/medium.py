"""What a file lies on: only where heads need not travel may several readers work at once (law 6)."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path

_MEMORY_FILE_SYSTEMS = frozenset({"tmpfs", "ramfs"})


class Medium(StrEnum):
    """UNKNOWN is treated as ROTATIONAL."""

    SOLID = "solid"
    ROTATIONAL = "rotational"
    UNKNOWN = "unknown"


def medium_of(path: Path) -> Medium:
    """Asked of Linux; other systems do not say without rights, so that it is UNKNOWN there."""
    if sys.platform == "win32":
        return Medium.UNKNOWN
    try:
        device = path.stat().st_dev
        major, minor = os.major(device), os.minor(device)
    except OSError:
        return Medium.UNKNOWN
    if _file_system(f"{major}:{minor}") in _MEMORY_FILE_SYSTEMS:
        return Medium.SOLID
    block = Path(f"/sys/dev/block/{major}:{minor}")
    # A partition has no queue of its own; its disk lies one folder up.
    for folder in (block, block / ".."):
        try:
            rotational = (folder / "queue" / "rotational").read_text(encoding="ascii").strip()
        except OSError:
            continue
        return Medium.ROTATIONAL if rotational == "1" else Medium.SOLID
    return Medium.UNKNOWN


def _file_system(device: str) -> str:
    """The type of the file system mounted from a device number, after ``/proc/self/mountinfo``."""
    try:
        with Path("/proc/self/mountinfo").open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                fields, _, rest = line.partition(" - ")
                if fields.split()[2:3] == [device]:
                    return rest.split()[0]
    except (OSError, IndexError):
        pass
    return ""


def readers(path: Path, workers: int) -> int:
    """How many threads may read from there at once."""
    return workers if medium_of(path) == Medium.SOLID else 1
