"""``diagnose``: what is there, what is damaged, who hangs on whom, what to do first and what not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hvrescue.app.diagnosis_data import diagnosis_data
from hvrescue.app.diagnosis_text import diagnosis_blocks
from hvrescue.app.looking import Drives, reach_of
from hvrescue.app.result import COULD_NOT_LOOK, HEALTHY, PROBLEMS, Result
from hvrescue.core.context import Context
from hvrescue.core.errors import RescueError, problem
from hvrescue.core.words import NotLooked, Severity, Verdict, Where
from hvrescue.diagnosis.storage import Storage, examine
from hvrescue.document.model import Document
from hvrescue.sources.folder import Folder

SCHEMA = "hvrescue/diagnosis/1"


def diagnose(sources: Sequence[Path], drives: Drives, ctx: Context) -> Result:
    """Look at every disk below the sources. What cannot be opened is noted; with nothing left, the run ends."""
    folders, missing = list[Folder](), list[RescueError]()
    for path in sources:
        try:
            folders.append(_source(_existing(path), drives, ctx))
        except RescueError as error:
            missing.append(error)
    if not folders:
        raise missing[0]
    storage = examine(folders, ctx)
    storage.not_looked += [NotLooked(e.finding.where[0], e.finding.code, e.finding.args) for e in missing]
    names = [str(folder.root) for folder in folders]
    blocks = tuple(diagnosis_blocks(storage, names))
    return Result(Document(SCHEMA, diagnosis_data(storage, names), blocks), exit_code(storage))


def _source(path: Path, drives: Drives, ctx: Context) -> Folder:
    """A folder, or one file; then its parents may lie where it says, up to one folder above its own."""
    return Folder(path, drives, ctx.limits, reach=None if path.is_dir() else reach_of(path))


def _existing(path: Path) -> Path:
    path = path.absolute()
    where = Where(str(path), str(path))
    try:
        path.stat()
    except FileNotFoundError as error:
        raise RescueError(problem("SRC-001", where)) from error
    except OSError as error:
        code = "SRC-002" if isinstance(error, PermissionError) else "SRC-004"
        raise RescueError(problem(code, where, {"error": str(error.strerror)})) from error
    return path


def exit_code(storage: Storage) -> int:
    """1 with problems, 3 when nothing could be looked at or something was left out, else 0."""
    findings = [f for disk in storage.disks for f in disk.findings]
    if any(f.severity >= Severity.WARNING for f in findings):
        return PROBLEMS
    if storage.not_looked or not storage.disks or any(d.verdict == Verdict.UNKNOWN for d in storage.disks):
        return COULD_NOT_LOOK
    return HEALTHY
