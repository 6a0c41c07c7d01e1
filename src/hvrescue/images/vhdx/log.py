"""The log of a VHDX: its active sequence, found as MS-VHDX 2.3.2 wants, and replayed in memory (X7, X8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

import numpy as np

from hvrescue.byteio.overlay import OverlaySource, Patchwork
from hvrescue.core.context import Context
from hvrescue.core.errors import Unreadable
from hvrescue.core.words import Repair, Severity, Where
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.layout import LOG_SECTOR, NO_GUID, Header
from hvrescue.images.vhdx.log_entries import BrokenEntry, LogEntry, LogRing, LogScan, scan_log


class LogState(NamedTuple):
    """``content`` is the file as it is once the log is replayed; the file itself is untouched."""

    content: OverlaySource
    scan: LogScan | None
    replayed: tuple[LogEntry, ...] = ()

    @property
    def pending(self) -> bool:
        """Whether a replay was needed."""
        return bool(self.replayed)


def survey_log(book: Book, header: Header, ctx: Context) -> LogState:
    """Scan the log; replay it over the file when the header says that it is in use."""
    plain = OverlaySource(book.source, Patchwork({}), book.source.size)
    in_use = header.log != NO_GUID
    if book.refusal is not None or header.log_length == 0 or header.log_inside[1] > book.source.size:
        return LogState(plain, None)
    where = book.where("log", header.log_offset, header.log_length)
    if header.log_length > ctx.limits.log_bytes:
        book.not_looked("log", "VHDX-LOG-007", {"size": header.log_length})
        if in_use:
            book.refuse("VHDX-LOG-007", where, {"size": header.log_length})
        return LogState(plain, None)
    try:
        scan = scan_log(LogRing(book.source, header.log_offset, header.log_length), ctx.limits)
    except Unreadable as error:
        book.could_not_read(error, "log", header.log_offset, header.log_length)
        if in_use:
            book.refuse("VHDX-LOG-002", where, {"entries": 0}, Repair.CONSENT)
        return LogState(plain, None)
    if not scan.complete:
        book.not_looked("log", "VHDX-LOG-007", {"size": header.log_length})
        if in_use:
            book.refuse("VHDX-LOG-007", where, {"size": header.log_length})
    if not in_use or not scan.complete:
        return LogState(plain, scan)
    return _replay_in_memory(book, header, scan, plain)


def _replay_in_memory(book: Book, header: Header, scan: LogScan, plain: OverlaySource) -> LogState:
    mine = [entry for entry in scan.entries if entry.log == header.log]
    run = active_sequence(mine, scan.ring.length)
    log = book.where("log", header.log_offset, header.log_length)
    if not run:
        book.refuse("VHDX-LOG-002", log, {"entries": len(mine)}, Repair.CONSENT, Severity.ERROR)
        return LogState(plain, scan)
    head = run[-1]
    place = book.where("log", header.log_offset + head.position, head.length, "entry")
    if (after := _after(scan, header.log, head)) is not None:
        book.refuse("VHDX-LOG-010", (*_gap(book, header, head, after), place), {"sequence": head.sequence + 1},
                    Repair.CONSENT, Severity.ERROR)  # fmt: skip
        return LogState(plain, scan)
    if (illegal := _illegal(scan, header.log, head)) is not None:
        where = book.where("log", header.log_offset + illegal.position, LOG_SECTOR, "entry")
        book.refuse("VHDX-LOG-011", where, {"sequence": illegal.sequence}, Repair.CONSENT, Severity.ERROR)
        return LogState(plain, scan)
    if head.flushed > book.source.size:
        end = book.where("log", book.source.size, head.flushed - book.source.size, "FlushedFileOffset")
        args = {"file_size": book.source.size, "flushed": head.flushed}
        book.refuse("VHDX-LOG-003", (end, place), args, Repair.CONSENT, Severity.ERROR)
        return LogState(plain, scan)
    over = patchwork(scan.ring, run)
    args = {"entries": len(run), "pages": len(over.pages)}
    book.find("VHDX-LOG-001", Severity.INFO, log, args, Repair.SAFE)
    _note_torn_head(book, header, scan, head)
    size = max([book.source.size, head.last, *(end for _, end in over.zeros)])
    size = max([size, *(at + LOG_SECTOR for at in over.pages)])
    return LogState(OverlaySource(book.source, over, size), scan, run)


def active_sequence(entries: Sequence[LogEntry], ring: int) -> tuple[LogEntry, ...]:
    """The entries to be replayed, in order: from the tail that the newest possible head names, to that head.

    ``entries`` all carry the header's GUID; ``ring`` is the log's length. MS-VHDX 2.3.2 looks from every
    position for runs of consecutive numbers whose head's tail lies in the run; that is the case exactly
    when the run that begins at the tail ends at the head.
    """
    at = {entry.position: entry for entry in entries}
    following: dict[int, LogEntry] = {}
    for entry in entries:
        after = at.get((entry.position + entry.length) % ring)
        if after is not None and after.sequence == entry.sequence + 1:
            following[entry.position] = after
    ends: dict[int, int] = {}
    for entry in sorted(entries, key=lambda e: -e.sequence):
        after = following.get(entry.position)
        ends[entry.position] = ends[after.position] if after else entry.position
    heads = (e for e in sorted(entries, key=lambda e: -e.sequence) if e.position not in following)
    for head in heads:
        if ends.get(head.tail) == head.position:
            run = [at[head.tail]]
            while (after := following.get(run[-1].position)) is not None:
                run.append(after)
            return tuple(run)
    return ()


def patchwork(ring: LogRing, entries: Sequence[LogEntry]) -> Patchwork:
    """What the entries write, the later over the earlier; within one entry, pages over zeros."""
    newest = {page[0]: (n, page) for n, entry in enumerate(entries) for page in entry.pages}
    places = np.array(sorted(newest), np.int64)
    zeroed = np.full(places.size, -1)
    for n, entry in enumerate(entries):
        for low, high in entry.zeros:
            zeroed[np.searchsorted(places, low) : np.searchsorted(places, high)] = n
    kept = (newest[at] for at, n in zip(places.tolist(), zeroed.tolist(), strict=True) if newest[at][0] >= n)
    zeros = sorted(zero for entry in entries for zero in entry.zeros)
    return Patchwork({page[0]: ring.page(page) for _, page in kept}, tuple(_merged(zeros)))


def _merged(ranges: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Sorted ranges, those that touch joined."""
    last: tuple[int, int] | None = None
    for low, high in ranges:
        if last is not None and low <= last[1]:
            last = last[0], max(last[1], high)
            continue
        if last is not None:
            yield last
        last = low, high
    if last is not None:
        yield last


def _after(scan: LogScan, log: UUID, head: LogEntry) -> LogEntry | None:
    """A whole entry of the same session, newer than the head: the gap before it is no torn write."""
    newer = [e for e in scan.entries if e.log == log and e.sequence > head.sequence]
    return min(newer, key=lambda e: e.sequence, default=None)


def _gap(book: Book, header: Header, head: LogEntry, after: LogEntry) -> list[Where]:
    """The room between the head and the next whole entry, around the end of the ring if need be."""
    low, high = (head.position + head.length) % header.log_length, after.position
    pieces = [(low, high)] if low < high else [(low, header.log_length), (0, high)]
    return [book.where("log", header.log_offset + a, b - a, "entry") for a, b in pieces if a < b]


def _illegal(scan: LogScan, log: UUID, head: LogEntry) -> BrokenEntry | None:
    """An entry after the head that is no torn write: sealed over illegal descriptors, or not the very next one."""
    later = (b for b in scan.broken if b.log == log and b.sequence > head.sequence)
    # One entry after the head may be torn: it was being written. A second one proves that the first was whole.
    return next((b for b in later if b.sealed or b.sequence > head.sequence + 1), None)


def _note_torn_head(book: Book, header: Header, scan: LogScan, head: LogEntry) -> None:
    after = (head.position + head.length) % header.log_length
    for broken in scan.broken:
        if broken.position == after and broken.log == header.log and broken.sequence == head.sequence + 1:
            where = book.where("log", header.log_offset + after, LOG_SECTOR, "entry")
            book.find("VHDX-LOG-004", Severity.INFO, where, {"sequence": broken.sequence})
