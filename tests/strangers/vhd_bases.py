"""Healthy VHD files the damages start from.  Each exists with two block sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .model import KIB, MIB
from .vhd_bytes import VhdImage, build_vhd
from .vhd_spec import VhdKind, VhdSpec, VhdStyle
from .vhdx_spec import blocks_of


@dataclass(frozen=True)
class VhdBase:
    """A named base; ``size`` is 0 (512 KiB blocks) or 1 (2 MiB blocks)."""

    name: str
    build: Callable[[int, Path], VhdImage]


BLOCKS = (512 * KIB, 2 * MIB)
STYLES = (VhdStyle.CLASSIC, VhdStyle.WINDOWS10)
VIRTUAL = 63 * MIB + 3 * 512
"""The last block is short."""


def _dynamic(size: int, directory: Path) -> VhdImage:
    """Five blocks, an unowned slot; 2 MiB blocks use the layout of Windows 10."""
    block = BLOCKS[size]
    full = blocks_of(-(-VIRTUAL // block), full=(0, 2, 3, 9, -1), block_size=block)
    spec = VhdSpec(
        style=STYLES[size],
        virtual_size=VIRTUAL,
        block_size=block,
        blocks=full,
        seed=20 + size,
        orphans=1,
    )
    return build_vhd(spec, directory)


def _fixed(size: int, directory: Path) -> VhdImage:
    block = BLOCKS[size]
    full = blocks_of(8 * MIB // block, full=(0, 2, -1), block_size=block)
    spec = VhdSpec(kind=VhdKind.FIXED, virtual_size=8 * MIB, block_size=block, blocks=full, seed=30 + size)
    return build_vhd(spec, directory)


def _child(size: int, directory: Path) -> VhdImage:
    block = BLOCKS[size]
    count = -(-VIRTUAL // block)
    below = VhdSpec(
        name="parent.vhd",
        style=STYLES[1 - size],
        virtual_size=VIRTUAL,
        blocks=blocks_of(-(-VIRTUAL // (2 * MIB)), full=(0, 1, 2, 4, -1), block_size=2 * MIB),
        seed=40 + size,
    )
    spec = VhdSpec(
        name="child.avhd",
        kind=VhdKind.DIFFERENCING,
        style=STYLES[size],
        virtual_size=VIRTUAL,
        block_size=block,
        blocks=blocks_of(count, full=(1,), partial=(0, 3, 5, -1), block_size=block, seed=50 + size),
        seed=50 + size,
        layer=1,
    )
    return build_vhd(spec, directory, build_vhd(below, directory))


VHD_BASES = (VhdBase("vhd", _dynamic), VhdBase("vhd-fixed", _fixed), VhdBase("vhd-child", _child))


def vhd_base(name: str) -> VhdBase:
    """The base of that name."""
    return next(item for item in VHD_BASES if item.name == name)
