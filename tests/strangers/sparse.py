"""Write and edit sparse files: only real bytes are written, the rest is a hole."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from .model import Span


@dataclass(frozen=True)
class Chunk:
    """Bytes for a place in a file."""

    offset: int
    data: bytes


def write_sparse(path: Path, size: int, chunks: Iterable[Chunk]) -> None:
    """Create a file of ``size`` bytes holding the chunks; what lies past the end is cut off."""
    with path.open("wb") as stream:
        os.ftruncate(stream.fileno(), size)
        for chunk in chunks:
            data = chunk.data[: max(size - chunk.offset, 0)].rstrip(b"\0")  # zeros stay a hole
            if data:
                os.pwrite(stream.fileno(), data, chunk.offset)


class Editor:
    """In-place edits of one file; a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDWR)

    def __enter__(self) -> Editor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)

    @property
    def size(self) -> int:
        """Size of the file now."""
        return os.fstat(self._fd).st_size

    def read(self, span: Span) -> bytes:
        """Bytes of a range; short at the end of the file."""
        return os.pread(self._fd, span.size, span.offset)

    def write(self, offset: int, data: bytes) -> Span:
        """Overwrite bytes and say where."""
        os.pwrite(self._fd, data, offset)
        return Span(offset, len(data))

    def zero(self, span: Span) -> Span:
        """Overwrite a range with zeros."""
        return self.write(span.offset, bytes(span.size))

    def flip(self, offset: int, bit: int) -> Span:
        """Flip one bit of one byte."""
        byte = self.read(Span(offset, 1))[0] ^ (1 << bit)
        return self.write(offset, bytes([byte]))

    def cut(self, size: int) -> Span:
        """Truncate and say what is gone."""
        gone = Span(size, max(self.size - size, 0))
        os.ftruncate(self._fd, size)
        return gone

    def grow(self, size: int) -> Span:
        """Extend with a hole."""
        new = Span(self.size, size - self.size)
        os.ftruncate(self._fd, size)
        return new
