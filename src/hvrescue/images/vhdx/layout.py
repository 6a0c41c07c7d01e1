"""VHDX on disk: constants, structures and their fields, named as in MS-VHDX. All little-endian."""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import NamedTuple
from uuid import UUID

import google_crc32c

from hvrescue.core.limits import KIB, MIB, TIB

FILE_SIGNATURE = b"vhdxfile"
INCOMPLETE = "hvrescue INCOMPLETE"
"""Creator of a copy in which unknown ranges became zeros, so that it is never taken for whole."""
HEADER_OFFSETS = (64 * KIB, 128 * KIB)
HEADER_SIZE = 4 * KIB
REGION_TABLE_OFFSETS = (192 * KIB, 256 * KIB)
REGION_TABLE_SIZE = 64 * KIB
METADATA_TABLE_SIZE = 64 * KIB
LOG_SECTOR = 4 * KIB
BITMAP_BLOCK = MIB
SECTORS_PER_BITMAP = 1 << 23
MAX_DISK_SIZE = 64 * TIB
MAX_REGION_ENTRIES = 2047
MAX_METADATA_ENTRIES = 2047
MAX_ITEM = MIB
NO_GUID = UUID(int=0)

HEADER = struct.Struct("<4sIQ16s16s16sHHIQ")
REGION_TABLE = struct.Struct("<4sIII")
REGION_ENTRY = struct.Struct("<16sQII")
METADATA_TABLE = struct.Struct("<8sHH20s")
METADATA_ENTRY = struct.Struct("<16sIIII")
LOCATOR = struct.Struct("<16sHH")
LOCATOR_ENTRY = struct.Struct("<IIHH")
LOG_ENTRY = struct.Struct("<4sIIIQII16sQQ")
LOG_DESCRIPTOR = struct.Struct("<4s4s8sQQ")

BAT_REGION = UUID("2DC27766-F623-4200-9D64-115E9BFD4A08")
METADATA_REGION = UUID("8B7CA206-4790-4B9A-B8FE-575F050F886E")
REGION_NAMES = {BAT_REGION: "BAT", METADATA_REGION: "metadata"}

FILE_PARAMETERS = UUID("CAA16737-FA36-4D43-B3B6-33F0AA44E76B")
VIRTUAL_DISK_SIZE = UUID("2FA54224-CD1B-4876-B211-5DBED83BF4B8")
VIRTUAL_DISK_ID = UUID("BECA12AB-B2E6-4523-93EF-C309E000C746")
LOGICAL_SECTOR_SIZE = UUID("8141BF1D-A96F-4709-BA47-F233A8FAAB5F")
PHYSICAL_SECTOR_SIZE = UUID("CDA348C7-445D-4471-9CC9-E9885251C556")
PARENT_LOCATOR = UUID("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C")
INCOMPLETE_FILE = UUID("71CC85F0-1B69-4E28-9558-C3BF83AE75D3")
CHS_PARAMETERS = UUID("DA02D7BC-3D3A-423C-AC88-2A36AB21479B")
PMEM_LABEL = UUID("10E1AE8A-4B7E-4169-A40F-CD70DE928393")
ITEM_NAMES = {
    FILE_PARAMETERS: "File Parameters",
    VIRTUAL_DISK_SIZE: "Virtual Disk Size",
    VIRTUAL_DISK_ID: "Virtual Disk ID",
    LOGICAL_SECTOR_SIZE: "Logical Sector Size",
    PHYSICAL_SECTOR_SIZE: "Physical Sector Size",
    PARENT_LOCATOR: "Parent Locator",
    INCOMPLETE_FILE: "Incomplete File",
    CHS_PARAMETERS: "CHS Parameters",
    PMEM_LABEL: "PMEM Label",
}
LOCATOR_TYPE = UUID("B04AEFB7-D19E-4A81-B789-25B8E9445913")

IS_USER, IS_VIRTUAL_DISK, IS_REQUIRED = 1, 2, 4
LEAVE_BLOCKS_ALLOCATED, HAS_PARENT = 1, 2


class Block(IntEnum):
    """BAT states of payload blocks (MS-VHDX 2.5.1.1)."""

    NOT_PRESENT = 0
    UNDEFINED = 1
    ZERO = 2
    UNMAPPED = 3
    FULLY_PRESENT = 6
    PARTIALLY_PRESENT = 7


BITMAP_NOT_PRESENT, BITMAP_PRESENT = 0, 6


def checksum_holds(data: bytes, at: int = 4) -> bool:
    """CRC-32C over the structure with its checksum field taken as zero (MS-VHDX 2.2)."""
    stored = int.from_bytes(data[at : at + 4], "little")
    return checksum(data, at) == stored


def checksum(data: bytes, at: int = 4) -> int:
    """The CRC-32C a structure ought to carry at ``at``."""
    crc = google_crc32c.extend(0, data[:at] + bytes(4))
    return int(google_crc32c.extend(crc, data[at + 4 :]))


def guid(data: bytes) -> UUID:
    """A GUID in its mixed-endian form."""
    return UUID(bytes_le=data)


class Header(NamedTuple):
    """One of the two headers (MS-VHDX 2.2.2)."""

    slot: int
    offset: int
    sequence: int
    file_write: UUID
    data_write: UUID
    log: UUID
    log_version: int
    version: int
    log_length: int
    log_offset: int
    raw: bytes

    @property
    def log_inside(self) -> tuple[int, int]:
        """The log as (start, end) in the file."""
        return self.log_offset, self.log_offset + self.log_length


class Region(NamedTuple):
    """An entry of the region table (MS-VHDX 2.2.3.2)."""

    guid: UUID
    offset: int
    length: int
    flags: int
    entry_offset: int

    @property
    def name(self) -> str:
        """BAT, metadata, or the GUID."""
        return REGION_NAMES.get(self.guid, str(self.guid))

    @property
    def end(self) -> int:
        """First byte after the region."""
        return self.offset + self.length


class Item(NamedTuple):
    """An entry of the metadata table (MS-VHDX 2.6.1.2); offset from the start of the region."""

    guid: UUID
    offset: int
    length: int
    flags: int
    entry_offset: int

    @property
    def name(self) -> str:
        """The item's name in the specification, or its GUID."""
        return ITEM_NAMES.get(self.guid, str(self.guid))


class Parameters(NamedTuple):
    """What the metadata says of the disk. Sizes in bytes."""

    block_size: int
    leave_allocated: bool
    has_parent: bool
    size: int
    logical_sector: int
    physical_sector: int | None
    disk_id: UUID | None

    @property
    def chunk_ratio(self) -> int:
        """Payload blocks per sector bitmap block."""
        return SECTORS_PER_BITMAP * self.logical_sector // self.block_size

    @property
    def blocks(self) -> int:
        """Payload blocks of the disk."""
        return -(-self.size // self.block_size)

    @property
    def chunks(self) -> int:
        """Chunks begun."""
        return -(-self.blocks // self.chunk_ratio)

    @property
    def entries(self) -> int:
        """BAT entries that have a meaning."""
        if self.has_parent:
            return self.chunks * (self.chunk_ratio + 1)
        return self.blocks + (self.blocks - 1) // self.chunk_ratio

    def entry_of_block(self, block: int) -> int:
        """Index in the BAT of a payload block's entry."""
        return block + block // self.chunk_ratio

    def entry_of_bitmap(self, chunk: int) -> int:
        """Index in the BAT of a chunk's bitmap entry."""
        return chunk * (self.chunk_ratio + 1) + self.chunk_ratio
