"""What a VHD should look like: the parameters of the builder."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .model import MIB
from .vhdx_spec import BlockPlan


class VhdKind(enum.IntEnum):
    """DiskType (spec 2.1)."""

    FIXED = 2
    DYNAMIC = 3
    DIFFERENCING = 4


class VhdStyle(enum.Enum):
    """Placement (spec 2.1)."""

    CLASSIC = "classic"
    """Header at 512, BAT at 1536, blocks behind each other without alignment."""
    WINDOWS10 = "windows10"
    """W2ku text at 4096, BAT at 8192, W2ru text at 12288, block data aligned to 4 KiB."""


@dataclass(frozen=True)
class VhdSpec:
    """All parameters of one file; block states are FULL and PARTIAL only."""

    name: str = "disk.vhd"
    kind: VhdKind = VhdKind.DYNAMIC
    style: VhdStyle = VhdStyle.CLASSIC
    virtual_size: int = 64 * MIB
    block_size: int = 2 * MIB
    creator: bytes = b"win "
    blocks: tuple[BlockPlan, ...] = ()
    seed: int = 1
    layer: int = 0
    shuffle: bool = True
    orphans: int = 0
    """Stride positions without an owner (spec V8)."""
    short_footer: bool = False
    """The 511-byte footer of very old Virtual PC versions."""
    spare_entries: int = 0
    """MaxTableEntries above the need."""
    folder: str = "C:\\VMs"
    locators: tuple[bytes, ...] = (b"W2ku", b"W2ru")
    parent_timestamp: int = 0
    saved_state: int = 0
