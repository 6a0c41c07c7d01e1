"""What the guest must see: composed over all layers, computed, never read back from the files."""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .model import UNIT, Span, merge
from .pattern import Bytes, Numbers, units, written


class Source(enum.Enum):
    """Where the guest bytes of a range come from."""

    DATA = "data"
    ZERO = "zero"
    PARENT = "parent"
    UNDEFINED = "undefined"
    """States 1 and 3 (spec 1.3): zero or old data, but never the parent."""
    PARTIAL = "partial"


@dataclass(frozen=True)
class BlockTruth:
    """Source of one block; ``runs`` (in bytes, relative to the block) are the own parts of a PARTIAL one."""

    index: int
    source: Source
    runs: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Piece:
    """A guest range with one source; ``run`` is the unclipped range it was written with."""

    span: Span
    source: Source
    depth: int
    owner: Layer
    run: Span


@dataclass(frozen=True)
class Layer:
    """One file of a chain: the map of its blocks, plus the layer below it."""

    virtual_size: int
    block_size: int
    seed: int
    number: int
    default: Source
    blocks: tuple[BlockTruth, ...]
    parent: Layer | None = None

    def _own(self) -> Iterator[tuple[Span, Source]]:
        position = 0
        for block in self.blocks:
            start = block.index * self.block_size
            if start > position:
                yield Span(position, start - position), self.default
            if block.source is Source.PARTIAL:
                position = start
                for run in block.runs:
                    low = start + run.offset
                    if low > position:
                        yield Span(position, low - position), Source.PARENT
                    yield Span(low, run.size), Source.DATA
                    position = low + run.size
                if start + self.block_size > position:
                    yield Span(position, start + self.block_size - position), Source.PARENT
            else:
                yield Span(start, self.block_size), block.source
            position = start + self.block_size
        if position < self.virtual_size:
            yield Span(position, self.virtual_size - position), self.default

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The whole guest disk as consecutive pieces, parents resolved."""
        out: list[Piece] = []
        disk = Span(0, self.virtual_size)
        for run, source in self._own():
            span = run.clip(disk)
            if span is None:
                continue
            if source is not Source.PARENT:
                out.append(Piece(span, source, 0, self, run))
                continue
            end = span.offset
            for piece in self.parent.pieces_in(span) if self.parent else ():
                end = piece.span.end
                out.append(Piece(piece.span, piece.source, piece.depth + 1, piece.owner, piece.run))
            if end < span.end:  # past the end of a shorter parent: zero (spec 1.2, parent locator)
                rest = Span(end, span.end - end)
                out.append(Piece(rest, Source.ZERO, 1, self, rest))
        return tuple(out)

    @cached_property
    def _starts(self) -> list[int]:
        return [piece.span.offset for piece in self.pieces]

    def pieces_in(self, span: Span) -> Iterator[Piece]:
        """The pieces inside a guest range, clipped to it."""
        for piece in self.pieces[max(bisect_right(self._starts, span.offset) - 1, 0) :]:
            if piece.span.offset >= span.end:
                return
            part = piece.span.clip(span)
            if part is not None:
                yield Piece(part, piece.source, piece.depth, piece.owner, piece.run)

    def units_of(self, span: Span, run: Span) -> Iterator[tuple[Numbers, Bytes]]:
        """Written units of own data in a 512-aligned guest range: guest unit numbers and bytes."""
        per_block = self.block_size // UNIT
        low, end = span.offset // UNIT, span.end // UNIT
        while low < end:
            block = low // per_block
            base = block * per_block
            high = min(end, base + per_block)
            numbers = np.arange(low - base, high - base, dtype=np.int64)
            first = max(run.offset // UNIT, base) - base
            last = min(run.end // UNIT, base + per_block) - 1 - base
            chosen = numbers[written(block, numbers, first, last)]
            yield chosen + base, units(self.seed, self.number, block, chosen)
            low = high


@dataclass(frozen=True)
class Truth:
    """The guest view of a chain.  Call it: ``truth(offset, size) -> bytes``."""

    top: Layer

    @property
    def virtual_size(self) -> int:
        """Size of the guest disk in bytes."""
        return self.top.virtual_size

    def __call__(self, offset: int, size: int) -> bytes:
        """Exact guest bytes; zeros stand in the undefined ranges (see :attr:`undefined`)."""
        if offset < 0 or size < 0 or offset + size > self.virtual_size:
            raise ValueError("outside the guest disk")
        low = offset // UNIT
        high = -(-(offset + size) // UNIT)
        rows = np.zeros((high - low, UNIT), dtype=np.uint8)
        for piece in self.top.pieces_in(Span(low * UNIT, (high - low) * UNIT)):
            if piece.source is Source.DATA:
                for numbers, data in piece.owner.units_of(piece.span, piece.run):
                    rows[numbers - low] = data
        skip = offset - low * UNIT
        return rows.tobytes()[skip : skip + size]

    def _where(self, source: Source) -> tuple[Span, ...]:
        return merge(p.span for p in self.top.pieces if p.source is source)

    @cached_property
    def undefined(self) -> tuple[Span, ...]:
        """Guest ranges that may hold zero or anything, but never the parent's bytes."""
        return self._where(Source.UNDEFINED)

    @cached_property
    def data(self) -> tuple[Span, ...]:
        """Guest ranges held by some file; everything outside these and :attr:`undefined` is zero."""
        return self._where(Source.DATA)

    @cached_property
    def from_parents(self) -> tuple[Span, ...]:
        """Guest ranges the top file does not hold itself."""
        return merge(p.span for p in self.top.pieces if p.depth > 0)

    @property
    def fully_known(self) -> bool:
        """True when no range is undefined."""
        return not self.undefined

    def interesting(self) -> tuple[Span, ...]:
        """Ranges worth reading on huge disks: all data and undefined ranges with 64 KiB around them.

        They start on a multiple of 64 KiB, so that a reader may ask in aligned pieces of that size.
        """
        step = 1 << 16
        last = self.virtual_size - 1
        spots = (*self.data, *self.undefined, Span(0, 1), Span(last, 1))
        wide = (
            Span(low, min((s.end // step + 2) * step, self.virtual_size) - low)
            for s in spots
            for low in [max(s.offset // step - 1, 0) * step]
        )
        return merge(wide)

    def ranges(self, limit: int = 1 << 27) -> tuple[Span, ...]:
        """The whole disk when it is small, else the interesting ranges."""
        whole = (Span(0, self.virtual_size),)
        return whole if self.virtual_size <= limit else self.interesting()
