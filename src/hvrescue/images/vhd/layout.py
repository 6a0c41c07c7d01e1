"""VHD on disk: constants, structures and their fields, named as in the specification. All big-endian."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from uuid import UUID

from hvrescue.core.limits import GIB, KIB

SECTOR = 512
FOOTER_SIZE = 512
SHORT_FOOTER = 511
"""Virtual PC before 2004 left the last byte out."""
HEADER_SIZE = 1024
HEADER_OFFSET = 512
"""Where every known writer puts the dynamic header."""
FOOTER_COOKIE, HEADER_COOKIE = b"conectix", b"cxsparse"
FOOTER_SUM, HEADER_SUM = 64, 36
"""Offsets of the checksums within their structures."""
ABSENT = 0xFFFFFFFF
ENTRY = 4
NOWHERE = 0xFFFFFFFFFFFFFFFF
VERSION = 0x00010000
FEATURE_RESERVED = 2
"""Bit 1 of the features is always set."""
KNOWN_FEATURES = 3
NO_ID = UUID(int=0)
MAX_DISK_SIZE = 2040 * GIB
MAX_ENTRIES = 1 << 23
"""Twice what a 2040 GiB disk needs with the smallest blocks Windows makes (512 KiB)."""
MAX_LOCATOR = 64 * KIB
CHS_CREATORS = frozenset({b"vpc ", b"qemu", b"vs  "})
"""Programs for which the disk ends where its geometry ends. All others, Hyper-V first, go by CurrentSize."""

FOOTER = struct.Struct(">8sIIQI4sI4sQQHBBII16sB")
HEADER = struct.Struct(">8sQQIIII16sII")
LOCATOR = struct.Struct(">4sIIIQ")
NAME_AT, NAME_SIZE = 64, 512
LOCATORS_AT, LOCATOR_COUNT = 576, 8


class Kind(IntEnum):
    """DiskType."""

    FIXED = 2
    DYNAMIC = 3
    DIFFERENCING = 4


KIND_NAMES = {Kind.FIXED: "fixed", Kind.DYNAMIC: "dynamic", Kind.DIFFERENCING: "differencing"}


def checksum(data: bytes, at: int) -> int:
    """One's complement of the sum of all bytes but those of the checksum itself."""
    return ~(sum(data) - sum(data[at : at + 4])) & 0xFFFFFFFF


def stored_checksum(data: bytes, at: int) -> int:
    """What the structure says its checksum is."""
    return int.from_bytes(data[at : at + 4], "big")


@dataclass(frozen=True, slots=True)
class Chs:
    """Cylinders, heads, sectors per track."""

    cylinders: int
    heads: int
    sectors: int

    @property
    def size(self) -> int:
        """Bytes the geometry describes."""
        return self.cylinders * self.heads * self.sectors * SECTOR

    def __str__(self) -> str:
        return f"{self.cylinders}/{self.heads}/{self.sectors}"


LARGEST = Chs(65535, 16, 255)


def geometry(size: int) -> Chs:
    """The geometry that the specification's appendix computes for a size in bytes."""
    total = min(size // SECTOR, LARGEST.size // SECTOR)
    if total >= 65535 * 16 * 63:
        sectors, heads, tracks = 255, 16, total // 255
    else:
        sectors, tracks = 17, total // 17
        heads = max(4, (tracks + 1023) // 1024)
        if tracks >= heads * 1024 or heads > 16:
            sectors, heads, tracks = 31, 16, total // 31
        if tracks >= heads * 1024:
            sectors, heads, tracks = 63, 16, total // 63
    return Chs(tracks // heads, heads, sectors)


@dataclass(frozen=True, slots=True)
class Footer:
    """A footer's fields, whether its checksum holds or not."""

    features: int
    version: int
    data_offset: int
    timestamp: int
    creator: bytes
    creator_version: int
    current_size: int
    chs: Chs
    kind: int
    unique_id: UUID
    saved_state: int
    reserved: bytes

    @property
    def geometry_fits(self) -> bool:
        """Whether CurrentSize and geometry tell the same size."""
        return self.chs == geometry(self.current_size)

    @property
    def guest_size(self) -> int:
        """Bytes the guest sees, in whole sectors: by geometry for the creators that count so (QEMU's rule)."""
        by_chs = self.creator in CHS_CREATORS and self.chs != LARGEST and 0 < self.chs.size <= self.current_size
        return (self.chs.size if by_chs else self.current_size) // SECTOR * SECTOR

    @property
    def essence(self) -> tuple[int, int, int, int]:
        """What decides how guest bytes are read; two copies must agree in it."""
        return self.kind, self.data_offset, self.current_size, self.guest_size


def parse_footer(data: bytes) -> Footer:
    """The fields of 512 (or 511) bytes."""
    f = FOOTER.unpack_from(data)
    return Footer(
        f[1], f[2], f[3], f[4], f[5], f[6], f[9], Chs(f[10], f[11], f[12]), f[13], UUID(bytes=f[15]), f[16],
        data[FOOTER.size :],
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """The dynamic disk header's fields; ``offset`` is where it lies."""

    offset: int
    data_offset: int
    table_offset: int
    version: int
    entries: int
    block_size: int
    parent_id: UUID
    parent_timestamp: int
    raw: bytes

    @property
    def end(self) -> int:
        """First byte after the header."""
        return self.offset + HEADER_SIZE

    @property
    def bitmap_size(self) -> int:
        """Bytes of the sector bitmap before each block's data: one bit a sector, in whole sectors."""
        return -(-self.block_size // (SECTOR * 8 * SECTOR)) * SECTOR

    @property
    def slot(self) -> int:
        """Bytes a block takes in the file, bitmap included."""
        return self.bitmap_size + self.block_size

    @property
    def table_end(self) -> int:
        """First byte after the block allocation table, its padding to a sector included."""
        return self.table_offset + -(-self.entries * ENTRY // SECTOR) * SECTOR

    def blocks_of(self, size: int) -> int:
        """Blocks that a disk of ``size`` bytes has."""
        return -(-size // self.block_size)


def parse_header(data: bytes, offset: int) -> Header:
    """The fields of 1024 bytes."""
    h = HEADER.unpack_from(data)
    return Header(offset, h[1], h[2], h[3], h[4], h[5], UUID(bytes=h[7]), h[8], data)


def is_block_size(value: int) -> bool:
    """A power of two, and at least a sector."""
    return value >= SECTOR and value & (value - 1) == 0
