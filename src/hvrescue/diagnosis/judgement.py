"""What a disk's findings mean for the person: may it be started, and since when can it not be whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from hvrescue.byteio.extents import State
from hvrescue.core.errors import RescueError
from hvrescue.core.words import Verdict
from hvrescue.diagnosis.storage import Disk
from hvrescue.images.chain import open_chain, rest


class Start(StrEnum):
    """Whether a machine may be started from this disk."""

    YES = "yes"
    NO = "no"
    NEVER = "never"
    """Other disks hang on it, or should: whatever writes to it, a start included, takes them further apart."""
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """What a time of onset rests on."""

    LAST_WRITE = "last-write"
    """The file has not been written to since; a writer did the harm then or earlier. When it began is not known."""
    PARENT_WRITE = "parent-write"
    """The parent was written to after its child was made; its last write is the latest that can have been."""
    PARENT_GONE = "parent-gone"
    """The child was still written to at this time, so its parent was there; it went missing afterwards."""


@dataclass(frozen=True, slots=True)
class Onset:
    """An interval: last known good, first known bad; either end may be open. UTC."""

    after: datetime | None
    before: datetime | None
    basis: Basis


def may_start(disk: Disk) -> Start:
    """Whether the disk may be attached to a machine that is then started."""
    if disk.verdict in (Verdict.DAMAGED, Verdict.UNREADABLE):
        return Start.NO
    if disk.verdict == Verdict.UNKNOWN:
        return Start.UNKNOWN
    if disk.children or disk.estranged:
        return Start.NEVER
    # A base disk looked at without its folder may carry checkpoints; a child is seldom a parent itself.
    return Start.UNKNOWN if disk.alone and not disk.survey.is_child else Start.YES


def onset(disk: Disk) -> Onset | None:
    """Since when the disk cannot be whole; None for a disk nothing is wrong with."""
    if disk.verdict not in (Verdict.DAMAGED, Verdict.UNREADABLE):
        return None
    written = _time(disk.entry.modified_ns)
    codes = {finding.code for finding in disk.chain.findings}
    if disk.survey.verdict == Verdict.HEALTHY and "CHAIN-002" in codes and disk.chain.stand_in is not None:
        parent = getattr(disk.chain.stand_in, "stamp", None)
        born = _time(disk.entry.born_ns) if disk.entry.born_ns else None
        return Onset(born, _time(parent.mtime_ns) if parent else None, Basis.PARENT_WRITE)
    if disk.survey.verdict == Verdict.HEALTHY and "CHAIN-001" in codes:
        return Onset(written, None, Basis.PARENT_GONE)
    return Onset(None, written, Basis.LAST_WRITE)


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of the guest cannot be known, in bytes; and whether its first sector is among that."""

    size: int
    unknown: int
    start_unknown: bool


def known_amount(disk: Disk) -> Amount | None:
    """None when nothing at all can be known, or it could not be read again."""
    try:
        opened = open_chain(disk.chain, allow_damaged=True)
        unknown, start = 0, False
        for batch in opened.extents(0, opened.size):
            lost = batch.state == State.UNKNOWN
            unknown += int(batch.length[lost].sum())
            start = start or bool(lost[0] and batch.first == 0)
        return Amount(opened.size, unknown, start)
    except RescueError:
        return None
    finally:
        for link in disk.chain.links:
            rest(link.source)


def _time(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
