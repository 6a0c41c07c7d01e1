"""Bytes of the VHDX structures (spec 1.1 to 1.4).  Pure functions: values in, bytes out."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass
from typing import Final

import google_crc32c

from .model import KIB, MIB

ZERO_GUID: Final = uuid.UUID(int=0)
BAT_REGION: Final = uuid.UUID("2DC27766-F623-4200-9D64-115E9BFD4A08")
METADATA_REGION: Final = uuid.UUID("8B7CA206-4790-4B9A-B8FE-575F050F886E")
FILE_PARAMETERS: Final = uuid.UUID("CAA16737-FA36-4D43-B3B6-33F0AA44E76B")
VIRTUAL_SIZE: Final = uuid.UUID("2FA54224-CD1B-4876-B211-5DBED83BF4B8")
PAGE83: Final = uuid.UUID("BECA12AB-B2E6-4523-93EF-C309E000C746")
LOGICAL_SECTOR: Final = uuid.UUID("8141BF1D-A96F-4709-BA47-F233A8FAAB5F")
PHYSICAL_SECTOR: Final = uuid.UUID("CDA348C7-445D-4471-9CC9-E9885251C556")
PARENT_LOCATOR: Final = uuid.UUID("A8D35F2D-B30B-454D-ABF7-D3D84834AB0C")
INCOMPLETE_FILE: Final = uuid.UUID("71CC85F0-1B69-4E28-9558-C3BF83AE75D3")
LOCATOR_TYPE: Final = uuid.UUID("B04AEFB7-D19E-4A81-B789-25B8E9445913")

PAGE: Final = 4 * KIB
HEADER_OFFSETS: Final = (0x10000, 0x20000)
REGION_OFFSETS: Final = (0x30000, 0x40000)
HEADER_SIZE: Final = 4 * KIB
REGION_SIZE: Final = 64 * KIB
TABLE_SIZE: Final = 64 * KIB


def crc32c(data: bytes) -> int:
    """CRC-32C as every VHDX checksum uses it (spec 1.1)."""
    return int(google_crc32c.value(data))


def sign(data: bytes) -> bytes:
    """Put the checksum into bytes 4..8; it covers the whole structure with that field as zero (spec 1.1)."""
    body = data[:4] + bytes(4) + data[8:]
    return body[:4] + struct.pack("<I", crc32c(body)) + body[8:]


def identifier(creator: str) -> bytes:
    """File identifier: signature and informative creator (spec 1.1)."""
    return (b"vhdxfile" + creator.encode("utf-16-le")[:512]).ljust(520, b"\0")


@dataclass(frozen=True)
class Header:
    """One of the two headers (spec 1.1)."""

    sequence: int
    file_guid: uuid.UUID
    data_guid: uuid.UUID
    log_guid: uuid.UUID
    log_length: int = MIB
    log_offset: int = MIB
    log_version: int = 0
    version: int = 1

    def pack(self) -> bytes:
        """4096 bytes with a valid checksum."""
        body = struct.pack("<4sIQ", b"head", 0, self.sequence)
        body += self.file_guid.bytes_le + self.data_guid.bytes_le + self.log_guid.bytes_le
        body += struct.pack("<HHIQ", self.log_version, self.version, self.log_length, self.log_offset)
        return sign(body.ljust(HEADER_SIZE, b"\0"))

    @classmethod
    def parse(cls, data: bytes) -> Header:
        """Read the fields back (no checks; the caller knows what it wrote)."""
        sequence = struct.unpack_from("<Q", data, 8)[0]
        guids = [uuid.UUID(bytes_le=bytes(data[at : at + 16])) for at in (16, 32, 48)]
        log_version, version, length, offset = struct.unpack_from("<HHIQ", data, 64)
        return cls(sequence, guids[0], guids[1], guids[2], length, offset, log_version, version)


@dataclass(frozen=True)
class Region:
    """An entry of the region table (spec 1.1)."""

    guid: uuid.UUID
    offset: int
    length: int
    flags: int = 1


def region_table(regions: tuple[Region, ...], *, count: int | None = None) -> bytes:
    """64 KiB region table with a valid checksum; ``count`` overrides EntryCount."""
    body = struct.pack("<4sIII", b"regi", 0, len(regions) if count is None else count, 0)
    for region in regions:
        body += region.guid.bytes_le + struct.pack("<QII", region.offset, region.length, region.flags)
    return sign(body.ljust(REGION_SIZE, b"\0"))


@dataclass(frozen=True)
class Item:
    """A metadata item (spec 1.2); ``flags``: 1 user, 2 virtual disk, 4 required."""

    name: str
    guid: uuid.UUID
    data: bytes
    flags: int


def metadata(items: tuple[Item, ...]) -> tuple[bytes, tuple[int, ...]]:
    """Table plus packed items, and the offset of each item in the region (spec 1.2)."""
    table = struct.pack("<8sHH20x", b"metadata", 0, len(items))
    body = b""
    offsets: list[int] = []
    for item in items:
        offset = TABLE_SIZE + len(body)
        offsets.append(offset)
        table += item.guid.bytes_le + struct.pack("<IIII", offset, len(item.data), item.flags, 0)
        body += item.data
    return table.ljust(TABLE_SIZE, b"\0") + body, tuple(offsets)


def parent_locator(pairs: tuple[tuple[str, str], ...]) -> bytes:
    """Parent locator item (spec 1.2): UTF-16LE keys and values without terminators."""
    head = LOCATOR_TYPE.bytes_le + struct.pack("<HH", 0, len(pairs))
    start = 20 + 12 * len(pairs)
    texts = b""
    for key, value in pairs:
        k, v = key.encode("utf-16-le"), value.encode("utf-16-le")
        at = start + len(texts)
        head += struct.pack("<IIHH", at, at + len(k), len(k), len(v))
        texts += k + v
    return head + texts


def bat_entry(state: int, offset: int = 0) -> int:
    """BAT entry: state in bits 0-2, offset in MiB in bits 20-63 (spec 1.3)."""
    return state | offset


@dataclass(frozen=True)
class Geometry:
    """The arithmetic of the BAT (spec 1.3)."""

    virtual_size: int
    block_size: int
    logical: int
    differencing: bool

    @property
    def ratio(self) -> int:
        """ChunkRatio: payload blocks per bitmap block."""
        return (1 << 23) * self.logical // self.block_size

    @property
    def blocks(self) -> int:
        """Number of payload blocks."""
        return -(-self.virtual_size // self.block_size)

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.blocks // self.ratio)

    @property
    def entries(self) -> int:
        """Number of BAT entries in use."""
        if self.differencing:
            return self.chunks * (self.ratio + 1)
        return self.blocks + (self.blocks - 1) // self.ratio

    def payload(self, block: int) -> int:
        """Entry number of a payload block."""
        return block + block // self.ratio

    def bitmap(self, chunk: int) -> int:
        """Entry number of a chunk's sector bitmap."""
        return chunk * (self.ratio + 1) + self.ratio
