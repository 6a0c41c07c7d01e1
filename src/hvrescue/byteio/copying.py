"""Runs of a source copied into a file: in the kernel where it can, holes kept."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator

from hvrescue.byteio.source import ByteSource

_STEP = 32 << 20
_BUFFER = 4 << 20
_NO_KERNEL_COPY = (errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EBADF, errno.EPERM)


def copy_run(source: ByteSource, at: int, fd: int, to: int, length: int) -> Iterator[int]:
    """Copy ``length`` bytes from ``at`` to ``to``; yields what each step did. The last read error is the caller's."""
    done = 0
    handle = source.fileno()
    if handle is not None and sys.platform == "linux":
        while done < length:
            try:
                step = os.copy_file_range(handle, fd, min(_STEP, length - done), at + done, to + done)
            except OSError as error:
                # The reader below tells a bad medium from a kernel that cannot; it reads the same bytes again.
                if error.errno not in (*_NO_KERNEL_COPY, errno.EIO):
                    raise
                break
            if step == 0:
                break
            done += step
            yield step
    buffer = memoryview(bytearray(min(_BUFFER, length - done))) if done < length else memoryview(b"")
    while done < length:
        part = buffer[: min(len(buffer), length - done)]
        source.preadinto(at + done, part)
        write_all(fd, to + done, part)
        done += len(part)
        yield len(part)


def write_all(fd: int, offset: int, data: bytes | memoryview) -> None:
    """Write everything at ``offset``."""
    view = memoryview(data)
    while view:
        if sys.platform == "win32":
            os.lseek(fd, offset, os.SEEK_SET)
            done = os.write(fd, view)
        else:
            done = os.pwrite(fd, view, offset)
        view, offset = view[done:], offset + done
