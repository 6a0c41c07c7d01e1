"""Files and devices, opened for reading only."""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Self

from hvrescue.byteio.source import check_range
from hvrescue.core.errors import RescueError, Unreadable, problem
from hvrescue.core.limits import DEFAULT_LIMITS
from hvrescue.core.words import EMPTY, Scalar, Where

if TYPE_CHECKING:
    from hvrescue.byteio.extents import Extents

_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_BINARY", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
)
_SHARING_VIOLATION = (32, 33)
_STEP = 64 << 20


class Stamp(NamedTuple):
    """What tells whether a file is still the one looked at: size, times, identity."""

    size: int
    mtime_ns: int
    device: int
    inode: int


@dataclass(slots=True)
class ReadErrors:
    """How often a medium has failed; shared by the files that lie on it."""

    count: int = 0


class FileSource:
    """One open file or device. Never opened for writing; after three read errors its medium is left alone."""

    def __init__(self, path: Path, name: str, fd: int, size: int, errors: ReadErrors | None = None) -> None:
        self.path, self.name, self.size = path, name, size
        self._fd = fd
        self._lock = threading.Lock()
        self._errors = errors or ReadErrors()
        self._holes: Extents | None = None
        self.stamp = _look(fd)

    def _descriptor(self) -> int:
        """The descriptor; opened again after ``close``, if the file is still the one looked at."""
        with self._lock:
            if self._fd < 0:
                try:
                    self._fd = os.open(self.path, _FLAGS)
                except OSError as error:
                    raise self._unreadable(_reason(error, self.path), 0, self.size, error) from error
                if _look(self._fd) != self.stamp:
                    raise self._unreadable("SRC-008", 0, self.size)
            return self._fd

    def changed(self) -> bool:
        """Whether the file was written to since it was opened: then nothing read so far is certain."""
        return _look(self._descriptor()) != self.stamp

    def pread(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``."""
        check_range(self, offset, size)
        buffer = bytearray(size)
        self._fill(offset, memoryview(buffer))
        return bytes(buffer)

    def preadinto(self, offset: int, buf: memoryview) -> None:
        """Fill ``buf``."""
        check_range(self, offset, len(buf))
        self._fill(offset, buf)

    def _fill(self, offset: int, buf: memoryview) -> None:
        done, size = 0, len(buf)
        while done < size:
            if self._errors.count >= DEFAULT_LIMITS.read_errors:
                raise self._unreadable("SRC-009", offset + done, size - done)
            try:
                got = self._read_some(offset + done, buf[done : done + _STEP])
            except OSError as error:
                self._errors.count += 1
                raise self._unreadable("SRC-004", offset + done, size - done, error) from error
            if got == 0:
                raise self._unreadable("SRC-008", offset + done, size - done)
            done += got

    def _read_some(self, offset: int, buf: memoryview) -> int:
        if sys.platform == "win32":
            fd = self._descriptor()
            with self._lock:
                os.lseek(fd, offset, os.SEEK_SET)
                data = os.read(fd, len(buf))
            buf[: len(data)] = data
            return len(data)
        return os.preadv(self._descriptor(), [buf], offset)

    def _unreadable(self, code: str, offset: int, size: int, error: OSError | None = None) -> Unreadable:
        where = Where(self.name, self.name, offset=offset, size=size)
        args: Mapping[str, Scalar] = {"error": os.strerror(error.errno or 0)} if error else EMPTY
        return Unreadable(problem(code, where, args), ((offset, size),))

    def holes(self, offset: int, size: int) -> Extents:
        """What the file system keeps as holes. Asked once for the whole file: tmpfs walks page by page."""
        from hvrescue.byteio.extents import State, single, window
        from hvrescue.byteio.holes import file_holes

        check_range(self, offset, size)
        if size == 0:
            return single(offset, size, State.PRESENT, offset)
        fd = self._descriptor()
        with self._lock:
            if self._holes is None:
                self._holes = file_holes(fd, 0, self.size)
        return window(self._holes, offset, offset + size)

    def fileno(self) -> int | None:
        """The descriptor; None once the medium has failed, for the kernel would not count its errors (law 6)."""
        return None if self._errors.count else self._descriptor()

    def close(self) -> None:
        """Give the descriptor back; the next read opens the file again and makes sure that it is the same."""
        with self._lock:
            if self._fd >= 0:
                os.close(self._fd)
                self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _look(fd: int) -> Stamp:
    s = os.fstat(fd)
    return Stamp(s.st_size, s.st_mtime_ns, s.st_dev, s.st_ino)


def open_file(path: Path | str, name: str = "", errors: Callable[[int], ReadErrors] | None = None) -> FileSource:
    """Open for reading, or raise ``RescueError`` that says in one line why not.

    Regular files and block devices only; pipes, sockets and terminals are refused before they could block.
    ``errors`` gives the count of a device's read errors, for those who open many files.
    """
    path = Path(path)
    name = name or str(path)
    where = Where(name, name)
    try:
        fd = os.open(path, _FLAGS)
    except OSError as error:
        raise RescueError(problem(_reason(error, path), where, {"error": os.strerror(error.errno or 0)})) from error
    try:
        status = os.fstat(fd)
        if stat.S_ISDIR(status.st_mode):
            raise RescueError(problem("SRC-003", where))
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISBLK(status.st_mode)):
            raise RescueError(problem("SRC-007", where))
        size = status.st_size if stat.S_ISREG(status.st_mode) else os.lseek(fd, 0, os.SEEK_END)
        return FileSource(path, name, fd, size, errors(status.st_dev) if errors else None)
    except BaseException:
        os.close(fd)
        raise


def _reason(error: OSError, path: Path) -> str:
    if getattr(error, "winerror", None) in _SHARING_VIOLATION:
        return "SRC-006"
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return "SRC-001"
    if isinstance(error, IsADirectoryError) or (sys.platform == "win32" and path.is_dir()):
        return "SRC-003"
    if isinstance(error, PermissionError):
        return "SRC-002"
    if error.errno in (errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP):
        return "SRC-007"
    if error.errno == errno.ELOOP:
        return "SRC-012"
    return "SRC-004"
