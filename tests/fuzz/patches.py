"""A fuzzer's bytes as changes to a file that is nearly right: most of a disk is checksummed or never looked at.

Input: template (1 byte), flags (1), then changes of: structure (1), offset within it (2), operation (1), length (1),
data. The operation's top bit asks for the structure's checksum to be made right again.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import google_crc32c

from hvrescue.images.vhd.layout import FOOTER_SUM, HEADER_SUM, checksum
from tests.properties.thin import Shelf, Thin
from tests.properties.worlds import Image
from tests.strangers.healthy import variants
from tests.strangers.model import MIB, Span
from tests.strangers.vhd_bytes import VhdImage

VHDX = ("dynamic", "child", "pending-wrapped", "child-pending", "sectors-4096", "child-chunks", "grandchild")
VHD = ("dynamic", "windows10", "child", "child-windows10", "fixed")
_MOST_CHANGES = 24
_INTERESTING = (0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, 1 << 31, (1 << 32) - 1, 1 << 40, 1 << 62, 1 << 63, (1 << 64) - 1)


@dataclass(frozen=True)
class Template:
    """A healthy file of a stranger, its parents, and the parts worth changing."""

    source: Thin
    shelf: tuple[Thin, ...]
    parts: tuple[tuple[str, Span], ...]
    big: bool


@cache
def templates(format: str) -> tuple[Template, ...]:
    """Built once per process; well under a second."""
    wanted = VHDX if format == "vhdx" else VHD
    found = {v.name: v for v in variants() if v.format == format and v.name in wanted}
    with tempfile.TemporaryDirectory() as name:
        return tuple(_template(found[one].build(_folder(name, one))) for one in wanted if one in found)


def _folder(parent: str, name: str) -> Path:
    folder = Path(parent) / name
    folder.mkdir()
    return folder


def _template(image: Image) -> Template:
    sources = [Thin.of(path, path.name) for path in image.paths]
    return Template(sources[0], tuple(sources[1:]), tuple(_parts(image)), isinstance(image, VhdImage))


def _parts(image: Image) -> list[tuple[str, Span]]:
    if isinstance(image, VhdImage):
        kept = ("copy", "header", "footer", "bat", "locator", "bitmap")
        return [(name, span) for name, span in image.structures.items if name.startswith(kept)][:24]
    named = ("header", "region", "metadata.table", "metadata.item", "bat", "identifier", "bitmap")
    parts = [(name, span) for name, span in image.structures.items if name.startswith(named)]
    parts += [(f"log {n}", Span(image.layout.log.offset + placed.start, placed.entry.size))
              for n, placed in enumerate(image.log_entries)][:12]  # fmt: skip
    return parts


def patched(format: str, data: bytes) -> tuple[Thin, Shelf]:
    """The template with the input's changes, and the neighbours it was made with."""
    all_templates = templates(format)
    if not data:
        data = b"\0"
    template = all_templates[data[0] % len(all_templates)]
    source = template.source.copy()
    flags = data[1] if len(data) > 1 else 0
    at, done = 2, 0
    while at + 5 <= len(data) and done < _MOST_CHANGES:
        part, offset, operation, length = struct.unpack_from("<BHBB", data, at)
        at += 5
        name, span = template.parts[part % len(template.parts)]
        new, used = _new_bytes(operation & 0x7F, length, data[at:], big=template.big)
        at, done = at + used, done + 1
        place = span.offset + (offset % min(span.size, 65536) if span.size else 0)
        source.write(place, new[: max(0, span.end - place)])
        if operation & 0x80:
            sign(source, name, span, big=template.big)
    if flags & 1:
        source.cut(source.size * (flags >> 1) // 128)
    return source, Shelf(source, *template.shelf)


def _new_bytes(operation: int, length: int, rest: bytes, *, big: bool) -> tuple[bytes, int]:
    if operation % 4 == 0:
        return rest[:length], min(length, len(rest))
    if operation % 4 == 1:
        return (b"\xff" if operation & 4 else b"\0") * (length * 16 + 1), 0
    size = 8 if operation & 4 else 4
    value = _INTERESTING[length % len(_INTERESTING)]
    if operation % 4 == 3:
        value = (value + (rest[0] << 20 if rest else 0)) & ((1 << 64) - 1)
    return (value & ((1 << 8 * size) - 1)).to_bytes(size, "big" if big else "little"), 0


def sign(source: Thin, name: str, span: Span, *, big: bool) -> None:
    """What an attacker can do and an accident cannot."""
    if span.end > source.size:
        return
    if big:
        _sign_vhd(source, name, span)
        return
    size = span.size
    if name.startswith("log"):
        size = int.from_bytes(source.pread(span.offset + 8, 4), "little")
        if not 64 <= size <= MIB or span.offset + size > source.size:
            return
    elif not name.startswith(("header", "region")):
        return
    body = source.pread(span.offset, size)
    crc = google_crc32c.value(body[:4] + bytes(4) + body[8:])
    source.write(span.offset + 4, struct.pack("<I", crc))


def _sign_vhd(source: Thin, name: str, span: Span) -> None:
    at = {"copy": FOOTER_SUM, "footer": FOOTER_SUM, "header": HEADER_SUM}.get(name)
    if at is not None:
        source.write(span.offset + at, checksum(source.pread(span.offset, span.size), at).to_bytes(4, "big"))


Target = Callable[[bytes], None]
