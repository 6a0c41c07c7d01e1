"""Small frozen values shared by all modules of the package."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
TIB = 1 << 40
UNIT = 512
"""Payload is described in units of 512 bytes, whatever the logical sector size of the disk is."""


@dataclass(frozen=True, order=True)
class Span:
    """A byte range; of a file or of the guest disk, as the context says."""

    offset: int
    size: int

    @property
    def end(self) -> int:
        """First byte behind the range."""
        return self.offset + self.size

    def overlaps(self, other: Span) -> bool:
        """True when at least one byte is in both ranges."""
        return self.offset < other.end and other.offset < self.end

    def clip(self, other: Span) -> Span | None:
        """The common part, or None."""
        low, high = max(self.offset, other.offset), min(self.end, other.end)
        return Span(low, high - low) if low < high else None


def merge(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sort ranges and join those that touch."""
    out: list[Span] = []
    for span in sorted(s for s in spans if s.size > 0):
        if out and span.offset <= out[-1].end:
            end = max(out[-1].end, span.end)
            out[-1] = Span(out[-1].offset, end - out[-1].offset)
        else:
            out.append(span)
    return tuple(out)


def subtract(spans: Iterable[Span], holes: Iterable[Span]) -> tuple[Span, ...]:
    """The parts of ``spans`` that no hole covers."""
    out: list[Span] = []
    cut = merge(holes)
    for span in merge(spans):
        low = span.offset
        for hole in cut:
            if hole.end <= low or hole.offset >= span.end:
                continue
            if hole.offset > low:
                out.append(Span(low, hole.offset - low))
            low = max(low, hole.end)
        if low < span.end:
            out.append(Span(low, span.end - low))
    return tuple(out)


@dataclass(frozen=True)
class Structures:
    """Where each structure lies in the file: name -> range."""

    items: tuple[tuple[str, Span], ...]

    def __getitem__(self, name: str) -> Span:
        for key, span in self.items:
            if key == name:
                return span
        raise KeyError(name)

    def __contains__(self, name: object) -> bool:
        return any(key == name for key, _ in self.items)

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.items)

    def like(self, prefix: str) -> tuple[Span, ...]:
        """All ranges whose name starts with ``prefix``, in the order they were recorded."""
        return tuple(span for key, span in self.items if key.startswith(prefix))

    def at(self, offset: int) -> tuple[str, ...]:
        """Names of the structures that hold the byte at ``offset``."""
        return tuple(key for key, span in self.items if span.offset <= offset < span.end)


def guid(seed: int, label: str) -> uuid.UUID:
    """A GUID that depends on nothing but its arguments, so that every run gives the same bytes."""
    digest = hashlib.blake2b(f"{seed}/{label}".encode(), digest_size=16).digest()
    return uuid.UUID(bytes=digest, version=4)


def number(seed: int, label: str, limit: int) -> int:
    """A repeatable number in ``range(limit)``."""
    digest = hashlib.blake2b(f"{seed}#{label}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little") % limit


def noise(seed: int, label: str, size: int) -> bytes:
    """Repeatable bytes without structure (encrypted-looking)."""
    return hashlib.shake_128(f"{seed}~{label}".encode()).digest(size)


def round_up(value: int, step: int) -> int:
    """The next multiple of ``step``."""
    return -(-value // step) * step
