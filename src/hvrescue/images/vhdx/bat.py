"""The block allocation table, read in pages: a 64 TiB disk's may be 512 MiB."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from hvrescue.byteio.arrays import U64
from hvrescue.byteio.source import ByteSource
from hvrescue.core.limits import DEFAULT_LIMITS
from hvrescue.images.vhdx.layout import Parameters

ENTRY = 8
STATE_MASK = np.uint64(7)
LOW_MASK = np.uint32(0xFFFFF)
"""State and reserved bits of an entry."""
OFFSET_MASK = np.uint64(0xFFFFFFFFFFF00000)
MIB_SHIFT = np.uint64(20)


class BatPage(NamedTuple):
    """Whole chunks of the table. ``payload`` has one row per chunk, padded with zeros after the last block."""

    first_chunk: int
    payload: U64
    bitmaps: U64

    @property
    def entries(self) -> U64:
        """Payload entries in block order."""
        return self.payload.reshape(-1)


class BatTable(NamedTuple):
    """Where the table lies and how it is laid out."""

    content: ByteSource
    offset: int
    parameters: Parameters

    @property
    def size(self) -> int:
        """Bytes that have a meaning."""
        return self.parameters.entries * ENTRY

    def place(self, index: int) -> int:
        """File offset of entry ``index``."""
        return self.offset + index * ENTRY

    def chunks_per_page(self) -> int:
        """Chunks read at once."""
        return max(1, DEFAULT_LIMITS.bat_page // ENTRY // (self.parameters.chunk_ratio + 1))

    def raw(self, first_chunk: int, chunks: int) -> U64:
        """Entries of whole chunks, one row per chunk; zeros where the disk has no more blocks."""
        stride = self.parameters.chunk_ratio + 1
        first = first_chunk * stride
        count = min(chunks * stride, self.parameters.entries - first)
        flat = np.empty(chunks * stride, np.dtype("<u8"))
        flat[count:] = 0
        self.content.preadinto(self.place(first), flat[:count].view(np.uint8).data)
        rows: U64 = flat.reshape(chunks, stride)
        surplus = (first_chunk + chunks) * (stride - 1) - self.parameters.blocks
        if surplus > 0:
            rows[-1, stride - 1 - surplus : -1] = 0
        return rows

    def page(self, first_chunk: int, chunks: int) -> BatPage:
        """Chunks ``first_chunk`` .. ``first_chunk + chunks``."""
        rows = self.raw(first_chunk, chunks)
        return BatPage(first_chunk, np.ascontiguousarray(rows[:, :-1]), rows[:, -1].copy())

    def starts(self) -> Iterator[tuple[int, int]]:
        """(first chunk, chunks) of every page."""
        step = self.chunks_per_page()
        for first in range(0, self.parameters.chunks, step):
            yield first, min(step, self.parameters.chunks - first)
