"""The virtual disks of a source: found by content, surveyed, put on their parents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hvrescue.byteio.source import ByteSource
from hvrescue.core.context import Context
from hvrescue.core.errors import RescueError
from hvrescue.core.words import Finding, NotLooked, Verdict, Where
from hvrescue.images.chain import Chain, Found, find_parent, resolve, rest
from hvrescue.images.formats import DISK_SUFFIXES, format_of, link_of, suffix_of, survey_image
from hvrescue.images.identity import Neighbours, ParentLink
from hvrescue.images.survey import Survey
from hvrescue.sources.folder import Entry, Folder

_SMALLEST = 1536
"""Bytes of the smallest thing that could be a disk: a VHD's footer and header."""
_RAW_SUFFIXES = frozenset({".img", ".raw", ".dd", ".bin", ""})
_READ_ERRORS = frozenset({"SRC-004", "SRC-009"})


@dataclass(slots=True)
class Disk:
    """One disk with its place in the forest."""

    entry: Entry
    survey: Survey[Any]
    chain: Chain
    alone: bool = False
    """Only this file was given: whether other disks depend on it is not known."""
    children: list[Disk] = field(default_factory=list)
    estranged: list[Disk] = field(default_factory=list)
    """Disks that name this file as their parent, but were made from an earlier state of it."""

    @property
    def name(self) -> str:
        """Its path."""
        return self.survey.source.name

    @property
    def verdict(self) -> Verdict:
        """Its own verdict, or that of the chain beneath it when that is worse."""
        return self.chain.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Its own and its chain's."""
        return (*self.survey.findings, *self.chain.findings)


@dataclass(slots=True)
class Storage:
    """Every disk found below the sources, and what could not be looked at."""

    disks: list[Disk]
    not_looked: list[NotLooked]
    files: int

    @property
    def roots(self) -> list[Disk]:
        """Disks that hang on no other disk found here: bases, and children whose parent is not here."""
        below = {id(child) for disk in self.disks for child in disk.children}
        return [disk for disk in self.disks if id(disk) not in below]


def examine(folders: Sequence[Folder], ctx: Context) -> Storage:
    """Survey every disk below the folders, one file at a time and each forward only (law 6)."""
    folders = sorted(folders, key=lambda folder: folder.root)  # the order they are named in changes nothing
    notes: list[NotLooked] = []
    surveys: dict[str, Survey[Any]] = {}
    entries: dict[str, tuple[Entry, Folder]] = {}
    files = 0
    for folder in folders:
        files += len(folder.entries())
        for entry in folder.entries():
            if len(surveys) >= ctx.limits.disks:
                notes.append(_note(entry, "SRC-011"))
                break
            survey = _survey(folder, entry, ctx, notes)
            if survey is not None and survey.source.name not in surveys:
                surveys[survey.source.name] = survey
                entries[survey.source.name] = (entry, folder)
    parents: dict[str, Found] = {}
    disks = {name: _with_chain(name, surveys, entries, folders, ctx, parents) for name in surveys}
    for disk in disks.values():
        links = disk.chain.links
        if len(links) > 1 and (parent := disks.get(links[1].source.name)) is not None:
            parent.children.append(disk)
        stand_in = disk.chain.stand_in
        if stand_in is not None and (parent := disks.get(stand_in.name)) is not None:
            parent.estranged.append(disk)
    notes += [note for folder in folders for note in folder.not_looked]
    notes += [note for disk in disks.values() for note in (*disk.survey.not_looked, *disk.chain.not_looked)]
    return Storage(sorted(disks.values(), key=lambda d: d.name), notes, files)


def _survey(folder: Folder, entry: Entry, ctx: Context, notes: list[NotLooked]) -> Survey[Any] | None:
    suffix = suffix_of(entry.path.name)
    if entry.size < _SMALLEST and suffix not in DISK_SUFFIXES:
        return None
    try:
        source = folder.open(entry.path)
        try:
            found = format_of(source)
            raw_here = found is not None and found.name == "raw" and suffix not in _RAW_SUFFIXES
            if suffix not in DISK_SUFFIXES and (found is None or raw_here):
                return None
            ctx.progress.start(source.name, None)
            return survey_image(source, ctx)
        finally:
            ctx.progress.end()
            source.close()
    except RescueError as error:
        notes.append(NotLooked(error.finding.where[0], error.finding.code, error.finding.args))
        return None


def _with_chain(
    name: str,
    surveys: dict[str, Survey[Any]],
    entries: dict[str, tuple[Entry, Folder]],
    folders: Sequence[Folder],
    ctx: Context,
    parents: dict[str, Found],
) -> Disk:
    entry, home = entries[name]

    def known(source: ByteSource) -> Survey[Any]:
        return surveys.get(source.name) or survey_image(source, ctx)

    def identify(source: ByteSource, format: str) -> UUID | None:
        """From the survey where there is one: thousands of orphans ask for the same thousands of files."""
        seen = surveys.get(source.name)
        if seen is None or seen.format != format or seen.identity is None:
            return link_of(source, format)
        return seen.identity.link

    def seek(child: Survey[Any], link: ParentLink, near: Neighbours) -> Found:
        """Each disk's parent is looked for once, however many chains lead through it."""
        if child.source.name not in parents:
            parents[child.source.name] = find_parent(child, link, near, identify)
        return parents[child.source.name]

    chain = resolve(surveys[name], _Together(home, folders), ctx, known, seek)
    for link in chain.links:
        rest(link.source)
    return Disk(entry, surveys[name], chain, alone=home.root == entry.path)


@dataclass(frozen=True, slots=True)
class _Together:
    """The disk's own folder first, then the other sources of the same host."""

    home: Folder
    folders: Sequence[Folder]

    def _ordered(self) -> list[Folder]:
        return [self.home, *(f for f in self.folders if f is not self.home)]

    def find(self, windows_path: str, relative_to: str) -> ByteSource | None:
        return next((s for f in self._ordered() if (s := f.find(windows_path, relative_to)) is not None), None)

    def candidates(self, suffixes: frozenset[str]) -> Iterator[ByteSource]:
        for folder in self._ordered():
            yield from folder.candidates(suffixes)


def _note(entry: Entry, code: str) -> NotLooked:
    return NotLooked(Where(str(entry.path), str(entry.path)), code)


def medium_fails(storage: Storage) -> bool:
    """Whether anything was not looked at because the medium gave a read error."""
    return any(note.reason in _READ_ERRORS for note in storage.not_looked)
