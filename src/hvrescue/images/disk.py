"""A virtual disk: one or more layers, composed into what the guest sees. Itself a ByteSource."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from hvrescue.byteio.extents import Extents, Run, State, beneath, coalesce, extents, single, window
from hvrescue.byteio.source import ByteSource, check_range
from hvrescue.core.errors import Unreadable, problem
from hvrescue.core.words import Where
from hvrescue.images.identity import Identity


class Layer(Protocol):
    """One file of a chain. ``source`` is its bytes with its log replayed."""

    @property
    def source(self) -> ByteSource:
        """Where PRESENT extents lie."""

    @property
    def size(self) -> int:
        """Virtual size in bytes."""

    def extents(self, offset: int, size: int) -> Iterator[Extents]:
        """What this file alone says of a range inside ``size``, in bounded batches. PARENT: ask beneath."""


class FlatLayer:
    """Guest address = file address: a raw image, or a fixed VHD without its footer. File holes are zeros."""

    def __init__(self, source: ByteSource, size: int) -> None:
        self.source, self.size = source, size

    def extents(self, offset: int, size: int) -> Iterator[Extents]:
        """The source's own holes."""
        yield self.source.holes(offset, size)


class Unknowable:
    """Stands for a parent that is missing or not the right one: of what comes from it, nothing is known."""

    def __init__(self, source: ByteSource, size: int) -> None:
        self.source, self.size = source, size

    def extents(self, offset: int, size: int) -> Iterator[Extents]:
        """UNKNOWN throughout."""
        yield single(offset, size, State.UNKNOWN)


class VirtualDisk:
    """What the guest sees: each byte right, or refused as UNKNOWN. ``layers[0]`` is the leaf."""

    def __init__(self, layers: Sequence[Layer], identity: Identity) -> None:
        self._layers = tuple(layers)
        self.identity = identity
        self.size = identity.virtual_size
        self.sector_size = identity.sector_size
        self.name = layers[0].source.name

    @property
    def layers(self) -> tuple[ByteSource, ...]:
        """The files' bytes, leaf first, as ``Extents.layer`` counts them."""
        return tuple(layer.source for layer in self._layers)

    def extents(self, offset: int, size: int) -> Iterator[Extents]:
        """PRESENT, ZERO or UNKNOWN for every byte of the range, in bounded batches."""
        check_range(self, offset, size)
        if size:
            yield from self._composed(0, offset, size)

    def runs(self, offset: int, size: int) -> Iterator[Run]:
        """The same one by one, joined over batches."""
        return coalesce(self.extents(offset, size))

    def _composed(self, depth: int, offset: int, size: int) -> Iterator[Extents]:
        layer = self._layers[depth]
        inside = min(size, max(0, layer.size - offset))
        if inside:
            for own in layer.extents(offset, inside):
                batch = replace(own, layer=np.full(len(own), depth, np.uint16)) if depth else own
                if depth + 1 == len(self._layers) or not (batch.state == State.PARENT).any():
                    yield batch
                else:
                    yield from self._through(depth + 1, batch)
        if inside < size:
            # A child may be larger than its parent: what lies past the parent's end reads as zeros.
            yield single(offset + inside, size - inside, State.ZERO)

    def _through(self, depth: int, upper: Extents) -> Iterator[Extents]:
        for lower in self._composed(depth, upper.first, upper.end - upper.first):
            yield beneath(window(upper, lower.first, lower.end), lower)

    def pread(self, offset: int, size: int) -> bytes:
        """``size`` bytes at ``offset``."""
        check_range(self, offset, size)
        buffer = bytearray(size)
        self.preadinto(offset, memoryview(buffer))
        return bytes(buffer)

    def preadinto(self, offset: int, buf: memoryview) -> None:
        """Fill ``buf``, or raise ``Unreadable`` with every range that cannot be known."""
        unknown: list[tuple[int, int]] = []
        sources = self.layers
        for run in self.runs(offset, len(buf)):
            part = buf[run.start - offset : run.end - offset]
            if run.state == State.PRESENT:
                sources[run.layer].preadinto(run.at, part)
            elif run.state == State.ZERO:
                part[:] = bytes(run.length)
            else:
                unknown.append((run.start, run.length))
        if unknown:
            first, length = unknown[0]
            where = Where(self.name, self.name, "guest", "", first, length)
            total = sum(n for _, n in unknown)
            raise Unreadable(problem("IMG-011", where, {"bytes": total, "ranges": len(unknown)}), tuple(unknown))

    def holes(self, offset: int, size: int) -> Extents:
        """ZERO and UNKNOWN ranges; the rest may hold anything. Places are guest addresses, as in any source."""
        parts = list(self.extents(offset, size))
        if not parts:
            return single(offset, size, State.PRESENT, offset)
        start, state = (np.concatenate([getattr(p, column) for p in parts]) for column in ("start", "state"))
        return extents(start, offset + size, state, start)

    def fileno(self) -> int | None:
        """None: guest addresses are not file addresses."""
        return None
