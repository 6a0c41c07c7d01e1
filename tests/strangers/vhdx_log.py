"""Fill the circular log with sessions (spec 1.4 and the real-world facts at its end)."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace

from .model import guid, number
from .vhdx_codec import PAGE, ZERO_GUID
from .vhdx_layout import Layout
from .vhdx_logbytes import Entry, Page, Placed
from .vhdx_spec import LogKind, LogPlan, VhdxSpec
from .vhdx_stages import Stage, rotated


@dataclass(frozen=True)
class LogImage:
    """The log as it lies on disk, and what the header must say about it."""

    ring: bytes
    placed: tuple[Placed, ...]
    header_guid: uuid.UUID
    disk_stage: int
    """The stage whose pages are on disk."""


class _Ring:
    """A writer that knows the circular buffer and forgets what it overwrites."""

    def __init__(self, length: int) -> None:
        self.data = bytearray(length)
        self.position = 0
        self.placed: list[Placed] = []

    def put(self, entry: Entry, role: str, keep: int | None = None) -> None:
        """Write an entry (or only its first ``keep`` bytes: torn) and advance, wrapping at the end."""
        raw = entry.pack()[:keep]
        length = len(self.data)
        sectors = {(self.position + at) % length for at in range(0, len(raw), PAGE)}
        self.placed = [p for p in self.placed if not sectors & set(_sectors(p, length))]
        first = min(len(raw), length - self.position)
        self.data[self.position : self.position + first] = raw[:first]
        self.data[: len(raw) - first] = raw[first:]
        self.placed.append(Placed(self.position, entry, role))
        self.position = (self.position + entry.size) % length


def _sectors(placed: Placed, length: int) -> list[int]:
    return [(placed.start + at) % length for at in range(0, placed.entry.size, PAGE)]


def build_log(spec: VhdxSpec, layout: Layout, stages: tuple[Stage, ...], size: int) -> LogImage:
    """The log for a file of ``size`` bytes whose history is ``stages``."""
    plan = spec.log
    last = len(stages) - 1
    if plan.kind is LogKind.EMPTY:
        return LogImage(bytes(plan.length), (), ZERO_GUID, last)
    ring = _Ring(plan.length)
    if plan.older_session:
        _older(spec, layout, stages[-1], ring, size)
        ring.position = 0
    session = _Session(spec, ring, size)
    if plan.kind is LogKind.CLEAN_STALE:
        _stale(plan, stages, session, layout)
        return LogImage(bytes(ring.data), tuple(ring.placed), ZERO_GUID, last)
    disk = last - 1 if plan.guid_per_entry else plan.disk_version
    steps = [stages[n].changes_to(stages[n + 1]) for n in range(disk, last)]
    needed = [pages for pages in steps if pages]
    session.put((), "superseded" if plan.guid_per_entry else "active")
    if plan.kind is LogKind.PENDING_WRAPPED:
        _approach_end(session, needed, stages[disk])
    elif disk:
        session.put(_cut(stages[0].changes_to(stages[disk])), "superseded")
    first = ring.position
    for pages in needed:
        session.put(pages, "active", tail=first)
    if plan.kind is LogKind.PENDING_TORN:
        turned = _bat_only(layout, rotated(layout, stages[-1]).pages)
        session.put(turned, "torn", tail=first, keep=PAGE)
    return LogImage(bytes(ring.data), tuple(ring.placed), session.guid, disk)


class _Session:
    """Consecutive entries of one writer: GUID and sequence numbers (spec 1.4, facts (a) and (d))."""

    def __init__(self, spec: VhdxSpec, ring: _Ring, size: int) -> None:
        self.spec = spec
        self.ring = ring
        self.size = size
        self.guid = guid(spec.seed, "log session")
        qemu = spec.log.guid_per_entry
        self.sequence = 1 if qemu else (1 << 61) + number(spec.seed, "sequence", 1 << 60)

    def put(
        self,
        pages: tuple[Page, ...],
        role: str,
        tail: int | None = None,
        keep: int | None = None,
    ) -> None:
        """One entry.  Without ``tail`` nothing older is needed: the entry points at itself."""
        plan = self.spec.log
        if plan.guid_per_entry:
            self.guid = guid(self.spec.seed, f"log entry {self.sequence}")
            tail = None
        flushed, last = self.size - plan.extend, self.size
        if not plan.kind.pending:
            flushed, last = flushed + plan.beyond, last + plan.beyond
        start = self.ring.position if tail is None else tail
        self.ring.put(Entry(self.guid, self.sequence, start, flushed, last, pages), role, keep)
        self.sequence += 1


def _stale(plan: LogPlan, stages: tuple[Stage, ...], session: _Session, layout: Layout) -> None:
    """Windows after a clean close: the last session with the newest BAT pages last (spec 1.4, fact (b))."""
    session.put((), "stale")
    for step in range(1, len(stages)):
        pages = stages[step - 1].changes_to(stages[step])
        if step == 1 and plan.log_metadata:
            session.put(_metadata_only(layout, stages[1].pages), "stale")
        if pages:
            session.put(_cut(pages), "stale")


def _older(spec: VhdxSpec, layout: Layout, newest: Stage, ring: _Ring, size: int) -> None:
    """A longer session before: what the newer one does not overwrite stays behind it (spec 1.4, fact (a))."""
    name = guid(spec.seed, "older session")
    sequence = (1 << 61) + (1 << 60) + number(spec.seed, "older", 1 << 59)
    old = rotated(layout, newest)
    pages = _cut(_bat_only(layout, old.pages))[:2]
    ring.put(Entry(name, sequence, 0, size, size), "older session")
    for step in range(1, spec.log.versions + 5):
        ring.put(Entry(name, sequence + step, 0, size, size, pages), "older session")


def _approach_end(session: _Session, needed: list[tuple[Page, ...]], disk: Stage) -> None:
    """Superseded entries until the second needed entry has to straddle the log's end."""
    ring = session.ring
    first = Entry(session.guid, 1, 0, 0, 0, needed[0]).size
    target = len(ring.data) - first - PAGE
    filler = next(page for page in reversed(disk.pages) if page.data is not None)
    if (target - ring.position) // PAGE % 2:
        session.put((), "superseded")
    while ring.position < target:
        session.put((filler,), "superseded")
    if ring.position != target or len(needed) < 2:
        raise ValueError("this plan cannot wrap: it needs two steps behind the disk version")
    ring.placed = [replace(p, role="superseded") for p in ring.placed]


def _cut(pages: tuple[Page, ...]) -> tuple[Page, ...]:
    """At most 100 pages, so that an entry stays well below the log's size."""
    return pages[:100]


def _bat_only(layout: Layout, pages: tuple[Page, ...]) -> tuple[Page, ...]:
    return tuple(p for p in pages if layout.bat.offset <= p.offset < layout.bat.end)


def _metadata_only(layout: Layout, pages: tuple[Page, ...]) -> tuple[Page, ...]:
    return tuple(p for p in pages if layout.metadata.offset <= p.offset < layout.metadata.end)
