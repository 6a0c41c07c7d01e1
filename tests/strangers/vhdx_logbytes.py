"""Bytes of VHDX log entries (spec 1.4)."""

from __future__ import annotations

import struct
import uuid
from dataclasses import dataclass

from .model import Span, round_up
from .vhdx_codec import PAGE, sign


@dataclass(frozen=True)
class Page:
    """A 4 KiB page of the file, as a log entry restores it; ``data`` None means a zero descriptor."""

    offset: int
    data: bytes | None
    zero_length: int = PAGE


@dataclass(frozen=True)
class Entry:
    """One log entry before it is placed."""

    guid: uuid.UUID
    sequence: int
    tail: int
    flushed: int
    last: int
    pages: tuple[Page, ...] = ()

    @property
    def size(self) -> int:
        """EntryLength: header and descriptors padded to 4 KiB, plus one sector per data descriptor."""
        return round_up(64 + 32 * len(self.pages), PAGE) + PAGE * sum(p.data is not None for p in self.pages)

    def pack(self) -> bytes:
        """The entry with a valid checksum."""
        head = struct.pack("<4sIIIQII", b"loge", 0, self.size, self.tail, self.sequence, len(self.pages), 0)
        head += self.guid.bytes_le + struct.pack("<QQ", self.flushed, self.last)
        sectors = b""
        for page in self.pages:
            if page.data is None:
                head += struct.pack("<4sIQQQ", b"zero", 0, page.zero_length, page.offset, self.sequence)
                continue
            head += struct.pack("<4s", b"desc") + page.data[-4:] + page.data[:8]
            head += struct.pack("<QQ", page.offset, self.sequence)
            sectors += struct.pack("<4sI", b"data", self.sequence >> 32) + page.data[8:-4]
            sectors += struct.pack("<I", self.sequence & 0xFFFFFFFF)
        return sign(head.ljust(round_up(len(head), PAGE), b"\0") + sectors)


@dataclass(frozen=True)
class Placed:
    """An entry at its place in the log (offsets count from the start of the log; it may wrap)."""

    start: int
    entry: Entry
    role: str
    """'active', 'torn', 'stale', 'older session' or 'superseded'."""

    def spans(self, log: Span) -> tuple[Span, ...]:
        """The file ranges of the entry: one, or two when it wraps (spec 1.4: circular buffer)."""
        first = min(self.entry.size, log.size - self.start)
        head = Span(log.offset + self.start, first)
        if first == self.entry.size:
            return (head,)
        return (head, Span(log.offset, self.entry.size - first))
