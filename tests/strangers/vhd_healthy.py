"""Healthy VHD files that look strange (spec 2.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .model import GIB, KIB, MIB
from .vhd_spec import VhdKind, VhdSpec, VhdStyle
from .vhdx_spec import blocks_of

ODD = 63 * MIB + 3 * 512


def _dynamic(block: int = 2 * MIB, virtual: int = ODD, **fields: object) -> VhdSpec:
    plans = blocks_of(-(-virtual // block), full=(0, 1, 3, -1), block_size=block)
    spec = VhdSpec(virtual_size=virtual, block_size=block, blocks=plans, seed=700)
    return replace(spec, **fields)  # type: ignore[arg-type]


def _fixed(virtual: int = 8 * MIB, **fields: object) -> VhdSpec:
    plans = blocks_of(-(-virtual // MIB), full=(0, 2, -1))
    spec = VhdSpec(kind=VhdKind.FIXED, virtual_size=virtual, block_size=MIB, blocks=plans, seed=701)
    return replace(spec, **fields)  # type: ignore[arg-type]


def _child(block: int = 2 * MIB, **fields: object) -> VhdSpec:
    plans = blocks_of(-(-ODD // block), full=(1,), partial=(0, 3, -1), block_size=block, seed=702)
    spec = VhdSpec(
        name="child.avhd",
        kind=VhdKind.DIFFERENCING,
        virtual_size=ODD,
        block_size=block,
        blocks=plans,
        seed=702,
        layer=1,
    )
    return replace(spec, **fields)  # type: ignore[arg-type]


PARENT = _dynamic(name="parent.vhd", seed=703)
NEW = VhdStyle.WINDOWS10
ONE = blocks_of(66560, full=(0,), block_size=2 * MIB)


@dataclass(frozen=True)
class VhdVariant:
    """A healthy VHD, with its parent if it has one."""

    name: str
    spec: VhdSpec
    parent: VhdSpec | None = None


VHD_VARIANTS: tuple[VhdVariant, ...] = (
    VhdVariant("dynamic", _dynamic()),
    VhdVariant("dynamic-512k", _dynamic(512 * KIB)),
    VhdVariant("dynamic-1m", _dynamic(MIB)),
    VhdVariant("dynamic-4m", _dynamic(4 * MIB)),
    VhdVariant("dynamic-16m", _dynamic(16 * MIB, blocks=blocks_of(4, full=(1, 3)))),
    VhdVariant("windows10", _dynamic(style=NEW)),
    VhdVariant("windows10-512k", _dynamic(512 * KIB, style=NEW)),
    VhdVariant("unshuffled", _dynamic(shuffle=False)),
    VhdVariant("empty", _dynamic(blocks=())),
    VhdVariant("free-slots", _dynamic(orphans=2)),
    VhdVariant("spare-entries", _dynamic(spare_entries=300)),
    VhdVariant("short-footer", _dynamic(short_footer=True)),
    VhdVariant("large", _dynamic(virtual=200 * GIB, blocks=blocks_of(102400, full=(0, 77777, -1)))),
    VhdVariant("creator-d2v", _dynamic(creator=b"d2v ")),
    VhdVariant("creator-tap", _dynamic(creator=b"tap\0")),
    VhdVariant("creator-vpc", _dynamic(creator=b"vpc ")),
    VhdVariant("creator-qemu", _dynamic(creator=b"qemu")),
    VhdVariant("creator-vs", _dynamic(creator=b"vs  ")),
    VhdVariant("creator-vpc-large", _dynamic(virtual=130 * GIB, creator=b"vpc ", blocks=ONE)),
    VhdVariant("fixed", _fixed()),
    VhdVariant("fixed-odd", _fixed(8 * MIB - 512 * 5)),
    VhdVariant("fixed-vpc", _fixed(creator=b"vpc ")),
    VhdVariant("fixed-short-footer", _fixed(short_footer=True)),
    VhdVariant("fixed-empty", _fixed(blocks=())),
    VhdVariant("child", _child(), PARENT),
    VhdVariant("child-512k", _child(512 * KIB), PARENT),
    VhdVariant("child-windows10", _child(style=NEW), PARENT),
    VhdVariant("child-windows10-parent", _child(), replace(PARENT, style=NEW)),
    VhdVariant("child-timestamp", _child(parent_timestamp=0x2A10B5C0), PARENT),
    VhdVariant("child-absolute-only", _child(locators=(b"W2ku",)), PARENT),
    VhdVariant("child-no-locators", _child(locators=()), PARENT),
    VhdVariant("child-empty", _child(blocks=()), PARENT),
    VhdVariant("child-fixed-parent", _child(), _fixed(ODD, name="parent.vhd", seed=704)),
)
