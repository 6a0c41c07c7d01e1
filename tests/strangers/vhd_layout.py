"""Decide where everything lies in a dynamic or differencing VHD (spec 2.1)."""

from __future__ import annotations

import random
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .model import UNIT, Span, Structures, round_up
from .pattern import POISON, units
from .sparse import Chunk
from .vhd_codec import FOOTER_SIZE, HEADER_SIZE, NO_PARENT, DynamicHeader, Locator
from .vhd_spec import VhdSpec, VhdStyle
from .vhdx_layout import Home
from .vhdx_payload import join
from .vhdx_spec import State


@dataclass(frozen=True)
class VhdPlan:
    """Where everything lies in a dynamic or differencing VHD."""

    header: DynamicHeader
    bitmap: int
    stride: int
    homes: tuple[Home, ...]
    orphans: tuple[Span, ...]
    bat: Span
    end: int

    @classmethod
    def of(cls, spec: VhdSpec, unique: uuid.UUID | None, name: str) -> VhdPlan:
        """Place everything; ``unique`` and ``name`` are those of the parent."""
        count = -(-spec.virtual_size // spec.block_size) + spec.spare_entries
        bitmap = round_up(spec.block_size // UNIT // 8, UNIT)
        aligned = spec.style is VhdStyle.WINDOWS10
        bat = Span(8192 if aligned else HEADER_SIZE + 512, round_up(count * 4, UNIT))
        locators, position = _locators(spec, name, bat)
        if aligned:  # block data, not the bitmap, starts on 4 KiB
            position = round_up(position + bitmap, 4096) - bitmap
        stride = round_up(bitmap + spec.block_size, 4096) if aligned else bitmap + spec.block_size
        order = [plan.index for plan in spec.blocks]
        if spec.shuffle:
            random.Random(spec.seed).shuffle(order)
        homes: list[Home] = []
        orphans: list[Span] = []
        step = max(len(order) // (spec.orphans + 1), 1)
        for rank, block in enumerate(order):
            if rank and rank % step == 0 and len(orphans) < spec.orphans:
                orphans.append(Span(position, bitmap + spec.block_size))
                position += stride
            homes.append(Home(block, position))
            position += stride
        end = round_up(position - stride + bitmap + spec.block_size, UNIT) if homes else position
        header = DynamicHeader(
            bat.offset,
            count,
            spec.block_size,
            unique or NO_PARENT,
            spec.parent_timestamp,
            f"{spec.folder}\\{name}" if name else "",
            locators,
        )
        return cls(header, bitmap, stride, tuple(homes), tuple(orphans), bat, end)

    def chunks(self, spec: VhdSpec) -> Iterator[Chunk]:
        """BAT, locator texts and bitmaps."""
        table = bytearray(b"\xff" * self.bat.size)
        plans = {plan.index: plan for plan in spec.blocks}
        for home in self.homes:
            struct.pack_into(">I", table, 4 * home.number, home.offset // UNIT)
            bits = np.ones(self.bitmap * 8, dtype=np.uint8)
            plan = plans[home.number]
            if plan.state is State.PARTIAL:
                bits[:] = 0
                for run in plan.runs:
                    bits[run.offset // UNIT : run.end // UNIT] = 1
            yield Chunk(home.offset, np.packbits(bits).tobytes())  # most significant bit first
        yield Chunk(self.bat.offset, bytes(table))
        for item in self.header.locators:
            yield Chunk(item.offset, item.text)
        for n, span in enumerate(self.orphans):
            yield Chunk(span.offset, b"\xff" * self.bitmap)
            edge = np.array([0, spec.block_size // UNIT - 1], dtype=np.int64)
            poison = units(spec.seed, spec.layer | POISON, 0x100000 + n, edge)
            yield from join(span.offset + self.bitmap, edge, poison)

    def structures(self, spec: VhdSpec, footer: int) -> Structures:
        """Names and ranges."""
        items = [("copy", Span(0, FOOTER_SIZE)), ("header", Span(512, HEADER_SIZE)), ("bat", self.bat)]
        items += [("footer", Span(self.end, footer))]
        items += [(f"locator.{i.code.decode()}", Span(i.offset, len(i.text))) for i in self.header.locators]
        for home in self.homes:
            items.append((f"block.{home.number}", Span(home.offset, self.bitmap + spec.block_size)))
            items.append((f"bitmap.{home.number}", Span(home.offset, self.bitmap)))
        items += [(f"orphan.{n}", span) for n, span in enumerate(self.orphans)]
        return Structures(tuple(items))


def _locators(spec: VhdSpec, name: str, bat: Span) -> tuple[tuple[Locator, ...], int]:
    """Locators, and the first byte behind BAT and texts (spec 2.1)."""
    aligned = spec.style is VhdStyle.WINDOWS10
    position = round_up(bat.end, 4096 if aligned else UNIT)
    if not name:
        return (), position
    texts = {b"W2ku": f"{spec.folder}\\{name}", b"W2ru": f".\\{name}"}
    out: list[Locator] = []
    for code in spec.locators:
        text = texts[code].encode("utf-16-le")
        if aligned and code == b"W2ku":  # sizes in bytes, as a real Windows 10 file has them
            out.append(Locator(code, text, 4096, 4096))
            continue
        out.append(Locator(code, text, position, 65536 if aligned else 1))
        position += 65536 if aligned else round_up(len(text), UNIT)
    return tuple(out), position
