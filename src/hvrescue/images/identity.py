"""Who a disk is, whom it names as its parent, and what a chain of them needs to know."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from hvrescue.byteio.source import ByteSource


@dataclass(frozen=True, slots=True)
class Identity:
    """``link`` is what a child names: DataWriteGuid (VHDX) or UniqueId (VHD). Sizes in bytes."""

    format: str
    link: UUID
    virtual_size: int
    sector_size: int
    kind: str
    """``fixed``, ``dynamic`` or ``differencing``."""
    disk_id: UUID | None = None
    """What the guest sees (Page 83); normally the same along a chain. A hint, not a proof."""
    creator: str = ""
    block_size: int = 0
    written: int | None = None
    """VHD: time stamp of the footer, seconds since 2000-01-01 UTC."""


@dataclass(frozen=True, slots=True)
class ParentLink:
    """What a child knows of its parent. ``paths``: (kind, Windows path), in the order to be tried."""

    accepted: tuple[UUID, ...]
    paths: tuple[tuple[str, str], ...]
    written: int | None = None
    """VHD: the parent's modification time as the child recorded it; 0 is not recorded."""


class Neighbours(Protocol):
    """How a child finds its parent. Never leaves the source; knows drive mappings."""

    def find(self, windows_path: str, relative_to: str) -> ByteSource | None:
        """The file a Windows path means, seen from the child's folder."""

    def candidates(self, suffixes: frozenset[str]) -> Iterator[ByteSource]:
        """Files that could be parents by their names, nearest first."""


class Alone:
    """No neighbours: only the file itself was given."""

    def find(self, windows_path: str, relative_to: str) -> ByteSource | None:
        """None."""
        return None

    def candidates(self, suffixes: frozenset[str]) -> Iterator[ByteSource]:
        """None."""
        return iter(())
