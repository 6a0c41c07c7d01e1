"""A folder as a source: walked with caps, never left, Windows paths found in it whatever their letter case."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import NamedTuple

from hvrescue.byteio.file import FileSource, ReadErrors, open_file
from hvrescue.byteio.source import ByteSource
from hvrescue.core.errors import RescueError
from hvrescue.core.limits import DEFAULT_LIMITS, Limits
from hvrescue.core.words import NotLooked, Where

_VOLUME = re.compile(r"^\\\\\?\\Volume\{[0-9a-fA-F-]{36}\}\\")
_LONG = re.compile(r"^\\\\\?\\(?:UNC\\)?")
_MOST_PARTS = 256
"""Folders in a recorded path; deeper ones are no real paths, and each part is looked up many times."""


class Entry(NamedTuple):
    """A file found; times in nanoseconds since 1970 UTC. ``born`` where the file system tells."""

    path: Path
    size: int
    modified_ns: int
    born_ns: int | None = None


_READINGS = 32
"""An absolute path is looked for below the root under at most so many of its ends."""


@dataclass
class Folder:
    """Everything at or below ``root``; drives mapped by the user (``D:`` to a folder) count as inside too."""

    root: Path
    """Absolute."""
    drives: Mapping[str, Path] = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS
    reach: Path | None = None
    """A folder above ``root`` up to which recorded parent paths may lead; nothing there is searched."""
    not_looked: list[NotLooked] = field(default_factory=list)
    _open: dict[Path, FileSource] = field(default_factory=dict)
    _errors: dict[int, ReadErrors] = field(default_factory=dict)
    _entries: tuple[Entry, ...] | None = None

    def entries(self) -> tuple[Entry, ...]:
        """Regular files by path; what could not be looked at is in ``not_looked``."""
        if self._entries is None:
            self._entries = tuple(sorted(self._walk(), key=lambda e: e.path))
        return self._entries

    def open(self, path: Path) -> FileSource:
        """A file of this source, opened once."""
        source = self._open.get(path)
        if source is None:
            source = self._open[path] = open_file(path, errors=self._errors_of)
        return source

    def _errors_of(self, device: int) -> ReadErrors:
        """All files of one device share its read errors: a dying disk is not tried file by file (law 6)."""
        return self._errors.setdefault(device, ReadErrors())

    def find(self, windows_path: str, relative_to: str) -> ByteSource | None:
        """The file a Windows path means: mapped drive, relative to the child, else below the root."""
        for base, parts in self._readings(windows_path, Path(relative_to).parent):
            if (path := self._descend(base, parts)) is not None:
                return self.open(path)
        return None

    def candidates(self, suffixes: frozenset[str]) -> Iterator[ByteSource]:
        """Files with these endings; those that cannot be opened are noted and left out."""
        for entry in self.entries():
            if entry.path.suffix.lower() in suffixes:
                try:
                    source = self.open(entry.path)
                except RescueError as error:
                    self.not_looked.append(NotLooked(error.finding.where[0], error.finding.code, error.finding.args))
                    continue
                yield source
                source.close()  # it opens again when it is read; a folder may hold more disks than there are handles

    def _readings(self, windows_path: str, here: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
        """(folder, parts below it) that a Windows path may mean, the likeliest first."""
        if match := _VOLUME.match(windows_path):
            yield self.root, PureWindowsPath(windows_path[match.end() :]).parts[:_MOST_PARTS]
            return
        path = PureWindowsPath(_LONG.sub("", windows_path))
        if len(path.parts) > _MOST_PARTS:
            return
        if not path.anchor and not path.drive:
            yield here, path.parts
            return
        below = path.parts[1:] if path.anchor else path.parts
        if (mapped := self.drives.get(path.drive.upper())) is not None:
            yield mapped, below
        # The host's D:\VMs\x may have been mounted or copied as any part of the tree.
        if ".." not in below:
            yield from ((self.root, below[n:]) for n in range(min(len(below), _READINGS)))

    def _descend(self, base: Path, parts: tuple[str, ...]) -> Path | None:
        """Follow the parts, comparing names without case, never out of the source's roots."""
        here = base
        for part in parts:
            if part in ("", "."):
                continue
            if part == "..":
                here = here.parent
                continue
            member = _member(here, part) if self._inside(here) else None
            if member is None:
                return None
            here = member
        if not self._inside(here):
            return None
        try:
            return here if stat.S_ISREG(here.stat().st_mode) else None
        except OSError:
            return None

    def _inside(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        roots = (self.reach or self.root, *self.drives.values())
        return any(real.is_relative_to(os.path.realpath(root)) for root in roots)

    def _walk(self) -> Iterator[Entry]:
        if self.root.is_file():
            yield _entry(self.root, self.root.stat())
            return
        stack, seen = [(self.root, 0)], 0
        while stack:
            folder, depth = stack.pop()
            try:
                members = sorted(os.scandir(folder), key=lambda m: m.name, reverse=True)
            except OSError as error:
                self._note(folder, "SRC-002" if isinstance(error, PermissionError) else "SRC-004", error)
                continue
            for member in members:
                seen += 1
                if seen > self.limits.walk_entries:
                    self._note(folder, "SRC-011")
                    return
                path = Path(member.path)
                try:
                    if member.is_symlink():
                        self._note(path, "SRC-012")
                    elif member.is_dir(follow_symlinks=False):
                        if depth < self.limits.walk_depth:
                            stack.append((path, depth + 1))
                        else:
                            self._note(path, "SRC-011")
                    elif member.is_file(follow_symlinks=False):
                        yield _entry(path, member.stat(follow_symlinks=False))
                    else:
                        self._note(path, "SRC-007")
                except OSError as error:
                    self._note(path, "SRC-004", error)

    def _note(self, path: Path, code: str, error: OSError | None = None) -> None:
        args = {"error": os.strerror(error.errno or 0)} if error else {}
        self.not_looked.append(NotLooked(Where(str(self.root), str(path)), code, args))


def _member(folder: Path, name: str) -> Path | None:
    """The member of this name; the exact spelling wins over another letter case."""
    exact = folder / name
    if os.path.lexists(exact):
        return exact
    try:
        with os.scandir(folder) as members:
            return next((Path(m.path) for m in members if m.name.lower() == name.lower()), None)
    except OSError:
        return None


def _entry(path: Path, status: os.stat_result) -> Entry:
    born = getattr(status, "st_birthtime_ns", None)
    return Entry(path, status.st_size, status.st_mtime_ns, born)
