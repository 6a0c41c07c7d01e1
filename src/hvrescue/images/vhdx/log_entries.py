"""The log's ring and the entries in it that hold together (MS-VHDX 2.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

import google_crc32c
import numpy as np

from hvrescue.byteio.source import ByteSource
from hvrescue.core.limits import DEFAULT_LIMITS, Limits
from hvrescue.images.vhdx.layout import LOG_DESCRIPTOR, LOG_ENTRY, LOG_SECTOR, REGION_TABLE_OFFSETS, guid

_SIGNATURE = int.from_bytes(b"loge", "little")
_STEP = 8 << 20


class LogEntry(NamedTuple):
    """A valid entry. ``pages``: (file offset, descriptor's first 8 and last 4 bytes, data sector in the ring)."""

    position: int
    length: int
    tail: int
    sequence: int
    log: UUID
    flushed: int
    last: int
    pages: tuple[tuple[int, bytes, bytes, int], ...]
    zeros: tuple[tuple[int, int], ...]


class LogRing(NamedTuple):
    """The circular buffer; reads wrap around its end."""

    source: ByteSource
    offset: int
    length: int

    def read(self, position: int, size: int) -> bytes:
        """``size`` bytes from ``position`` on, around the end if need be."""
        position %= self.length
        head = min(size, self.length - position)
        data = self.source.pread(self.offset + position, head)
        return data if head == size else data + self.source.pread(self.offset, size - head)

    def page(self, page: tuple[int, bytes, bytes, int]) -> bytes:
        """The 4 KiB that a data descriptor writes."""
        _, leading, trailing, position = page
        return leading + self.read(position, LOG_SECTOR)[8:-4] + trailing

    def overlaps(self, offset: int, end: int) -> bool:
        """Whether a range of the file touches the log."""
        return offset < self.offset + self.length and end > self.offset


class BrokenEntry(NamedTuple):
    """Looks like an entry but does not hold together; ``sealed``: its checksum does."""

    position: int
    log: UUID
    sequence: int
    sealed: bool


class LogScan(NamedTuple):
    """Every entry of the ring that is valid by itself, by position; ``complete`` unless a cap was hit."""

    ring: LogRing
    entries: tuple[LogEntry, ...]
    broken: tuple[BrokenEntry, ...]
    complete: bool


def scan_log(ring: LogRing, limits: Limits) -> LogScan:
    """Validate every entry of the ring, whatever its GUID."""
    entries: list[LogEntry] = []
    broken: list[BrokenEntry] = []
    work = described = 0
    # Whatever is left of older sessions, the entries of one ring hardly fill it twice.
    most = min(limits.log_work, 4 * ring.length)
    for position in _signatures(ring):
        head = ring.read(position, LOG_ENTRY.size)
        length = int.from_bytes(head[8:12], "little")
        work += min(length, ring.length)
        described += min(int.from_bytes(head[24:28], "little"), length // LOG_DESCRIPTOR.size)
        if work > most or described > limits.log_descriptors or len(entries) + len(broken) >= limits.log_entries:
            return LogScan(ring, tuple(entries), tuple(broken), False)
        entry = _parse(ring, position, head, limits)
        if isinstance(entry, LogEntry):
            entries.append(entry)
        else:
            broken.append(entry)
    return LogScan(ring, tuple(entries), tuple(broken), True)


def _signatures(ring: LogRing) -> Iterator[int]:
    for start in range(0, ring.length, _STEP):
        data = ring.source.pread(ring.offset + start, min(_STEP, ring.length - start))
        words = np.frombuffer(data, "<u4")[:: LOG_SECTOR // 4]
        yield from (start + np.flatnonzero(words == _SIGNATURE) * LOG_SECTOR).tolist()


def _parse(ring: LogRing, position: int, head: bytes, limits: Limits) -> LogEntry | BrokenEntry:
    _, crc, length, tail, sequence, count, _, log, flushed, last = LOG_ENTRY.unpack(head)
    torn = BrokenEntry(position, guid(log), sequence, False)
    if length % LOG_SECTOR or not LOG_SECTOR <= length < ring.length:
        return torn
    data = ring.read(position, length)
    if google_crc32c.extend(google_crc32c.extend(0, data[:4] + bytes(4)), data[8:]) != crc:
        return torn
    illegal = torn._replace(sealed=True)
    if tail % LOG_SECTOR or tail >= ring.length or sequence == 0 or last > limits.file_size:
        return illegal
    first_data = -(-(LOG_ENTRY.size + LOG_DESCRIPTOR.size * count) // LOG_SECTOR) * LOG_SECTOR
    if first_data > length:
        return illegal
    described = _descriptors(ring, data, position, count, sequence, first_data)
    if described is None:
        return illegal
    pages, zeros = described
    return LogEntry(position, length, tail, sequence, guid(log), flushed, last, pages, zeros)


_Described = tuple[tuple[tuple[int, bytes, bytes, int], ...], tuple[tuple[int, int], ...]]


def _descriptors(ring: LogRing, data: bytes, position: int, count: int, sequence: int, at: int) -> _Described | None:
    pages: list[tuple[int, bytes, bytes, int]] = []
    zeros: list[tuple[int, int]] = []
    for n in range(count):
        kind, trailing, leading, offset, number = LOG_DESCRIPTOR.unpack_from(
            data, LOG_ENTRY.size + n * LOG_DESCRIPTOR.size
        )
        size = LOG_SECTOR if kind == b"desc" else int.from_bytes(leading, "little")
        if number != sequence or not _may_be_written(ring, offset, size):
            return None
        if kind == b"zero":
            zeros.append((offset, offset + size))
        elif kind == b"desc":
            if not _data_sector_holds(data[at : at + LOG_SECTOR], sequence):
                return None
            pages.append((offset, leading, trailing, (position + at) % ring.length))
            at += LOG_SECTOR
        else:
            return None
    return (tuple(pages), tuple(zeros)) if at == len(data) else None


def _may_be_written(ring: LogRing, offset: int, size: int) -> bool:
    """A log changes what lies from the region tables on, never itself."""
    aligned = offset % LOG_SECTOR == 0 and size % LOG_SECTOR == 0 and size > 0
    inside = REGION_TABLE_OFFSETS[0] <= offset and offset + size <= DEFAULT_LIMITS.file_size
    return aligned and inside and not ring.overlaps(offset, offset + size)


def _data_sector_holds(sector: bytes, sequence: int) -> bool:
    high, low = int.from_bytes(sector[4:8], "little"), int.from_bytes(sector[-4:], "little")
    return sector[:4] == b"data" and (high << 32 | low) == sequence
