"""Random damage to the structures of a stranger's file, and what nobody can tell about it afterwards."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import google_crc32c
from hypothesis import strategies as st

from tests.properties.thin import Thin
from tests.properties.worlds import World
from tests.strangers.model import MIB, Span
from tests.strangers.vhd_bytes import VhdImage
from tests.strangers.vhd_spec import VhdKind
from tests.strangers.vhdx_bytes import VhdxImage
from tests.strangers.vhdx_spec import State

_GEOMETRY = ("metadata.item.parameters", "metadata.item.logical")
_SIGNED = ("header1", "header2", "region1", "region2")


@dataclass(frozen=True)
class Wound:
    """Bytes written over a structure; ``sign``: its checksum made right again, which no accident does."""

    name: str
    at: int
    data: bytes
    sign: Span | None = None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        del cycle
        shown = self.data if len(self.data) <= 32 else self.data[:32] + b"..."
        printer.text(f"Wound({self.name} @ {self.at:#x}: {len(self.data)} {shown!r} {self.sign or ''})")

    @property
    def span(self) -> Span:
        return Span(self.at, len(self.data))

    def inflict(self, source: Thin) -> None:
        source.write(self.at, self.data)
        if self.sign is not None and self.sign.end <= source.size:
            body = bytearray(source.pread(self.sign.offset, self.sign.size))
            body[4:8] = bytes(4)
            source.write(self.sign.offset + 4, struct.pack("<I", google_crc32c.value(bytes(body))))


def places(image: VhdxImage | VhdImage) -> list[tuple[str, Span]]:
    """The bytes in use of each structure: damage elsewhere only rarely matters."""
    return _places_vhdx(image) if isinstance(image, VhdxImage) else _places_vhd(image)


def _places_vhdx(image: VhdxImage) -> list[tuple[str, Span]]:
    layout, spec = image.layout, image.spec
    short = {"identifier": 16, "region1": 112, "region2": 112, "header1": 88, "header2": 88}
    out = [(n, Span(s.offset, min(s.size, short.get(n, s.size)))) for n, s in image.structures.items
           if n.startswith(("identifier", "header", "region", "metadata.entry", "metadata.item"))]  # fmt: skip
    out.append(("metadata.head", Span(layout.metadata.offset, 32)))
    geometry = layout.geometry
    used = [image.block_entry(plan.index) for plan in layout.plans]
    used += [image.entry_span(geometry.bitmap(home.number)) for home in layout.bitmaps]
    used += [image.entry_span(n) for n in {0, 1, geometry.entries - 1} if n < geometry.entries]
    out += [("bat", span) for span in used]
    out.append(("bat.behind", Span(image.entry_span(geometry.entries).offset, 64)))
    for home in layout.bitmaps:
        ratio, per_block = geometry.ratio, spec.block_size // spec.logical // 8
        for plan in layout.plans:
            if plan.state is State.PARTIAL and plan.index // ratio == home.number:
                out.append(("bitmap", Span(home.offset + plan.index % ratio * per_block, per_block)))
    for placed in image.log_entries:
        first = placed.spans(layout.log)[0]
        out.append((f"log.{placed.role}", Span(first.offset, min(first.size, 256))))
        out.append((f"log.{placed.role}", first))
    return [(name, span) for name, span in out if span.size]


def _places_vhd(image: VhdImage) -> list[tuple[str, Span]]:
    out = [(name, span) for name, span in image.structures.items
           if name.startswith(("copy", "header", "footer", "locator", "bitmap"))]  # fmt: skip
    if image.header is not None:
        blocks = {0, 1, *(home.number for home in image.homes)}
        out += [
            ("bat", image.entry_span(n)) for n in blocks if image.entry_span(n).end <= image.structures["bat"].end
        ]
    return [(name, span) for name, span in out if span.size]


@st.composite
def wounds(draw: st.DrawFn, world: World, *, signed: bool = False) -> Wound:
    image, source = world.leaf, world.sources[0]
    name, span = draw(st.sampled_from(places(image)))
    # Fields are small: most damage should hit one of them from its first byte on.
    step = draw(st.sampled_from((1, 2, 4, 8)))
    at = span.offset + draw(st.integers(0, (span.size - 1) // step)) * step
    room = min(span.end, source.size) - at
    size = draw(st.sampled_from((1, 1, 2, 4, 8, 8, 16, 512, 4096)))
    size = max(0, min(size, room))
    old = source.pread(at, size)
    data = draw(
        st.sampled_from((bytes(size), b"\xff" * size))
        | st.integers(0, 7).map(lambda bit: bytes([old[0] ^ 1 << bit]) + old[1:] if old else old)
        | st.integers(-3, 3).map(lambda by: _added(old, by))
        | st.binary(min_size=size, max_size=size)
    )
    sign = None
    if signed and name in _SIGNED:
        whole = image.structures[name]
        sign = whole
    elif signed and name.startswith("log."):
        length = int.from_bytes(source.pread(span.offset + 8, 4), "little")
        sign = Span(span.offset, length) if 64 <= length <= MIB else None
    return Wound(name, at, data, sign)


def _added(old: bytes, by: int) -> bytes:
    low = old[:8]
    value = int.from_bytes(low, "little") + (by << 20 if by % 2 else by)
    return (value % (1 << 8 * len(low))).to_bytes(len(low), "little") + old[8:] if low else old


def touched(span: Span, wound: Wound) -> bool:
    return span.overlaps(wound.span)


def undetectable(world: World, source: Thin, inflicted: list[Wound]) -> tuple[Span, ...] | None:
    """Guest ranges whose mapping changed from one legal value to another; None: all of them.

    The whole list of what survives unnoticed, because the format keeps no second copy of it:

    * an entry of the BAT that was changed to another legal one (any absent state; or a place in the file that
      nobody else claims), where no log entry has a copy of its page;
    * bits of a sector bitmap (the same);
    * the newest entry of a pending log: what is left looks like a write that was torn by the crash;
    * block size, sector size and flags in the metadata, changed to other legal values that do not contradict
      the few blocks there are.
    """
    image = world.leaf
    if isinstance(image, VhdImage):
        return _undetectable_vhd(image, source, inflicted)
    spans: list[Span] = []
    claims = _claims(image, source)
    for wound in inflicted:
        if wound.name == "bat":
            spans += _entries(image, source, wound, claims)
        elif wound.name == "bitmap":
            spans += [image.guest(plan.index) for plan in image.layout.plans if plan.state is State.PARTIAL]
        elif _hits_newest(image, wound) or (wound.name in _GEOMETRY and len(claims) < 2):
            return None
    return tuple(spans)


def _hits_newest(image: VhdxImage, wound: Wound) -> bool:
    if not (wound.name.startswith("log.") and image.spec.log.kind.pending):
        return False
    active = [placed for placed in image.log_entries if placed.role == "active"]
    return bool(active) and any(touched(span, wound) for span in active[-1].spans(image.layout.log))


def _claims(image: VhdxImage, source: Thin) -> list[Span]:
    """Room of every present block and bitmap as the damaged table tells it."""
    geometry, spec = image.layout.geometry, image.spec
    found = []
    indexes = {geometry.payload(plan.index): spec.block_size for plan in image.layout.plans}
    indexes |= {geometry.bitmap(home.number): MIB for home in image.layout.bitmaps}
    indexes = dict.fromkeys((0, 1, geometry.entries - 1), spec.block_size) | indexes
    for index, size in indexes.items():
        value = int.from_bytes(source.pread(image.entry_span(index).offset, 8), "little")
        if value & 7 >= 6 or value >> 20:
            found.append(Span(value >> 20 << 20, size))
    return found


def _entries(image: VhdxImage, source: Thin, wound: Wound, claims: list[Span]) -> list[Span]:
    geometry, spec = image.layout.geometry, image.spec
    first = (wound.at - image.layout.bat.offset) // 8
    last = (wound.span.end - 1 - image.layout.bat.offset) // 8
    out: list[Span] = []
    for index in range(first, min(last + 1, geometry.entries)):
        value = int.from_bytes(source.pread(image.entry_span(index).offset, 8), "little")
        chunk, slot = divmod(index, geometry.ratio + 1)
        if slot == geometry.ratio:
            if value == 0 or (value & 0xFFFFF == 6 and _free(image, source, Span(value >> 20 << 20, MIB), claims)):
                low = chunk * geometry.ratio * spec.block_size
                out.append(Span(low, geometry.ratio * spec.block_size))
        elif _legal(image, source, value, claims):
            out.append(image.guest(chunk * geometry.ratio + slot))
    return out


def _legal(image: VhdxImage, source: Thin, value: int, claims: list[Span]) -> bool:
    state, place = value & 7, Span(value >> 20 << 20, image.spec.block_size)
    if value & 0xFFFF8 or state in (4, 5):
        return False
    if state == State.NOT_PRESENT:
        return place.offset == 0
    if state in (State.ZERO, State.UNMAPPED, State.UNDEFINED):
        return True
    return _free(image, source, place, claims)


def _free(image: VhdxImage, source: Thin, place: Span, claims: list[Span]) -> bool:
    layout = image.layout
    structures = (Span(0, MIB), layout.log, layout.metadata, layout.bat)
    inside = place.offset >= MIB and place.offset + MIB <= source.size
    return inside and not any(place.overlaps(s) for s in structures) and sum(place.overlaps(c) for c in claims) <= 1


def _undetectable_vhd(image: VhdImage, source: Thin, inflicted: list[Wound]) -> tuple[Span, ...]:
    spans: list[Span] = []
    for wound in inflicted:
        if wound.name.startswith("bitmap.") and image.spec.kind is VhdKind.DIFFERENCING:
            spans.append(image.guest(int(wound.name.partition(".")[2])))
        if wound.name == "bat":
            bat = image.structures["bat"].offset
            blocks = range((wound.at - bat) // 4, (wound.span.end - 1 - bat) // 4 + 1)
            spans += [image.guest(block) for block in blocks if _legal_vhd(image, source, block)]
    return tuple(spans)


def _legal_vhd(image: VhdImage, source: Thin, block: int) -> bool:
    def start(n: int) -> int:
        value = int.from_bytes(source.pread(image.entry_span(n).offset, 4), "big")
        return -1 if value == 0xFFFFFFFF else value * 512

    mine, slot = start(block), image.bitmap_size + image.spec.block_size
    if mine < 0:
        return True
    place = Span(mine, slot)
    others = [Span(start(home.number), slot) for home in image.homes if home.number != block]
    taken = [
        span for name, span in image.structures.items if name.split(".")[0] in ("copy", "header", "bat", "locator")
    ]
    inside = mine >= 1536 and mine + image.bitmap_size < source.size - 512
    return inside and not any(place.overlaps(o) for o in (*[o for o in others if o.offset >= 0], *taken))
