"""VHDX and VHD files whose numbers lie, with every checksum right."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

import google_crc32c

from hvrescue.core.limits import MIB
from hvrescue.images.vhdx import encode
from hvrescue.images.vhdx.layout import (
    BAT_REGION,
    HEADER_OFFSETS,
    METADATA_REGION,
    NO_GUID,
    REGION_TABLE_OFFSETS,
    Header,
    Parameters,
)
from tests.strangers.sparse import Chunk, write_sparse

LOG = UUID(int=0x106)
_LOG_AT = MIB


def signed(data: bytes) -> bytes:
    """With its CRC-32C."""
    body = data[:4] + bytes(4) + data[8:]
    return body[:4] + struct.pack("<I", google_crc32c.value(body)) + body[8:]


def regions(entries: Iterable[tuple[UUID, int, int, int]], count: int | None = None) -> bytes:
    """A region table of (GUID, offset, length, flags)."""
    packed = [guid.bytes_le + struct.pack("<QII", at, size, flags) for guid, at, size, flags in entries]
    head = struct.pack("<4sIII", b"regi", 0, len(packed) if count is None else count, 0)
    return signed((head + b"".join(packed))[: 64 * 1024].ljust(64 * 1024, b"\0"))


def entry(
    sequence: int, descriptors: bytes, *, tail: int = 0, flushed: int = 0, last: int = 0, length: int = 0,
    sectors: bytes = b"", count: int | None = None,
) -> bytes:  # fmt: skip
    """A log entry of ready-made descriptors."""
    size = len(descriptors) // 32 if count is None else count
    head = -(-(64 + len(descriptors)) // 4096) * 4096
    length = length or head + len(sectors)
    start = struct.pack("<4sIIIQII16sQQ", b"loge", 0, length, tail, sequence, size, 0, LOG.bytes_le, flushed, last)
    return signed(((start + descriptors).ljust(head, b"\0") + sectors).ljust(length, b"\0"))


def zero(at: int, size: int, sequence: int) -> bytes:
    """A zero descriptor."""
    return struct.pack("<4sIQQQ", b"zero", 0, size, at, sequence)


def write(
    path: Path,
    *,
    size: int = 3 * MIB,
    block: int = MIB,
    sector: int = 512,
    virtual: int = 3 * MIB,
    log: Iterable[Chunk] = (),
    log_length: int = 0,
    table: bytes = b"",
    meta: bytes = b"",
    bat: bytes = b"",
    bat_length: int = MIB,
    in_use: bool = True,
) -> Path:
    """Headers, log, metadata, BAT, behind each other; ``log`` chunks count from the log's start."""
    meta_at = MIB + log_length
    bat_at = meta_at + MIB
    use = LOG if log_length and in_use else NO_GUID
    header = Header(0, 0, 1, UUID(int=1), UUID(int=2), use, 0, 1, log_length, _LOG_AT if log_length else 0, b"")
    parameters = Parameters(block, False, False, virtual, sector, 4096, UUID(int=3))
    table = table or regions([(METADATA_REGION, meta_at, MIB, 1), (BAT_REGION, bat_at, bat_length, 1)])
    chunks = [
        Chunk(0, encode.identifier("forged")),
        *(Chunk(at, encode.header(header)) for at in HEADER_OFFSETS),
        *(Chunk(at, table) for at in REGION_TABLE_OFFSETS),
        *(Chunk(_LOG_AT + chunk.offset, chunk.data) for chunk in log),
        Chunk(meta_at, meta or encode.metadata(parameters)),
        Chunk(bat_at, bat),
    ]
    write_sparse(path, max(size, bat_at + bat_length), chunks)
    return path
