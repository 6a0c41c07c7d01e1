"""ByteSource: exact bytes, or ``Unreadable``. And the sources that need no operating system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hvrescue.core.errors import Unreadable, problem
from hvrescue.core.words import Where

if TYPE_CHECKING:
    from hvrescue.byteio.extents import Extents


class ByteSource(Protocol):
    """Bytes at addresses. Thread-safe. A read gives exactly what was asked for, or raises ``Unreadable``."""

    @property
    def name(self) -> str:
        """What a person calls it: the path, nested with ``!``."""

    @property
    def size(self) -> int:
        """Bytes in all."""

    def pread(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``."""

    def preadinto(self, offset: int, buf: memoryview) -> None:
        """Fill ``buf`` from ``offset`` on."""

    def holes(self, offset: int, size: int) -> Extents:
        """PRESENT, ZERO (a hole of the file) or UNKNOWN (an unread area), without reading."""

    def fileno(self) -> int | None:
        """The descriptor whose bytes these are, address for address; None when there is none."""


def past_end(source: ByteSource, offset: int, size: int) -> Unreadable:
    """The error for a read outside the source."""
    where = Where(source.name, source.name, offset=offset, size=size)
    return Unreadable(problem("SRC-010", where, {"file_size": source.size}), ((offset, size),))


def check_range(source: ByteSource, offset: int, size: int) -> None:
    """Raise ``Unreadable`` unless [offset, offset+size) lies inside the source."""
    if offset < 0 or size < 0 or offset + size > source.size:
        raise past_end(source, offset, size)


class MemorySource:
    """Bytes in memory."""

    def __init__(self, name: str, data: bytes | bytearray | memoryview) -> None:
        self.name = name
        self._data = memoryview(data)
        self.size = len(self._data)

    def pread(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``."""
        check_range(self, offset, size)
        return bytes(self._data[offset : offset + size])

    def preadinto(self, offset: int, buf: memoryview) -> None:
        """Fill ``buf``."""
        check_range(self, offset, len(buf))
        buf[:] = self._data[offset : offset + len(buf)]

    def holes(self, offset: int, size: int) -> Extents:
        """Memory has no holes."""
        from hvrescue.byteio.extents import State, single

        check_range(self, offset, size)
        return single(offset, size, State.PRESENT, offset)

    def fileno(self) -> int | None:
        """None."""
        return None


class SliceSource:
    """A window of another source: a partition, a region, a file without its footer."""

    def __init__(self, base: ByteSource, offset: int, size: int, name: str = "") -> None:
        check_range(base, offset, size)
        self._base, self._offset = base, offset
        self.size = size
        self.name = name or base.name

    def pread(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset`` of the slice."""
        check_range(self, offset, size)
        return self._base.pread(self._offset + offset, size)

    def preadinto(self, offset: int, buf: memoryview) -> None:
        """Fill ``buf``."""
        check_range(self, offset, len(buf))
        self._base.preadinto(self._offset + offset, buf)

    def holes(self, offset: int, size: int) -> Extents:
        """The base's holes, in the slice's addresses."""
        from hvrescue.byteio.extents import extents

        check_range(self, offset, size)
        e = self._base.holes(self._offset + offset, size)
        start = e.start - self._offset
        return extents(start, offset + size, e.state, start)

    def fileno(self) -> int | None:
        """None: its addresses are not the descriptor's."""
        return None
