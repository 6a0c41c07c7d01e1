"""Healthy VHDX files the damages start from.  Each exists with two block sizes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from .model import GIB, MIB
from .vhdx_bytes import VhdxImage, build_vhdx
from .vhdx_spec import BlockPlan, Kind, LogKind, LogPlan, VhdxSpec, blocks_of

STALE = LogPlan(LogKind.CLEAN_STALE, log_metadata=True)
EMPTY = LogPlan(LogKind.EMPTY)


@dataclass(frozen=True)
class Base:
    """A named base; ``size`` is 0 (small blocks) or 1 (large blocks), ``slot`` the current header."""

    name: str
    build: Callable[[int, int, Path], VhdxImage]
    block_sizes: tuple[int, int]


def _few(count: int, block: int, *, seed: int) -> tuple[BlockPlan, ...]:
    """Nine full blocks (first and last among them), one ZERO, one UNMAPPED with an anchor."""
    full = blocks_of(count, full=(0, 2, 3, 7, 9, 12, 15, 20, -1), zero=(5,), block_size=block, seed=seed)
    soft = blocks_of(count, unmapped=(6,), anchored=True, block_size=block, seed=seed)
    return tuple(sorted((*full, *soft), key=lambda plan: plan.index))


def dynamic(block: int, slot: int, directory: Path, log: LogPlan, virtual: int) -> VhdxImage:
    """A dynamic disk; with large blocks the last one is short."""
    count = -(-virtual // block)
    seed = block // MIB * 10 + slot
    spec = VhdxSpec(
        virtual_size=virtual,
        block_size=block,
        blocks=_few(count, block, seed=seed),
        log=log,
        orphans=2,
        seed=seed,
        current_slot=slot,
    )
    return build_vhdx(spec, directory)


def _clean(size: int, slot: int, directory: Path) -> VhdxImage:
    return dynamic((1 + size) * MIB, slot, directory, STALE, (64 - size) * MIB)


def _nolog(size: int, slot: int, directory: Path) -> VhdxImage:
    return dynamic((1 + size) * MIB, slot, directory, EMPTY, (64 - size) * MIB)


def _big(size: int, slot: int, directory: Path) -> VhdxImage:
    return dynamic((2 + 2 * size) * MIB, slot, directory, EMPTY, 128 * MIB)


def _biglog(size: int, slot: int, directory: Path) -> VhdxImage:
    return dynamic((2 + 2 * size) * MIB, slot, directory, STALE, 128 * MIB)


def _pending(size: int, slot: int, directory: Path) -> VhdxImage:
    """1024 blocks: two BAT pages, the second one is cleaned by a zero descriptor in the log."""
    block = (1 + size) * MIB
    return dynamic(block, slot, directory, LogPlan(LogKind.PENDING, old_size=1000 * block), 1024 * block)


def _wide(size: int, slot: int, directory: Path) -> VhdxImage:
    """More than two chunks, so that bitmap slots 0 and 1 lie inside the BAT."""
    block = (1 + size) * MIB
    return dynamic(block, slot, directory, EMPTY, 8 * GIB + 64 * MIB)


def _fixed(size: int, slot: int, directory: Path) -> VhdxImage:
    spec = VhdxSpec(
        kind=Kind.FIXED,
        virtual_size=12 * MIB,
        block_size=(1 + size) * MIB,
        log=EMPTY,
        seed=70 + size,
        current_slot=slot,
    )
    return build_vhdx(spec, directory)


def family(
    size: int,
    slot: int,
    directory: Path,
    *,
    log: LogPlan = STALE,
    virtual: int = 64 * MIB,
    child: VhdxSpec | None = None,
) -> VhdxImage:
    """A parent and its child; the child has blocks in all states, partial ones first and last."""
    block = (1 + size) * MIB
    count = virtual // block
    seed = 100 + size
    below = VhdxSpec(
        name="parent.vhdx",
        virtual_size=virtual,
        block_size=2 * MIB,
        blocks=blocks_of(virtual // (2 * MIB), full=(0, 1, 3, 4, 6, -1), zero=(2,), block_size=2 * MIB),
        log=EMPTY,
        seed=seed,
    )
    spec = VhdxSpec(
        name="child.avhdx",
        kind=Kind.DIFFERENCING,
        virtual_size=virtual,
        block_size=block,
        blocks=blocks_of(
            count,
            full=(4, 9),
            zero=(1, 6),
            unmapped=(7,),
            partial=(0, 3, 11, -1),
            block_size=block,
            seed=seed,
        ),
        log=log,
        orphans=1,
        seed=seed + 50,
        layer=1,
        current_slot=slot,
        page83_seed=seed,
    )
    if child is not None:
        spec = replace(child, blocks=child.blocks or spec.blocks)
    return build_vhdx(spec, directory, build_vhdx(below, directory))


def _child(size: int, slot: int, directory: Path) -> VhdxImage:
    return family(size, slot, directory)


def _childnolog(size: int, slot: int, directory: Path) -> VhdxImage:
    return family(size, slot, directory, log=EMPTY)


def _chunks(size: int, slot: int, directory: Path) -> VhdxImage:
    """Two chunks, each with its own sector bitmap."""
    return family(size, slot, directory, log=EMPTY, virtual=4 * GIB + 64 * MIB)


def _grand(size: int, slot: int, directory: Path) -> VhdxImage:
    """Three layers; the top one is small and mostly shows the two below."""
    middle = family(size, slot, directory)
    block = (1 + size) * MIB
    spec = VhdxSpec(
        name="grandchild.avhdx",
        kind=Kind.DIFFERENCING,
        virtual_size=64 * MIB,
        block_size=block,
        blocks=blocks_of(64 * MIB // block, full=(2,), partial=(3, 4), zero=(8,), block_size=block, seed=9),
        log=STALE,
        seed=300 + size,
        layer=2,
        current_slot=slot,
        page83_seed=100 + size,
    )
    return build_vhdx(spec, directory, middle)


def _tiny(size: int, slot: int, directory: Path) -> VhdxImage:
    """A child with few bytes, for long chains."""
    spec = VhdxSpec(
        kind=Kind.DIFFERENCING,
        name="child.avhdx",
        block_size=(1 + size) * MIB,
        blocks=blocks_of(64 // (1 + size), full=(3,), zero=(1,)),
        log=EMPTY,
        seed=400 + size,
        layer=1,
        current_slot=slot,
    )
    two = blocks_of(64 // (1 + size), full=(0, 1))
    below = VhdxSpec(name="parent.vhdx", block_size=(1 + size) * MIB, blocks=two)
    return build_vhdx(spec, directory, build_vhdx(below, directory))


_SMALL = (MIB, 2 * MIB)
BASES = tuple(
    Base(name, build, sizes)
    for name, build, sizes in (
        ("clean", _clean, _SMALL),
        ("nolog", _nolog, _SMALL),
        ("big", _big, (2 * MIB, 4 * MIB)),
        ("biglog", _biglog, (2 * MIB, 4 * MIB)),
        ("pending", _pending, _SMALL),
        ("wide", _wide, _SMALL),
        ("fixed", _fixed, _SMALL),
        ("child", _child, _SMALL),
        ("child-nolog", _childnolog, _SMALL),
        ("chunks", _chunks, _SMALL),
        ("grand", _grand, _SMALL),
        ("tiny", _tiny, _SMALL),
    )
)


def base(name: str) -> Base:
    """The base of that name."""
    return next(item for item in BASES if item.name == name)
