"""What a VHD that is to be written shall be, and its footer."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from hvrescue.core.limits import MIB
from hvrescue.images.vhd.layout import (
    FEATURE_RESERVED,
    FOOTER,
    FOOTER_COOKIE,
    FOOTER_SIZE,
    FOOTER_SUM,
    HEADER_OFFSET,
    MAX_DISK_SIZE,
    NOWHERE,
    SECTOR,
    VERSION,
    Kind,
    checksum,
    geometry,
    is_block_size,
)


@dataclass(frozen=True, slots=True)
class Parent:
    """Whom a differencing disk names: the parent's UniqueId, its name, and Windows paths where known."""

    unique_id: UUID
    name: str
    absolute_path: str = ""
    relative_path: str = ""
    timestamp: int = 0
    """The parent's modification time, seconds since 2000-01-01 UTC; Windows 10 writes 0."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the disk is to be. Sizes in bytes; the time stamp in seconds since 2000-01-01 UTC."""

    size: int
    unique_id: UUID
    block_size: int = 2 * MIB
    timestamp: int = 0
    creator: bytes = b"win "
    creator_version: int = 0x000A0000
    creator_os: bytes = b"Wi2k"

    def __post_init__(self) -> None:
        if not 0 < self.size <= MAX_DISK_SIZE or self.size % SECTOR:
            raise ValueError(f"no size of a VHD: {self.size}")
        if not is_block_size(self.block_size):
            raise ValueError(f"no block size of a VHD: {self.block_size}")


def footer_bytes(recipe: Recipe, kind: Kind) -> bytes:
    """A footer with its checksum."""
    chs = geometry(recipe.size)
    data_offset = NOWHERE if kind == Kind.FIXED else HEADER_OFFSET
    fields = FOOTER.pack(
        FOOTER_COOKIE, FEATURE_RESERVED, VERSION, data_offset, recipe.timestamp, recipe.creator,
        recipe.creator_version, recipe.creator_os, recipe.size, recipe.size, chs.cylinders, chs.heads, chs.sectors,
        kind, 0, recipe.unique_id.bytes, 0,
    )  # fmt: skip
    return signed(fields.ljust(FOOTER_SIZE, b"\0"), FOOTER_SUM)


def signed(data: bytes, at: int) -> bytes:
    """The structure with its checksum put in at ``at``."""
    return data[:at] + checksum(data, at).to_bytes(4, "big") + data[at + 4 :]
