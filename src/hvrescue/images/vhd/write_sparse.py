"""A dynamic or differencing VHD being written: blocks are appended as they come, the structures follow last."""

from __future__ import annotations

from collections.abc import Iterable
from typing import BinaryIO

import numpy as np

from hvrescue.core.limits import KIB
from hvrescue.images.vhd.layout import (
    ABSENT,
    ENTRY,
    HEADER,
    HEADER_COOKIE,
    HEADER_OFFSET,
    HEADER_SIZE,
    HEADER_SUM,
    LOCATOR,
    NAME_SIZE,
    NO_ID,
    NOWHERE,
    SECTOR,
    VERSION,
    Kind,
)
from hvrescue.images.vhd.recipe import Parent, Recipe, footer_bytes, signed

_PAGE = 4 * KIB
_RELATIVE_SPACE = 64 * KIB
"""Room that Windows 10 keeps for the relative path, so that it can grow."""


class SparseWriter:
    """Writes one file from its beginning."""

    def __init__(self, file: BinaryIO, recipe: Recipe, parent: Parent | None) -> None:
        self.file, self.recipe, self.parent = file, recipe, parent
        self.kind = Kind.DIFFERENCING if parent else Kind.DYNAMIC
        self.bitmap_size = -(-recipe.block_size // (SECTOR * 8 * SECTOR)) * SECTOR
        self.entries = np.full(-(-recipe.size // recipe.block_size), ABSENT, np.uint32)
        self.absolute = (parent.absolute_path if parent else "").encode("utf-16-le")
        self.relative = (parent.relative_path if parent else "").encode("utf-16-le")
        # Windows 10: absolute path at 4096, table at 8192, relative path behind it.
        self.table_at = _up(_PAGE + max(len(self.absolute), 1), _PAGE) if parent else HEADER_OFFSET + HEADER_SIZE
        table_end = self.table_at + _up(self.entries.size * ENTRY, SECTOR)
        self.relative_at = _up(table_end, _PAGE)
        self.relative_space = max(_RELATIVE_SPACE, _up(len(self.relative), _PAGE))
        self.next = self._aligned(self.relative_at + self.relative_space if parent else table_end)
        self.open_block, self.bits = -1, bytearray()

    def _aligned(self, offset: int) -> int:
        """The first place from ``offset`` on at which the data behind the bitmap begins on 4 KiB."""
        return _up(offset + self.bitmap_size, _PAGE) - self.bitmap_size

    def write(self, pieces: Iterable[tuple[int, bytes]]) -> None:
        """All data, then the structures: until they stand the file is no VHD, rather than a wrong one."""
        for offset, piece in pieces:
            if self.parent and (offset % SECTOR or len(piece) % SECTOR):
                raise ValueError(f"no whole sectors: {offset} + {len(piece)}")
            self._spread(offset, piece)
        self._close_block()
        self._finish()

    def _spread(self, offset: int, piece: bytes) -> None:
        size, at = self.recipe.block_size, 0
        while at < len(piece):
            block, inside = divmod(offset + at, size)
            part = piece[at : at + size - inside]
            at += len(part)
            if self.entries[block] == ABSENT and not self.parent and not any(part):
                continue
            start = self._open(block)
            self.file.seek(start + self.bitmap_size + inside)
            self.file.write(part)
            if self.parent:
                self._mark(inside // SECTOR, (inside + len(part)) // SECTOR)

    def _open(self, block: int) -> int:
        """The block's place; a child's bitmap comes into memory."""
        if self.entries[block] == ABSENT:
            self.entries[block] = self.next // SECTOR
            self.file.seek(self.next)
            # Windows sets all bits of a dynamic disk's block at once.
            self.file.write((b"\0" if self.parent else b"\xff") * self.bitmap_size)
            self.next = self._aligned(self.next + self.bitmap_size + self.recipe.block_size)
        start = int(self.entries[block]) * SECTOR
        if self.parent and block != self.open_block:
            self._close_block()
            self.file.seek(start)
            self.open_block, self.bits = block, bytearray(self.file.read(self.bitmap_size))
        return start

    def _mark(self, low: int, high: int) -> None:
        first, last = low // 8, -(-high // 8)
        bits = np.unpackbits(np.frombuffer(self.bits, np.uint8, last - first, first))
        bits[low - 8 * first : high - 8 * first] = 1
        self.bits = self.bits[:first] + np.packbits(bits).tobytes() + self.bits[last:]

    def _close_block(self) -> None:
        if self.open_block >= 0:
            self._at(int(self.entries[self.open_block]) * SECTOR, self.bits)

    def _finish(self) -> None:
        present = self.entries[self.entries != ABSENT]
        last = int(present.max()) * SECTOR if present.size else 0
        end = last + self.bitmap_size + self.recipe.block_size if present.size else self.next
        footer = footer_bytes(self.recipe, self.kind)
        table = self.entries.astype(">u4").tobytes()
        self._at(self.table_at, table.ljust(_up(len(table), SECTOR), b"\xff"))
        if self.parent:
            self._at(_PAGE, self.absolute)
            self._at(self.relative_at, self.relative)
        self._at(_up(end, SECTOR), footer)
        self._at(HEADER_OFFSET, self._header())
        self._at(0, footer)

    def _at(self, offset: int, data: bytes | bytearray) -> None:
        self.file.seek(offset)
        self.file.write(data)

    def _header(self) -> bytes:
        parent = self.parent
        data = HEADER.pack(
            HEADER_COOKIE, NOWHERE, self.table_at, VERSION, self.entries.size, self.recipe.block_size, 0,
            (parent.unique_id if parent else NO_ID).bytes, parent.timestamp if parent else 0, 0,
        )  # fmt: skip
        name = parent.name.encode("utf-16-be")[: NAME_SIZE - 2] if parent else b""
        data += name.ljust(NAME_SIZE, b"\0")
        for code, text, space, at in (
            (b"W2ku", self.absolute, self.table_at - _PAGE, _PAGE),
            (b"W2ru", self.relative, self.relative_space, self.relative_at),
        ):
            data += LOCATOR.pack(code, space, len(text), 0, at) if text else bytes(LOCATOR.size)
        return signed(data.ljust(HEADER_SIZE, b"\0"), HEADER_SUM)


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
