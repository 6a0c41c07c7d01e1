"""A file in memory that holds only what is not zero: copied and changed in microseconds."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hvrescue.byteio.extents import Extents, State, extents, single
from hvrescue.byteio.source import check_range
from hvrescue.core.errors import Unreadable, problem
from hvrescue.core.words import Where

PAGE = 4096
_ZEROS = bytes(PAGE)


def _places(fd: int, size: int) -> Iterator[int]:
    """Pages that are no holes, where the system tells."""
    if sys.platform == "win32":
        yield from range(0, size, PAGE)
        return
    at = 0
    while at < size:
        try:
            at = os.lseek(fd, at, os.SEEK_DATA)
        except OSError:
            return
        end = os.lseek(fd, at, os.SEEK_HOLE)
        yield from range(at // PAGE * PAGE, end, PAGE)
        at = end


class Thin:
    """A ByteSource over pages; ``bad`` are ranges that the medium does not give."""

    def __init__(self, name: str, size: int, pages: dict[int, bytes], bad: tuple[tuple[int, int], ...] = ()) -> None:
        self.name, self.size, self.pages, self.bad = name, size, pages, bad
        self.reads: list[tuple[int, int]] = []

    @classmethod
    def of(cls, path: Path, name: str = "") -> Thin:
        """The file's content, holes left out."""
        pages: dict[int, bytes] = {}
        with path.open("rb", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            for start in _places(file.fileno(), size):
                file.seek(start)
                page = file.read(PAGE).ljust(PAGE, b"\0")
                if page != _ZEROS:
                    pages[start] = page
        return cls(name or str(path), size, pages)

    def copy(self, name: str = "") -> Thin:
        """The same bytes, to be changed."""
        return Thin(name or self.name, self.size, dict(self.pages), self.bad)

    def write(self, offset: int, data: bytes) -> None:
        """Change bytes; the file does not grow."""
        data = data[: max(0, self.size - offset)]
        while data:
            at = offset // PAGE * PAGE
            inside = offset - at
            part = data[: PAGE - inside]
            page = self.pages.get(at, _ZEROS)
            self.pages[at] = page[:inside] + part + page[inside + len(part) :]
            offset, data = offset + len(part), data[len(part) :]

    def cut(self, size: int) -> None:
        """Make it shorter."""
        rest = self.pages.get(size // PAGE * PAGE)
        self.pages = {at: page for at, page in self.pages.items() if at < size}
        if rest is not None and size % PAGE:
            self.pages[size // PAGE * PAGE] = rest[: size % PAGE].ljust(PAGE, b"\0")
        self.size = size

    def pread(self, offset: int, size: int) -> bytes:
        buffer = bytearray(size)
        self.preadinto(offset, memoryview(buffer))
        return bytes(buffer)

    def preadinto(self, offset: int, buf: memoryview) -> None:
        check_range(self, offset, len(buf))
        self.reads.append((offset, len(buf)))
        end = offset + len(buf)
        if any(offset < high and low < end for low, high in self.bad):
            where = Where(self.name, self.name, offset=offset, size=len(buf))
            raise Unreadable(problem("SRC-004", where, {"error": "Input/output error"}), ((offset, len(buf)),))
        buf[:] = bytes(len(buf))
        first = offset // PAGE * PAGE
        if (end - first) // PAGE > len(self.pages):
            wanted = [at for at in self.pages if offset - PAGE < at < end]
        else:
            wanted = [at for at in range(first, end, PAGE) if at in self.pages]
        for at in wanted:
            low, high = max(at, offset), min(at + PAGE, end)
            buf[low - offset : high - offset] = self.pages[at][low - at : high - at]

    def holes(self, offset: int, size: int) -> Extents:
        check_range(self, offset, size)
        if size == 0:
            return single(offset, size, State.PRESENT, offset)
        starts, states = [offset], [self._state(offset)]
        if size // PAGE > len(self.pages) + 1:
            edges = sorted({e for at in self.pages for e in (at, at + PAGE) if offset < e < offset + size})
        else:
            edges = list(range(offset // PAGE * PAGE + PAGE, offset + size, PAGE))
        starts += edges
        states += [self._state(at) for at in edges]
        column = np.array(starts, np.int64)
        return extents(column, offset + size, np.array(states, np.uint8), column)

    def _state(self, offset: int) -> State:
        return State.PRESENT if offset // PAGE * PAGE in self.pages else State.ZERO

    def fileno(self) -> int | None:
        return None


class Shelf:
    """Neighbours by file name alone."""

    def __init__(self, *sources: Thin) -> None:
        self._by_name = {source.name: source for source in sources}

    def find(self, windows_path: str, relative_to: str) -> Thin | None:
        del relative_to
        return self._by_name.get(windows_path.replace("/", "\\").rpartition("\\")[2])

    def candidates(self, suffixes: frozenset[str]) -> Iterator[Thin]:
        return iter([s for n, s in sorted(self._by_name.items()) if "." + n.rpartition(".")[2] in suffixes])
