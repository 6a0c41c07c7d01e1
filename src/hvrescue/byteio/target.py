"""A new file: written beside its name, given its name when it is whole, never over another file."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hvrescue.core.errors import Refused, StepFailed, problem
from hvrescue.core.words import Scalar, Where

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def refuse_taken(path: Path, needed: int) -> Path:
    """The folder a new file may be written in; ``Refused`` when it may not."""
    where = Where(str(path), str(path))
    if os.path.lexists(path):
        raise Refused(problem("OUT-001", where))
    folder = path.absolute().parent
    if not folder.is_dir():
        raise Refused(problem("OUT-003", where, {"folder": str(folder)}))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise Refused(problem("OUT-002", where, {"needed": needed, "free": free}))
    return folder


@contextmanager
def new_file(path: Path, needed: int) -> Iterator[Path]:
    """Yields the name to write to; at the end it becomes ``path``. On an error nothing is left behind.

    Refuses when ``path`` exists, its folder does not, or the disk has not ``needed`` bytes free.
    """
    where = Where(str(path), str(path))
    folder = refuse_taken(path, needed)
    part = folder / f"{path.name}.{os.getpid()}.part"
    try:
        yield part
        _give_name(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        code = "OUT-002" if error.errno in _FULL else "OUT-004"
        args: dict[str, Scalar] = {
            "error": os.strerror(error.errno or 0),
            "needed": needed,
            "free": shutil.disk_usage(folder).free,
        }
        raise StepFailed(problem(code, where, args)) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _give_name(part: Path, path: Path) -> None:
    """Rename without ever replacing: by a link where the file system has links, else if the name is still free."""
    try:
        os.link(part, path)
    except FileExistsError:
        raise
    except OSError:
        if os.path.lexists(path):
            raise
        part.rename(path)
    else:
        part.unlink()
