"""A VHDX written from nothing: dynamic, fixed or differencing, with the log as asked for.

Placement as Windows does it: log at 1 MiB, metadata at 2 MiB, BAT at 3 MiB, payload behind it. The headers
are written last, so that a file whose writing was cut short does not open.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Self
from uuid import UUID, uuid4

import numpy as np

from hvrescue.byteio.copying import write_all
from hvrescue.core.limits import MIB
from hvrescue.images.vhdx import encode
from hvrescue.images.vhdx.layout import (
    BAT_REGION,
    BITMAP_BLOCK,
    BITMAP_PRESENT,
    HEADER_OFFSETS,
    LOG_SECTOR,
    METADATA_REGION,
    NO_GUID,
    REGION_TABLE_OFFSETS,
    Block,
    Header,
    Parameters,
)

_LOG, _METADATA, _BAT = MIB, 2 * MIB, 3 * MIB
_LOG_LENGTH = MIB
_MOST_PAGES = 100
"""BAT pages that fit twice into a log of 1 MiB."""


class LogKind(StrEnum):
    """EMPTY: never used. CLEAN: closed, last session still readable. PENDING: must be replayed. WRAPPED: same,
    around the log's end."""

    EMPTY = "empty"
    CLEAN = "clean"
    PENDING = "pending"
    WRAPPED = "wrapped"


@dataclass(frozen=True, slots=True)
class VhdxSpec:
    """What to write. Sizes in bytes. ``parent``: the parent locator's keys and values, for a child."""

    size: int
    block_size: int = 32 * MIB
    logical_sector: int = 512
    physical_sector: int = 4096
    fixed: bool = False
    parent: Mapping[str, str] = field(default_factory=dict)
    creator: str = "hvrescue"
    log: LogKind = LogKind.CLEAN
    disk_id: UUID = field(default_factory=uuid4)
    data_write: UUID = field(default_factory=uuid4)
    file_write: UUID = field(default_factory=uuid4)
    session: UUID = field(default_factory=uuid4)

    @property
    def parameters(self) -> Parameters:
        """As the metadata holds them."""
        return Parameters(
            self.block_size, self.fixed, bool(self.parent), self.size, self.logical_sector, self.physical_sector,
            self.disk_id,
        )  # fmt: skip


class VhdxWriter:
    """Takes guest bytes in any order; ``close`` makes the file whole. Never overwrites an existing file."""

    def __init__(self, path: Path, spec: VhdxSpec) -> None:
        self.spec = spec
        self.creator = spec.creator
        self._p = spec.parameters
        self._bat = np.zeros(self._p.entries, "<u8")
        self._bitmaps: dict[int, bytearray] = {}
        region = -(-self._bat.nbytes // MIB) * MIB
        self._bat_region = max(region, MIB)
        self._end = _BAT + self._bat_region
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        self.fd = os.open(path, flags, 0o644)
        if spec.fixed:
            for block in range(self._p.blocks):
                self.place(block)

    def place(self, block: int) -> int:
        """File offset of a payload block, given room if it has none yet."""
        index = self._p.entry_of_block(block)
        if int(self._bat[index]) & 7 < Block.FULLY_PRESENT:
            self._bat[index] = self._end | Block.FULLY_PRESENT
            self._end += self._p.block_size
        return int(self._bat[index]) >> 20 << 20

    def write(self, offset: int, data: bytes) -> None:
        """Guest bytes, whole sectors. In a child, sectors not written stay the parent's."""
        view = memoryview(data)
        while view:
            block, within = divmod(offset, self._p.block_size)
            part = view[: self._p.block_size - within]
            at = self.place(block)
            self._mark(block, within, len(part))
            self._put(at + within, part)
            offset, view = offset + len(part), view[len(part) :]

    def state(self, block: int, state: Block) -> None:
        """Set a block without content: ZERO, UNMAPPED, UNDEFINED."""
        self._bat[self._p.entry_of_block(block)] = int(state)

    def _mark(self, block: int, within: int, length: int) -> None:
        """Note the sectors written of a child's block; PARTIALLY_PRESENT until all are."""
        if not self.spec.parent:
            return
        per_block = self._p.block_size // self._p.logical_sector
        chunk, slot = divmod(block, self._p.chunk_ratio)
        bitmap = self._bitmaps.get(chunk)
        if bitmap is None:
            bitmap = self._bitmaps[chunk] = bytearray(BITMAP_BLOCK)
            self._bat[self._p.entry_of_bitmap(chunk)] = self._end | BITMAP_PRESENT
            self._end += BITMAP_BLOCK
        low = slot * per_block // 8
        bits = np.unpackbits(np.frombuffer(bitmap, np.uint8)[low : low + per_block // 8], bitorder="little")
        bits[within // self._p.logical_sector : -(-(within + length) // self._p.logical_sector)] = 1
        bitmap[low : low + per_block // 8] = np.packbits(bits, bitorder="little").tobytes()
        index = self._p.entry_of_block(block)
        state = Block.FULLY_PRESENT if bits.all() else Block.PARTIALLY_PRESENT
        self._bat[index] = int(self._bat[index]) & ~7 | state

    def _put(self, offset: int, data: bytes | memoryview) -> None:
        write_all(self.fd, offset, data)

    def close(self) -> None:
        """Bitmaps, BAT, metadata, region tables, log, and at last the headers."""
        os.ftruncate(self.fd, self._end)
        for chunk, bitmap in self._bitmaps.items():
            self._put(int(self._bat[self._p.entry_of_bitmap(chunk)]) >> 20 << 20, bytes(bitmap))
        locator = encode.parent_locator(self.spec.parent) if self.spec.parent else b""
        self._put(0, encode.identifier(self.creator))
        self._put(_METADATA, encode.metadata(self._p, locator))
        regions = encode.region_table([(METADATA_REGION, _METADATA, MIB), (BAT_REGION, _BAT, self._bat_region)])
        for offset in REGION_TABLE_OFFSETS:
            self._put(offset, regions)
        pending = self.spec.log in (LogKind.PENDING, LogKind.WRAPPED)
        if not pending:
            self._put(_BAT, self._bat.tobytes())
        self._write_log()
        os.fsync(self.fd)
        self._write_headers(self.spec.session if pending else NO_GUID)
        os.fsync(self.fd)
        os.close(self.fd)

    def _write_log(self) -> None:
        """One session: the empty entry that opens it, then the BAT, several pages an entry, twice over.

        The first version of each page is an older one, so that only the newest counts.
        """
        if self.spec.log == LogKind.EMPTY or self._bat.nbytes > _MOST_PAGES * LOG_SECTOR:
            if self.spec.log in (LogKind.PENDING, LogKind.WRAPPED):
                raise ValueError("a pending log is written for small tables only")
            return
        table = self._bat.tobytes()
        pages = [
            (_BAT + at, table[at : at + LOG_SECTOR].ljust(LOG_SECTOR, b"\0"))
            for at in range(0, len(table), LOG_SECTOR)
        ]
        sequence = int.from_bytes(self.spec.session.bytes[:7], "big")
        at = _LOG_LENGTH - 4 * LOG_SECTOR if self.spec.log == LogKind.WRAPPED else 0
        tail = at
        for batch in ([], [(offset, bytes(LOG_SECTOR)) for offset, _ in pages], pages):
            entry = encode.log_entry(self.spec.session, sequence, tail, self._end, self._end, batch)
            first = min(len(entry), _LOG_LENGTH - at)
            self._put(_LOG + at, entry[:first])
            self._put(_LOG, entry[first:])
            at, sequence = (at + len(entry)) % _LOG_LENGTH, sequence + 1

    def _write_headers(self, log: UUID) -> None:
        values = Header(
            0,
            HEADER_OFFSETS[0],
            1,
            self.spec.file_write,
            self.spec.data_write,
            log,
            0,
            1,
            _LOG_LENGTH,
            _LOG,
            b"",
        )
        for slot, offset in enumerate(HEADER_OFFSETS):
            self._put(offset, encode.header(values._replace(sequence=slot + 1)))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            os.close(self.fd)
