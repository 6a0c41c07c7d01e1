"""The structures of a VHDX as bytes, for writers and repairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from hvrescue.images.vhdx.layout import (
    FILE_PARAMETERS,
    FILE_SIGNATURE,
    HAS_PARENT,
    HEADER,
    HEADER_SIZE,
    IS_REQUIRED,
    IS_VIRTUAL_DISK,
    LEAVE_BLOCKS_ALLOCATED,
    LOCATOR,
    LOCATOR_ENTRY,
    LOCATOR_TYPE,
    LOG_DESCRIPTOR,
    LOG_ENTRY,
    LOG_SECTOR,
    LOGICAL_SECTOR_SIZE,
    METADATA_ENTRY,
    METADATA_TABLE,
    METADATA_TABLE_SIZE,
    NO_GUID,
    PARENT_LOCATOR,
    PHYSICAL_SECTOR_SIZE,
    REGION_ENTRY,
    REGION_TABLE,
    REGION_TABLE_SIZE,
    VIRTUAL_DISK_ID,
    VIRTUAL_DISK_SIZE,
    Header,
    Parameters,
    checksum,
)


def sealed(data: bytes, at: int = 4) -> bytes:
    """The structure with its CRC-32C filled in."""
    return data[:at] + checksum(data, at).to_bytes(4, "little") + data[at + 4 :]


def identifier(creator: str) -> bytes:
    """The file identifier."""
    return FILE_SIGNATURE + creator.encode("utf-16-le")[:510].ljust(512, b"\0")


def header(values: Header) -> bytes:
    """One header, 4 KiB."""
    packed = HEADER.pack(
        b"head", 0, values.sequence, values.file_write.bytes_le, values.data_write.bytes_le, values.log.bytes_le,
        values.log_version, values.version, values.log_length, values.log_offset,
    )  # fmt: skip
    return sealed(packed.ljust(HEADER_SIZE, b"\0"))


def region_table(regions: Iterable[tuple[UUID, int, int]]) -> bytes:
    """A region table of (GUID, offset, length), all required."""
    entries = [REGION_ENTRY.pack(guid.bytes_le, offset, length, 1) for guid, offset, length in regions]
    packed = REGION_TABLE.pack(b"regi", 0, len(entries), 0) + b"".join(entries)
    return sealed(packed.ljust(REGION_TABLE_SIZE, b"\0"))


def metadata(parameters: Parameters, locator: bytes = b"") -> bytes:
    """Metadata table and items, packed from 64 KiB on as Windows packs them."""
    flags = LEAVE_BLOCKS_ALLOCATED * parameters.leave_allocated | HAS_PARENT * parameters.has_parent
    both = IS_VIRTUAL_DISK | IS_REQUIRED
    physical, disk_id = parameters.physical_sector or parameters.logical_sector, parameters.disk_id or NO_GUID
    items = [
        (
            FILE_PARAMETERS,
            IS_REQUIRED,
            parameters.block_size.to_bytes(4, "little") + flags.to_bytes(4, "little"),
        ),
        (VIRTUAL_DISK_SIZE, both, parameters.size.to_bytes(8, "little")),
        (LOGICAL_SECTOR_SIZE, both, parameters.logical_sector.to_bytes(4, "little")),
        (PHYSICAL_SECTOR_SIZE, both, physical.to_bytes(4, "little")),
        (VIRTUAL_DISK_ID, both, disk_id.bytes_le),
    ]
    if locator:
        items.append((PARENT_LOCATOR, IS_REQUIRED, locator))
    table, content = METADATA_TABLE.pack(b"metadata", 0, len(items), bytes(20)), b""
    for guid, flag, value in items:
        at = METADATA_TABLE_SIZE + len(content)
        table += METADATA_ENTRY.pack(guid.bytes_le, at, len(value), flag, 0)
        content += value
    return table.ljust(METADATA_TABLE_SIZE, b"\0") + content


def parent_locator(pairs: Mapping[str, str]) -> bytes:
    """A parent locator of keys and values."""
    entries, text = b"", b""
    base = LOCATOR.size + len(pairs) * LOCATOR_ENTRY.size
    for key, value in pairs.items():
        k, v = key.encode("utf-16-le"), value.encode("utf-16-le")
        entries += LOCATOR_ENTRY.pack(base + len(text), base + len(text) + len(k), len(k), len(v))
        text += k + v
    return LOCATOR.pack(LOCATOR_TYPE.bytes_le, 0, len(pairs)) + entries + text


def log_entry(
    log: UUID, sequence: int, tail: int, flushed: int, last: int, pages: Iterable[tuple[int, bytes]]
) -> bytes:
    """A log entry that writes these 4 KiB pages; none makes the empty entry that opens a session."""
    described, data = b"", b""
    for offset, page in pages:
        described += LOG_DESCRIPTOR.pack(b"desc", page[-4:], page[:8], offset, sequence)
        data += b"data" + (sequence >> 32).to_bytes(4, "little") + page[8:-4]
        data += (sequence & 0xFFFFFFFF).to_bytes(4, "little")
    count = len(described) // LOG_DESCRIPTOR.size
    head = -(-(LOG_ENTRY.size + len(described)) // LOG_SECTOR) * LOG_SECTOR
    length = head + len(data)
    start = LOG_ENTRY.pack(b"loge", 0, length, tail, sequence, count, 0, log.bytes_le, flushed, last)
    return sealed((start + described).ljust(head, b"\0") + data)
