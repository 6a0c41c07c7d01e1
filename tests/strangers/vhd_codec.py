"""Bytes of the VHD structures (spec 2.1).  All fields are big-endian."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass, replace
from typing import Final

from .model import UNIT

ABSENT: Final = 0xFFFFFFFF
ALL_ONES: Final = 0xFFFFFFFFFFFFFFFF
CHS_CREATORS: Final = (b"vpc ", b"qemu", b"vs  ")
FOOTER_SIZE: Final = 512
NO_PARENT: Final = uuid.UUID(int=0)
HEADER_SIZE: Final = 1024


@dataclass(frozen=True)
class Chs:
    """Cylinders, heads, sectors per track."""

    cylinders: int
    heads: int
    sectors: int

    @property
    def size(self) -> int:
        """Bytes the geometry describes."""
        return self.cylinders * self.heads * self.sectors * UNIT


MAXIMUM: Final = Chs(65535, 16, 255)


def geometry(size: int) -> Chs:
    """Geometry from the size, as spec 2.1 gives the rule."""
    total = min(size // UNIT, 65535 * 16 * 255)
    if total >= 65535 * 16 * 63:
        sectors, heads = 255, 16
        tracks = total // sectors
    else:
        sectors = 17
        tracks = total // sectors
        heads = max(4, -(-tracks // 1024))
        if tracks >= heads * 1024 or heads > 16:
            sectors, heads = 31, 16
            tracks = total // sectors
        if tracks >= heads * 1024:
            sectors, heads = 63, 16
            tracks = total // sectors
    return Chs(tracks // heads, heads, sectors)


def checksum(data: bytes, field: int) -> int:
    """One's complement of the byte sum without the checksum field (spec 2.1)."""
    return ~(sum(data[:field]) + sum(data[field + 4 :])) & 0xFFFFFFFF


def signed(data: bytes, field: int) -> bytes:
    """Put the checksum into its field."""
    return data[:field] + struct.pack(">I", checksum(data, field)) + data[field + 4 :]


@dataclass(frozen=True)
class Footer:
    """The footer, 512 bytes (spec 2.1)."""

    kind: int
    current_size: int
    chs: Chs
    unique: uuid.UUID
    creator: bytes = b"win "
    data_offset: int = 512
    original_size: int = 0
    timestamp: int = 0x2A10B5C0
    features: int = 2
    saved_state: int = 0
    version: int = 0x00010000

    def pack(self) -> bytes:
        """512 bytes with a valid checksum."""
        body = struct.pack(">8sIIQ", b"conectix", self.features, self.version, self.data_offset)
        body += struct.pack(">I", self.timestamp)
        body += struct.pack(">4sI4s", self.creator, 0x000A0000, b"Wi2k")
        body += struct.pack(">QQ", self.original_size or self.current_size, self.current_size)
        body += struct.pack(">HBBII", self.chs.cylinders, self.chs.heads, self.chs.sectors, self.kind, 0)
        body += self.unique.bytes + bytes([self.saved_state])
        return signed(body.ljust(FOOTER_SIZE, b"\0"), 64)

    def having(self, **changes: object) -> Footer:
        """A copy with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Locator:
    """A parent locator entry and its text (spec 2.1)."""

    code: bytes
    text: bytes
    offset: int
    space: int


@dataclass(frozen=True)
class DynamicHeader:
    """The dynamic disk header, 1024 bytes (spec 2.1)."""

    table_offset: int
    entries: int
    block_size: int
    parent: uuid.UUID = NO_PARENT
    parent_timestamp: int = 0
    parent_name: str = ""
    locators: tuple[Locator, ...] = ()
    version: int = 0x00010000

    def pack(self) -> bytes:
        """1024 bytes with a valid checksum."""
        body = struct.pack(">8sQQ", b"cxsparse", ALL_ONES, self.table_offset)
        body += struct.pack(">IIII", self.version, self.entries, self.block_size, 0)
        body += self.parent.bytes + struct.pack(">II", self.parent_timestamp, 0)
        body += self.parent_name.encode("utf-16-be")[:512].ljust(512, b"\0")
        for item in self.locators:
            body += struct.pack(">4sIIIQ", item.code, item.space, len(item.text), 0, item.offset)
        return signed(body.ljust(HEADER_SIZE, b"\0"), 36)

    def having(self, **changes: object) -> DynamicHeader:
        """A copy with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]
