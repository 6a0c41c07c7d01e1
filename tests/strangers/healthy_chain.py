"""Healthy differencing VHDX chains (spec 1.2, parent locator; 1.3, states in a differencing disk)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from .model import GIB, MIB
from .vhdx_bases import base, family
from .vhdx_bytes import VhdxImage, build_vhdx
from .vhdx_spec import Kind, LinkPlan, LogKind, LogPlan, VhdxSpec, blocks_of

EMPTY = LogPlan()


@dataclass(frozen=True)
class Chain:
    """A named chain; the builder returns its leaf."""

    name: str
    build: Callable[[Path], VhdxImage]
    pending: bool = False


def _family(size: int, log: LogPlan, virtual: int, directory: Path) -> VhdxImage:
    return family(size, 1, directory, log=log, virtual=virtual)


def _pair(child: VhdxSpec, parent: VhdxSpec, directory: Path) -> VhdxImage:
    return build_vhdx(child, directory, build_vhdx(parent, directory))


def _parent(**fields: object) -> VhdxSpec:
    plans = blocks_of(32, full=(0, 1, 3, 4, 9, -1), zero=(2,), block_size=2 * MIB)
    spec = VhdxSpec(name="parent.vhdx", block_size=2 * MIB, blocks=plans, seed=900)
    return replace(spec, **fields)  # type: ignore[arg-type]


def _child(**fields: object) -> VhdxSpec:
    plans = blocks_of(64, full=(4,), zero=(1,), unmapped=(7,), partial=(0, 3, -1), seed=901)
    spec = VhdxSpec("child.avhdx", Kind.DIFFERENCING, blocks=plans, seed=901, layer=1, page83_seed=900)
    return replace(spec, **fields)  # type: ignore[arg-type]


SECTORS = blocks_of(64, full=(4,), zero=(1,), partial=(0, 3, -1), logical=4096, seed=902)
EVERY = blocks_of(
    64, full=(4,), zero=(1,), unmapped=(7,), undefined=(8,), partial=(0, 3, -1), anchored=True, seed=903
)
SIXTEEN = blocks_of(16, full=(2,), partial=(0, 1), block_size=4 * MIB, seed=904)
NO_ABSOLUTE = LinkPlan(volume_path=False, absolute=False)


def _deep(directory: Path) -> VhdxImage:
    """Twenty-four layers, each with a block of its own."""
    image = build_vhdx(_parent(), directory)
    for step in range(24):
        spec = _child(
            name=f"layer{step:02}.avhdx",
            blocks=blocks_of(64, full=(step + 12,), partial=(step % 7,), seed=910 + step),
            seed=910 + step,
            layer=step + 1,
        )
        image = build_vhdx(spec, directory, image)
    return image


def _grand(directory: Path) -> VhdxImage:
    return base("grand").build(0, 1, directory)


def _grown(directory: Path) -> VhdxImage:
    """A child larger than its parent: the rest reads zero."""
    child = _child(virtual_size=80 * MIB, blocks=blocks_of(80, full=(4, -1), partial=(3,), seed=905))
    return _pair(child, _parent(), directory)


WAITING = LogPlan(LogKind.PENDING, log_metadata=False)
CHAINS: tuple[Chain, ...] = (
    Chain("child", partial(_family, 0, LogPlan(LogKind.CLEAN_STALE), 64 * MIB)),
    Chain("child-2m", partial(_family, 1, LogPlan(LogKind.CLEAN_STALE), 64 * MIB)),
    Chain("child-chunks", partial(_family, 0, EMPTY, 4 * GIB + 64 * MIB)),
    Chain("child-chunks-2m", partial(_family, 1, EMPTY, 4 * GIB + 64 * MIB)),
    Chain("child-pending", partial(_family, 0, WAITING, GIB), pending=True),
    Chain("child-pending-2m", partial(_family, 1, WAITING, 2 * GIB), pending=True),
    Chain("child-sectors-4096", partial(_pair, _child(logical=4096, blocks=SECTORS), _parent(logical=4096))),
    Chain("child-every-state", partial(_pair, _child(blocks=EVERY), _parent())),
    Chain("child-larger-blocks", partial(_pair, _child(block_size=4 * MIB, blocks=SIXTEEN), _parent())),
    Chain("child-no-blocks", partial(_pair, _child(blocks=()), _parent())),
    Chain("child-linkage2", partial(_pair, _child(link=LinkPlan(second_linkage=True)), _parent())),
    Chain("child-relative-only", partial(_pair, _child(link=NO_ABSOLUTE), _parent())),
    Chain("child-fixed-parent", partial(_pair, _child(), _parent(kind=Kind.FIXED, blocks=()))),
    Chain("parent-pending", partial(_pair, _child(), _parent(log=WAITING)), pending=True),
    Chain("grandchild", _grand),
    Chain("deep", _deep),
    Chain("child-grown", _grown),
)
