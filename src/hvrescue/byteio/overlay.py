"""A source with pages written over it in memory: a log replayed without touching the file."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from hvrescue.byteio.extents import Extents, State, single
from hvrescue.byteio.source import ByteSource, check_range

PAGE = 4096


@dataclass(frozen=True, slots=True)
class Patchwork:
    """What lies over a source: whole pages by offset, and sorted, disjoint ranges (offset, end) of zeros.

    Pages win over zero ranges; whoever builds it has removed pages that were zeroed later.
    """

    pages: Mapping[int, bytes]
    zeros: tuple[tuple[int, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pages or self.zeros)


class OverlaySource:
    """``base`` grown (with zeros) to ``size``, with a patchwork over it."""

    def __init__(self, base: ByteSource, over: Patchwork, size: int) -> None:
        self._base = base
        self.name = base.name
        self.size = max(size, base.size)
        self._pages = over.pages
        self._at = sorted(over.pages)
        self._zeros = over.zeros
        self._plain = not over and self.size == base.size

    def pread(self, offset: int, size: int) -> bytes:
        """``size`` bytes as they are once the patchwork is applied."""
        if self._plain:
            return self._base.pread(offset, size)
        check_range(self, offset, size)
        buffer = bytearray(size)
        self.preadinto(offset, memoryview(buffer))
        return bytes(buffer)

    def preadinto(self, offset: int, buf: memoryview) -> None:
        """Fill ``buf``."""
        if self._plain:
            self._base.preadinto(offset, buf)
            return
        check_range(self, offset, len(buf))
        end = offset + len(buf)
        inside = max(0, min(end, self._base.size) - offset)
        if inside:
            self._base.preadinto(offset, buf[:inside])
        buf[inside:] = bytes(len(buf) - inside)
        for low, high in self._zeroed(offset, end):
            a, b = max(low, offset), min(high, end)
            buf[a - offset : b - offset] = bytes(b - a)
        for at in self._at[bisect_right(self._at, offset - PAGE) : bisect_left(self._at, end)]:
            a, b = max(at, offset), min(at + PAGE, end)
            buf[a - offset : b - offset] = self._pages[at][a - at : b - at]

    def touched(self, offset: int, size: int) -> bool:
        """Whether the patchwork changes anything in the range."""
        end = offset + size
        return (
            end > self._base.size
            or bisect_right(self._at, offset - PAGE) < bisect_left(self._at, end)
            or bool(self._zeroed(offset, end))
        )

    def _zeroed(self, offset: int, end: int) -> tuple[tuple[int, int], ...]:
        """The zeroed ranges that touch [offset, end)."""
        first = bisect_right(self._zeros, offset, key=lambda zero: zero[1])
        return self._zeros[first : bisect_left(self._zeros, end, key=lambda zero: zero[0])]

    def holes(self, offset: int, size: int) -> Extents:
        """The base's holes where nothing lies over them."""
        check_range(self, offset, size)
        if self.touched(offset, size):
            return single(offset, size, State.PRESENT, offset)
        return self._base.holes(offset, size)

    def fileno(self) -> int | None:
        """The base's descriptor while nothing lies over it."""
        return self._base.fileno() if self._plain else None
