"""ByteWindow: bounds-checked reads of small structures, and fields by name and offset."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hvrescue.byteio.source import ByteSource
from hvrescue.core.errors import Unreadable
from hvrescue.core.words import Where


@dataclass(frozen=True, slots=True)
class ByteWindow:
    """A structure at ``offset`` of a source, held in memory. Never short: what is cut off was not given."""

    source: str
    structure: str
    offset: int
    data: bytes

    def unpack(self, layout: struct.Struct, at: int = 0) -> tuple[int | bytes, ...]:
        """Fields of ``layout`` at ``at`` within the window."""
        return layout.unpack_from(self.data, at)

    def where(self, field: str = "", at: int = 0, size: int | None = None) -> Where:
        """The place of a field, in file addresses."""
        length = len(self.data) - at if size is None else size
        return Where(self.source, self.source, self.structure, field, self.offset + at, length)


def read_window(source: ByteSource, structure: str, offset: int, size: int) -> ByteWindow | None:
    """The structure, or None when the source ends before it does or it cannot be read."""
    if offset < 0 or offset + size > source.size:
        return None
    try:
        return ByteWindow(source.name, structure, offset, source.pread(offset, size))
    except Unreadable:
        return None
