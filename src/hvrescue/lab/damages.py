"""Named damages to VHDX files: what real storage, crashes and people do, done on purpose and written down.

A damage knows where it put what; it does not know what hvrescue says of it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hvrescue.core.limits import KIB, MIB

_BAT, _METADATA = 3 * MIB, 2 * MIB
"""Where our writer puts them."""


@dataclass(frozen=True, slots=True)
class Planted:
    """The truth about one damage. ``places``: (offset, size) in the file; ``loses``: whether guest bytes are lost."""

    name: str
    path: Path
    places: tuple[tuple[int, int], ...]
    loses: bool


@dataclass(frozen=True, slots=True)
class Damage:
    """``apply`` changes the file and says where. ``english`` and ``german`` tell it."""

    name: str
    english: str
    german: str
    loses: bool
    apply: Callable[[Path], tuple[tuple[int, int], ...]]

    def plant(self, path: Path) -> Planted:
        """Do it."""
        return Planted(self.name, path, self.apply(path), self.loses)


def poke(path: Path, offset: int, data: bytes) -> tuple[int, int]:
    """Overwrite bytes of a file."""
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(data)
    return offset, len(data)


def _peek(path: Path, offset: int, size: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)


def _used_entries(path: Path) -> list[int]:
    """Offsets of BAT entries of present blocks."""
    table = _peek(path, _BAT, 64 * KIB)
    return [_BAT + n for n in range(0, len(table), 8) if table[n] & 7 >= 6]


def _header_copy(path: Path) -> tuple[tuple[int, int], ...]:
    return (poke(path, 64 * KIB + 100, b"\xff" * 8),)


def _both_headers(path: Path) -> tuple[tuple[int, int], ...]:
    return tuple(poke(path, at, bytes(4 * KIB)) for at in (64 * KIB, 128 * KIB))


def _region_copy(path: Path) -> tuple[tuple[int, int], ...]:
    return (poke(path, 192 * KIB, bytes(512)),)


def _identifier(path: Path) -> tuple[tuple[int, int], ...]:
    return (poke(path, 0, bytes(512)),)


def _overlap(path: Path) -> tuple[tuple[int, int], ...]:
    first, *_, last = _used_entries(path)
    return (poke(path, last, _peek(path, first, 8)), (first, 8))


def _wiped(path: Path) -> tuple[tuple[int, int], ...]:
    return (poke(path, _BAT, bytes(4 * KIB)),)


def _beyond_end(path: Path) -> tuple[tuple[int, int], ...]:
    entry = _used_entries(path)[-1]
    value = (path.stat().st_size // MIB + 512) * MIB | 6
    return (poke(path, entry, value.to_bytes(8, "little")),)


def _bad_state(path: Path) -> tuple[tuple[int, int], ...]:
    entry = _used_entries(path)[0]
    return (poke(path, entry, bytes([_peek(path, entry, 1)[0] & ~7 | 5])),)


def _truncated(path: Path) -> tuple[tuple[int, int], ...]:
    size = path.stat().st_size
    keep = size - 5 * MIB // 2 // MIB * MIB - MIB
    os.truncate(path, keep)
    return ((keep, size - keep),)


def _metadata_sector(path: Path) -> tuple[tuple[int, int], ...]:
    return (poke(path, _METADATA + 64 * KIB, bytes(4 * KIB)),)


def _lost_log(path: Path) -> tuple[tuple[int, int], ...]:
    """For a disk with a pending log: the newest entries were never written."""
    return (poke(path, MIB, bytes(MIB)),)


def _zeros(path: Path) -> tuple[tuple[int, int], ...]:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(0)
        file.truncate(size)
    return ((0, size),)


def _encrypted(path: Path) -> tuple[tuple[int, int], ...]:
    size = path.stat().st_size
    noise = random.Random(path.name)
    with path.open("r+b") as file:
        for _ in range(0, size, MIB):
            file.write(noise.randbytes(min(MIB, size - file.tell())))
    return ((0, size),)


DAMAGES = (
    Damage("header-copy", "one header overwritten", "ein Header überschrieben", False, _header_copy),
    Damage("both-headers", "both headers zeroed", "beide Header mit Nullen überschrieben", True, _both_headers),
    Damage(
        "region-copy", "one region table torn", "eine Regionstabelle unvollständig geschrieben", False, _region_copy
    ),
    Damage("identifier", "file identifier lost", "Dateikennung verloren", False, _identifier),
    Damage("overlap", "two blocks in one place", "zwei Blöcke an einer Stelle", True, _overlap),
    Damage(
        "bat-wiped", "table of blocks (BAT) zeroed", "Tabelle der Blöcke (BAT) mit Nullen überschrieben", True, _wiped
    ),
    Damage("beyond-end", "a block outside the file", "ein Block außerhalb der Datei", True, _beyond_end),
    Damage("bad-state", "a block of impossible state", "ein Block mit unmöglichem Zustand", True, _bad_state),
    Damage("truncated", "the file's end cut off", "das Dateiende abgeschnitten", True, _truncated),
    Damage("metadata", "metadata zeroed", "Metadaten mit Nullen überschrieben", True, _metadata_sector),
    Damage("lost-log", "waiting log lost", "Log mit wartenden Änderungen verloren", True, _lost_log),
    Damage("zeros", "the whole file zeroed", "die ganze Datei mit Nullen überschrieben", True, _zeros),
    Damage("encrypted", "the whole file encrypted", "die ganze Datei verschlüsselt", True, _encrypted),
)


def damage(name: str) -> Damage:
    """A damage by its name."""
    return next(d for d in DAMAGES if d.name == name)
