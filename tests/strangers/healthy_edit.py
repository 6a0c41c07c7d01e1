"""Healthy VHDX files made strange by an edit that breaks no rule (spec 1.1, 1.2)."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .model import MIB, Span
from .sparse import Editor
from .vhdx_bases import base
from .vhdx_bytes import VhdxImage, build_vhdx
from .vhdx_codec import BAT_REGION, METADATA_REGION, REGION_OFFSETS, Region, identifier, region_table
from .vhdx_spec import VhdxSpec, blocks_of

OPTIONAL = uuid.UUID("9f3c53f1-6b0e-4b3e-8a51-7d0cf0f1f9aa")


@dataclass(frozen=True)
class Edited:
    """A named variant."""

    name: str
    build: Callable[[Path], VhdxImage]


def _clean(directory: Path) -> VhdxImage:
    return base("clean").build(0, 1, directory)


def _item(flags: int, directory: Path) -> VhdxImage:
    """An unknown optional item, of the system or of a user."""
    image = _clean(directory)
    table = image.layout.metadata.offset
    with Editor(image.path) as edit:
        count = struct.unpack("<H", edit.read(Span(table + 10, 2)))[0]
        edit.write(table + 10, struct.pack("<H", count + 1))
        entry = OPTIONAL.bytes_le + struct.pack("<IIII", 0x11000, 12, flags, 0)
        edit.write(table + 32 + 32 * count, entry)
        edit.write(table + 0x11000, b"hello, disk!")
    return image


def _empty_item(directory: Path) -> VhdxImage:
    """An optional item of length 0 and offset 0."""
    image = _clean(directory)
    table = image.layout.metadata.offset
    with Editor(image.path) as edit:
        count = struct.unpack("<H", edit.read(Span(table + 10, 2)))[0]
        edit.write(table + 10, struct.pack("<H", count + 1))
        edit.write(table + 32 + 32 * count, OPTIONAL.bytes_le + struct.pack("<IIII", 0, 0, 1, 0))
    return image


def _region(directory: Path) -> VhdxImage:
    """An unknown optional region on an unowned place; the metadata entry comes first."""
    image = _clean(directory)
    layout = image.layout
    table = region_table(
        (
            Region(METADATA_REGION, layout.metadata.offset, layout.metadata.size),
            Region(OPTIONAL, layout.orphans[0].offset, MIB, 0),
            Region(BAT_REGION, layout.bat.offset, layout.bat.size),
        )
    )
    with Editor(image.path) as edit:
        for at in REGION_OFFSETS:
            edit.write(at, table)
    return image


def _creator(text: str, directory: Path) -> VhdxImage:
    """An unusual creator: empty, or longer than the field."""
    image = _clean(directory)
    with Editor(image.path) as edit:
        edit.zero(Span(0, 1024))
        edit.write(0, identifier(text))
    return image


def _short_file(directory: Path) -> VhdxImage:
    """Old QEMU: the last block of the file ends where the virtual disk does (spec 1.3)."""
    spec = VhdxSpec(
        virtual_size=62 * MIB + 512 * 9,
        block_size=4 * MIB,
        blocks=blocks_of(16, full=(0, 3, -1), block_size=4 * MIB),
        shuffle=False,
        seed=820,
    )
    image = build_vhdx(spec, directory)
    last = image.layout.homes[-1]
    size = last.offset + image.guest(last.number).size
    with Editor(image.path) as edit:
        edit.cut(size)
    return replace(image, size=size)


EDITED: tuple[Edited, ...] = (
    Edited("optional-item", partial(_item, 0)),
    Edited("user-item", partial(_item, 1)),
    Edited("empty-item", _empty_item),
    Edited("optional-region", _region),
    Edited("creator-empty", partial(_creator, "")),
    Edited("creator-long", partial(_creator, "x" * 256)),
    Edited("short-file", _short_file),
)
