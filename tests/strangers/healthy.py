"""Healthy files that look strange: nothing in them deserves more than an 'info'."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .damage import AnyImage
from .healthy_chain import CHAINS
from .healthy_edit import EDITED
from .model import GIB, MIB, TIB
from .vhd_bytes import build_vhd
from .vhd_healthy import VHD_VARIANTS, VhdVariant
from .vhdx_bytes import build_vhdx
from .vhdx_spec import BlockPlan, Kind, LogKind, LogPlan, State, Style, VhdxSpec, blocks_of


@dataclass(frozen=True)
class Variant:
    """A healthy file: ``pending`` ones must be replayed (in an overlay) to be read right."""

    name: str
    format: str
    build: Callable[[Path], AnyImage]
    pending: bool = False
    disputed: bool = False
    """The spec itself is unsure whether this deserves a warning."""


def _some(count: int, block: int) -> tuple[BlockPlan, ...]:
    """Full, ZERO and UNMAPPED blocks in no order."""
    return blocks_of(count, full=(0, 1, 4, 6, 7, -1), zero=(2,), unmapped=(3,), block_size=block)


def _spec(block: int = MIB, virtual: int = 64 * MIB, **fields: object) -> VhdxSpec:
    count = -(-virtual // block)
    base = VhdxSpec(virtual_size=virtual, block_size=block, blocks=_some(count, block), seed=800)
    return replace(base, **fields)  # type: ignore[arg-type]


def _log(kind: LogKind, **fields: object) -> LogPlan:
    return replace(LogPlan(kind), **fields)  # type: ignore[arg-type]


STALE = LogPlan(LogKind.CLEAN_STALE)
FEW = blocks_of(64, full=(0, 9), block_size=MIB)
SOFT = blocks_of(64, full=(0, 9), zero=(1, 5), unmapped=(2,), undefined=(3,), anchored=True)
HARD = blocks_of(64, full=(0, 9), zero=(1, 5), unmapped=(2,), undefined=(3,))
LAST = blocks_of(1024, full=(0, 3, 9, 500), zero=(4,), unmapped=(5,))
MANY = tuple(BlockPlan(page * 512 + 7, State.ZERO) for page in range(1, 140))
FIXED_QEMU = (
    *blocks_of(12, full=(0, 5)),
    *blocks_of(12, zero=(1, 2, 3, 4, 6, 7, 8, 9, 10, 11), anchored=True),
)

QEMU_STALE = LogPlan(LogKind.CLEAN_STALE, guid_per_entry=True)
EDGES = blocks_of(8448, full=(0, 8191, 8192, -1))


def _pending(block: int, **fields: object) -> VhdxSpec:
    count = 1024
    plans = blocks_of(count, full=(0, 3, 9, 500), zero=(4,), unmapped=(5,), block_size=block)
    return _spec(block, count * block, blocks=plans, orphans=1, **fields)


SPECS: tuple[tuple[str, VhdxSpec], ...] = (
    ("plain", _spec()),
    ("plain-2m", _spec(2 * MIB)),
    ("blocks-32m", _spec(32 * MIB, 640 * MIB, blocks=blocks_of(20, full=(1, 19)))),
    ("blocks-256m", _spec(256 * MIB, 2 * GIB, blocks=blocks_of(8, full=(7,)))),
    ("sectors-4096", _spec(logical=4096)),
    ("short-last-block", _spec(4 * MIB, 62 * MIB + 512 * 7)),
    ("one-sector-disk", _spec(MIB, 512, blocks=blocks_of(1, full=(0,)))),
    ("no-blocks", _spec(blocks=())),
    ("slot-0", _spec(log=STALE, current_slot=0)),
    ("unshuffled", _spec(shuffle=False, log=STALE)),
    ("disk2vhd", _spec(2 * MIB, style=Style.DISK2VHD, physical=512)),
    ("qemu", _spec(style=Style.QEMU, physical=512)),
    (
        "qemu-stale-log",
        _spec(style=Style.QEMU, physical=512, log=QEMU_STALE),
    ),
    ("required-flag-0", _spec(log=STALE, required_flag=False)),
    ("anchors", _spec(blocks=SOFT, log=STALE)),
    ("no-anchors", _spec(blocks=HARD)),
    ("orphans", _spec(orphans=3, log=STALE)),
    ("surplus-tail", _spec(surplus_tail=3 * MIB, log=STALE)),
    ("odd-size", _spec(surplus_tail=4096 + 77, log=STALE)),
    ("stale-beyond", _spec(log=_log(LogKind.CLEAN_STALE, beyond=200 * MIB))),
    ("stale-metadata", _spec(2 * MIB, log=_log(LogKind.CLEAN_STALE, log_metadata=True))),
    ("stale-versions", _spec(log=_log(LogKind.CLEAN_STALE, versions=6, older_session=False))),
    ("stale-wide", _spec(MIB, GIB, blocks=LAST, orphans=1, log=STALE)),
    ("half-closed", _spec(log=_log(LogKind.CLEAN_STALE, half_closed=True))),
    ("log-4m", _spec(log=_log(LogKind.CLEAN_STALE, length=4 * MIB))),
    ("three-chunks", _spec(MIB, 8 * GIB + 64 * MIB, log=STALE)),
    (
        "two-chunks-4096",
        _spec(4 * MIB, 33 * GIB, logical=4096, blocks=EDGES),
    ),
    ("huge-64t", _spec(32 * MIB, 64 * TIB, blocks=blocks_of(1 << 21, full=(0, 128, -1)))),
    ("huge-4t", _spec(MIB, 4 * TIB, blocks=blocks_of(1 << 22, full=(0, 4095, 4096, -1), zero=(1 << 20,)))),
    ("fixed", _spec(kind=Kind.FIXED, virtual_size=12 * MIB, blocks=())),
    ("fixed-qemu", _spec(kind=Kind.FIXED, virtual_size=12 * MIB, style=Style.QEMU, blocks=FIXED_QEMU)),
    ("pending", _pending(MIB, log=_log(LogKind.PENDING))),
    ("pending-2m", _pending(2 * MIB, log=_log(LogKind.PENDING, old_size=1000 * MIB))),
    ("pending-all", _pending(MIB, log=_log(LogKind.PENDING, disk_version=0))),
    ("pending-one-header", _pending(MIB, log=_log(LogKind.PENDING, one_header=True))),
    ("pending-torn", _pending(MIB, log=_log(LogKind.PENDING_TORN))),
    ("pending-torn-2m", _pending(2 * MIB, log=_log(LogKind.PENDING_TORN))),
    ("pending-wrapped", _pending(MIB, log=_log(LogKind.PENDING_WRAPPED))),
    ("pending-wrapped-2m", _pending(2 * MIB, log=_log(LogKind.PENDING_WRAPPED))),
    ("pending-extend", _pending(MIB, log=_log(LogKind.PENDING, extend=MIB))),
    ("pending-qemu", _pending(MIB, style=Style.QEMU, log=_log(LogKind.PENDING, guid_per_entry=True))),
    (
        "pending-many-descriptors",
        _spec(MIB, 70 * GIB, blocks=(*FEW, *MANY), log=_log(LogKind.PENDING, versions=1, disk_version=0)),
    ),
)


def variants() -> Iterator[Variant]:
    """All healthy variants of both formats."""
    for name, spec in SPECS:
        yield Variant(name, "vhdx", partial(build_vhdx, spec), spec.log.kind.pending)
    for chain in CHAINS:
        yield Variant(chain.name, "vhdx", chain.build, chain.pending, chain.name == "child-grown")
    for edited in EDITED:
        yield Variant(edited.name, "vhdx", edited.build)
    for vhd in VHD_VARIANTS:
        yield Variant(vhd.name, "vhd", partial(_vhd, vhd))


def _vhd(variant: VhdVariant, directory: Path) -> AnyImage:
    parent = build_vhd(variant.parent, directory) if variant.parent else None
    return build_vhd(variant.spec, directory, parent)
