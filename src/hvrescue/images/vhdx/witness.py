"""The stale log as a witness: checksummed copies of BAT and metadata pages that nothing has overwritten yet.

The log of a closed file is not wiped. Windows begins a session with an empty entry and then logs every change
of a page, so the newest copy of a page in the latest session equals the page on disk. If it does not, the page
was damaged or changed past the log afterwards. QEMU takes a new GUID for each entry: what is left of several
of its sessions cannot be told apart, and it is no witness.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from hvrescue.byteio.arrays import I64
from hvrescue.byteio.source import ByteSource
from hvrescue.core.words import MAX_SAMPLES, Repair, Severity, Where
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.bat import ENTRY, BatTable
from hvrescue.images.vhdx.layout import ITEM_NAMES, LOG_SECTOR, Header
from hvrescue.images.vhdx.log import patchwork
from hvrescue.images.vhdx.log_entries import LogEntry, LogScan
from hvrescue.images.vhdx.metadata import GUEST_UNTOUCHED, Metadata

_ENTRY_UP_TO_FLAGS = 24


@dataclass(frozen=True, slots=True)
class Witness:
    """Newest logged copy of each page, by file offset; empty when there is no credible session."""

    pages: dict[int, bytes] = field(default_factory=dict)

    def within(self, offset: int, size: int) -> list[tuple[int, bytes]]:
        """The copies of pages that touch a range."""
        return sorted(
            (at, page) for at, page in self.pages.items() if at < offset + size and offset < at + LOG_SECTOR
        )


def find_witness(scan: LogScan | None) -> Witness:
    """What the latest session of a closed file's log remembers."""
    if scan is None or not scan.complete:
        return Witness()
    session = _latest_session(scan)
    return Witness(dict(patchwork(scan.ring, session).pages))


def _latest_session(scan: LogScan) -> list[LogEntry]:
    """The entries of the session written last: it starts at the log's beginning, one GUID, rising numbers."""
    entries = sorted(scan.entries, key=lambda e: e.position)
    opening = 0
    while opening < len(entries) and not entries[opening].pages and not entries[opening].zeros:
        follows = opening == 0 or entries[opening].position == _end(entries[opening - 1])
        if not follows:
            return []
        opening += 1
    if opening == len(entries) or (opening and entries[opening].position != _end(entries[opening - 1])):
        return []
    run = [entries[opening]]
    for entry in entries[opening + 1 :]:
        if entry.log != run[0].log or entry.position != _end(run[-1]) or entry.sequence != run[-1].sequence + 1:
            break
        run.append(entry)
    opened = opening > 0 and entries[opening - 1].log == run[0].log
    credible = len(run) > 1 or opened
    newer_elsewhere = any(e.log == run[0].log and e.sequence > run[-1].sequence for e in entries)
    return run if credible and not newer_elsewhere else []


def _end(entry: LogEntry) -> int:
    return entry.position + entry.length


def check_metadata(book: Book, content: ByteSource, metadata: Metadata, witness: Witness, header: Header) -> None:
    """A needed item that differs from its logged copy, in the table or in its value (X12, X13): not to be trusted."""
    for item in metadata.items.values():
        if item.guid not in ITEM_NAMES:
            continue
        entry = (item.entry_offset, _ENTRY_UP_TO_FLAGS, "metadata table")
        value = (metadata.place(item), item.length, "metadata item")
        for at, size, structure in (entry, value):
            if _contradicted(content, witness, at, size):
                places = (book.where(structure, at, size, item.name), _log_guid(book, header))
                if item.guid in GUEST_UNTOUCHED:
                    book.find("VHDX-LOG-006", Severity.ERROR, places, {"item": item.name}, Repair.SAFE)
                else:
                    book.refuse("VHDX-LOG-006", places, {"item": item.name}, Repair.SAFE, Severity.ERROR)


def _contradicted(content: ByteSource, witness: Witness, offset: int, size: int) -> bool:
    for at, page in witness.within(offset, size):
        low, high = max(at, offset), min(at + LOG_SECTOR, offset + size)
        if content.pread(low, high - low) != page[low - at : high - at]:
            return True
    return False


def _log_guid(book: Book, header: Header) -> Where:
    """The header says that the log is empty: it may be the header that is wrong."""
    return book.where(f"header {header.slot + 1}", header.offset + 48, 16, "LogGuid")


def check_bat(book: Book, table: BatTable, witness: Witness, header: Header) -> I64:
    """Blocks whose entry differs from its logged copy; they are doubted (X14, X15, X17, X18)."""
    stride, ratio = table.parameters.chunk_ratio + 1, table.parameters.chunk_ratio
    doubted: list[I64] = []
    for at, page in witness.within(table.offset, table.size):
        low, high = max(at, table.offset), min(at + LOG_SECTOR, table.offset + table.size)
        logged = np.frombuffer(page[low - at : high - at], "<u8")
        now = np.frombuffer(table.content.pread(low, high - low), "<u8")
        index = np.flatnonzero(now != logged) + (low - table.offset) // ENTRY
        if not index.size:
            continue
        chunk, slot = index // stride, index % stride
        blocks = chunk * ratio + slot
        places = [
            book.where(
                "BAT",
                table.place(int(i)),
                ENTRY,
                f"block {b}" if s < ratio else f"sector bitmap of chunk {c}",
            )
            for i, b, s, c in zip(index, blocks, slot, chunk, strict=True)
        ][: MAX_SAMPLES - 1]
        places.insert(1, _log_guid(book, header))
        book.find("VHDX-LOG-005", Severity.ERROR, places, {}, Repair.SAFE, count=int(index.size))
        doubted.append(blocks[slot < ratio])
        # A wrong bitmap entry makes every block of a child's chunk uncertain; a base disk has no use for it.
        if not table.parameters.has_parent:
            continue
        doubted.extend(np.arange(c * ratio, (c + 1) * ratio) for c in chunk[slot == ratio].tolist())
    found = np.concatenate(doubted) if doubted else np.empty(0, np.int64)
    return found[found < table.parameters.blocks]
