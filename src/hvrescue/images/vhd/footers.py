"""The footers: at the end of the file, and (not in fixed disks) a copy at its beginning."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

from hvrescue.byteio.source import ByteSource
from hvrescue.core.errors import Unreadable
from hvrescue.core.limits import MIB
from hvrescue.images.vhd.layout import (
    FOOTER_COOKIE,
    FOOTER_SIZE,
    FOOTER_SUM,
    SHORT_FOOTER,
    Footer,
    Kind,
    checksum,
    parse_footer,
    stored_checksum,
)

SEARCHED = MIB
"""How far before the end of the file a footer is searched that something was written behind: copying tools and
file systems pad to clusters of 64 KiB, backup programs to their own blocks."""
SUFFIXES = (".vhd", ".avhd", ".vud")
_ID = slice(68, 84)
_KIND = slice(60, 64)
DYNAMIC, DIFFERENCING = (kind.to_bytes(4, "big") for kind in (3, 4))


class Proof(IntEnum):
    """What the checksum says of a footer, best first."""

    SOUND = 0
    WITHOUT_ID = 1
    """It holds for the structure before its identity was set (UniqueId, a dynamic disk made a child; in the dynamic
    header the parent's identity and name): somebody set it later and did not sum up again."""
    WITHOUT_COOKIE = 2
    """It holds when the cookie is put back: only the cookie is damaged, and all other fields are proven."""
    BROKEN = 3


@dataclass(frozen=True, slots=True)
class Found:
    """Something that looks like a footer."""

    offset: int
    raw: bytes
    footer: Footer
    proof: Proof

    @property
    def holds(self) -> bool:
        """Whether cookie and checksum are as a writer leaves them."""
        return self.proof <= Proof.WITHOUT_ID

    @property
    def end(self) -> int:
        """First byte after it."""
        return self.offset + len(self.raw)


@dataclass(frozen=True, slots=True)
class Footers:
    """``end`` is the last one of the file, ``copy`` the one at 0; None where nothing looks like one."""

    end: Found | None
    copy: Found | None
    file_size: int

    @property
    def best(self) -> Found | None:
        """By proof, and of equals the one at the end."""
        there = [f for f in (self.end, self.copy) if f is not None]
        return min(there, key=lambda f: f.proof) if there else None

    @property
    def data_end(self) -> int:
        """Where room for blocks ends: before the footer at the end, else (nothing is there, or junk) the file."""
        at_end = self.end is not None and self.end.end == self.file_size
        return self.end.offset if self.end is not None and at_end else self.file_size


def judge(data: bytes, offset: int) -> Found | None:
    """512 or 511 bytes as a footer, however damaged; None when neither cookie nor checksum speak for it."""
    proof = _proof(data)
    return None if proof is None else Found(offset, data, parse_footer(data), proof)


def _proof(data: bytes) -> Proof | None:
    stored, cookie = stored_checksum(data, FOOTER_SUM), data.startswith(FOOTER_COOKIE)
    if cookie and checksum(data, FOOTER_SUM) == stored:
        return Proof.SOUND
    if cookie:
        before = data[: _ID.start] + bytes(16) + data[_ID.stop :]
        if before[_KIND] == DIFFERENCING and checksum(before, FOOTER_SUM) != stored:
            before = before[: _KIND.start] + DYNAMIC + before[_KIND.stop :]
        return Proof.WITHOUT_ID if checksum(before, FOOTER_SUM) == stored else Proof.BROKEN
    mended = FOOTER_COOKIE + data[len(FOOTER_COOKIE) :]
    return Proof.WITHOUT_COOKIE if checksum(mended, FOOTER_SUM) == stored else None


Reader = Callable[[int, int], bytes | None]
"""Bytes at an offset; None when the file is too short for it or the medium does not give it."""


def plain_reader(source: ByteSource) -> Reader:
    """Reads without noting what could not be read."""

    def read(offset: int, size: int) -> bytes | None:
        if offset < 0 or offset + size > source.size:
            return None
        try:
            return source.pread(offset, size)
        except Unreadable:
            return None

    return read


def find_footers(source: ByteSource, read: Reader) -> Footers:
    """Both footers, where they can be read."""
    head = read(0, FOOTER_SIZE)
    copy = judge(head, 0) if head is not None else None
    return Footers(_last(source, read, copy), copy, source.size)


def _last(source: ByteSource, read: Reader, copy: Found | None) -> Found | None:
    full_at, short_at = source.size - FOOTER_SIZE, source.size - SHORT_FOOTER
    full = read(full_at, FOOTER_SIZE)
    short = full[1:] if full is not None else read(short_at, SHORT_FOOTER) if full_at < 0 else None
    there = [
        judge(full, full_at) if full is not None else None,
        judge(short, short_at) if short is not None else None,
    ]
    best = min((f for f in there if f is not None), key=lambda f: f.proof, default=None)
    if best is not None and best.proof < Proof.BROKEN:
        return best
    behind = _before_the_end(source, read, copy) if source.name.lower().endswith(SUFFIXES) else None
    return behind or best


def _before_the_end(source: ByteSource, read: Reader, copy: Found | None) -> Found | None:
    """The last sound footer before the end that can be this file's own: the guest may hold VHD files too."""
    low = max(0, source.size - SEARCHED)
    tail = read(low, source.size - low)
    if tail is None:
        return None
    at = len(tail)
    while (at := tail.rfind(FOOTER_COOKIE, 0, at)) >= 0:
        data = tail[at : at + FOOTER_SIZE]
        found = judge(data, low + at) if low + at and len(data) == FOOTER_SIZE else None
        if found is not None and found.holds and _is_own(found, copy):
            return found
    return None


def _is_own(found: Found, copy: Found | None) -> bool:
    if found.footer.kind == Kind.FIXED:
        return found.footer.current_size == found.offset
    # Without a copy to compare with, the survey finds out by what lies at DataOffset.
    return copy is None or copy.footer.unique_id == found.footer.unique_id
