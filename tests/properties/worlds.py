"""Random disks and chains, built by the stranger with known truth, then kept in memory."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from hvrescue.byteio.source import ByteSource
from hvrescue.core.context import QUIET
from hvrescue.images import formats
from hvrescue.images.chain import Chain, resolve
from hvrescue.images.survey import Survey
from tests.properties.thin import Shelf, Thin
from tests.strangers.model import GIB, KIB, MIB, Span
from tests.strangers.truth import Truth
from tests.strangers.vhd_bytes import VhdImage, build_vhd
from tests.strangers.vhd_spec import VhdKind, VhdSpec, VhdStyle
from tests.strangers.vhdx_bytes import VhdxImage, build_vhdx
from tests.strangers.vhdx_spec import BlockPlan, Kind, LogKind, LogPlan, State, Style, VhdxSpec, odd_runs

Image = VhdxImage | VhdImage
_SOFT = (State.ZERO, State.UNMAPPED, State.UNDEFINED)


@dataclass(frozen=True, repr=False)
class World:
    """A chain, leaf first: what the stranger knows of each file, and its bytes."""

    images: tuple[Image, ...]
    sources: tuple[Thin, ...]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """How Hypothesis shows an example."""
        del cycle
        printer.text(f"World({', '.join(str(image.spec) for image in self.images)})")

    @property
    def leaf(self) -> Image:
        return self.images[0]

    @property
    def truth(self) -> Truth:
        return self.leaf.truth

    def ranges(self) -> tuple[Span, ...]:
        """What is worth reading."""
        return self.truth.ranges(16 * MIB)

    def with_leaf(self, source: Thin) -> tuple[Survey[object], Chain]:
        """Survey and chain with the leaf's bytes replaced; must not raise."""
        return look(source, Shelf(source, *self.sources[1:]))


def look(source: ByteSource, shelf: Shelf) -> tuple[Survey[object], Chain]:
    survey = formats.survey_image(source, QUIET)
    return survey, resolve(survey, shelf, QUIET)


def harvest(*images: Image) -> World:
    """Into memory, and the files away."""
    sources = tuple(Thin.of(image.path, image.path.name) for image in images)
    for image in images:
        image.path.unlink()
    return World(images, sources)


@st.composite
def runs(draw: st.DrawFn, block_size: int, sector: int) -> tuple[Span, ...]:
    """Own sectors of a partial block, which need not begin at a byte of the bitmap."""
    if draw(st.booleans()):
        return odd_runs(block_size, sector, draw(st.integers(0, 1 << 20)))
    most = block_size // sector
    edges = sorted(draw(st.sets(st.integers(0, most), min_size=2, max_size=8)))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return tuple(Span(a * sector, (b - a) * sector) for a, b in pairs)


@st.composite
def block_maps(draw: st.DrawFn, count: int, block_size: int, sector: int, *, child: bool) -> tuple[BlockPlan, ...]:
    """Up to eight blocks in any state, first, last and chunk edges more often than others."""
    ratio = (1 << 23) * sector // block_size
    edges = [n for n in (0, count - 1, ratio - 1, ratio, 2 * ratio - 1) if 0 <= n < count]
    numbers = draw(st.sets(st.sampled_from(edges) | st.integers(0, min(count, 24) - 1), max_size=8))
    states = [State.FULL, State.FULL, *_SOFT, *((State.PARTIAL, State.PARTIAL) if child else ())]
    plans = []
    for number in sorted(numbers):
        state = draw(st.sampled_from(states))
        own = draw(runs(block_size, sector)) if state is State.PARTIAL else ()
        anchored = state in _SOFT and draw(st.booleans())
        plans.append(BlockPlan(number, state, own, anchored))
    return tuple(plans)


@st.composite
def logs(draw: st.DrawFn, style: Style) -> LogPlan:
    kind = draw(st.sampled_from(list(LogKind)))
    qemu = kind is LogKind.PENDING and draw(st.booleans())
    return LogPlan(
        kind,
        versions=draw(st.integers(3, 5)),
        older_session=draw(st.booleans()),
        log_metadata=kind is LogKind.CLEAN_STALE and draw(st.booleans()),
        guid_per_entry=qemu,
        # Disk2vhd's headers carry one number, so that two different ones would be a contradiction.
        one_header=style is not Style.DISK2VHD and kind.pending and draw(st.booleans()),
        half_closed=style is not Style.DISK2VHD and kind is LogKind.CLEAN_STALE and draw(st.booleans()),
    )


@st.composite
def vhdx_specs(draw: st.DrawFn, *, below: VhdxSpec | None = None, layer: int = 0, log: bool = True) -> VhdxSpec:
    sector = below.logical if below else draw(st.sampled_from((512, 4096)))
    block = draw(st.sampled_from((MIB, MIB, 2 * MIB, 4 * MIB)))
    style = draw(st.sampled_from(list(Style)))
    if below is not None:
        size = below.virtual_size + (draw(st.sampled_from((0, 0, 0, 3 * MIB))))
    elif draw(st.integers(0, 3)) == 0:
        size = 8 * GIB + draw(st.integers(1, 40)) * MIB  # several chunks
    else:
        size = draw(st.integers(1, 14 * MIB // sector)) * sector
    count = -(-size // block)
    fixed = below is None and count <= 8 and draw(st.integers(0, 5)) == 0
    kind = Kind.DIFFERENCING if below else Kind.FIXED if fixed else Kind.DYNAMIC
    blocks = () if fixed else draw(block_maps(count, block, sector, child=below is not None))
    placed = count if fixed else sum(p.anchored or p.state in (State.FULL, State.PARTIAL) for p in blocks)
    return VhdxSpec(
        name=f"layer{layer}.avhdx" if below else "base.vhdx",
        kind=kind,
        style=style,
        virtual_size=size,
        block_size=block,
        logical=sector,
        blocks=blocks,
        log=draw(logs(style)) if log and not fixed else LogPlan(),
        seed=draw(st.integers(1, 1 << 16)),
        layer=layer,
        # Room that nobody owns looks like a lost table when there is not one block, and like a block size that
        # was halved when every block has some behind it: both are called so.
        orphans=draw(st.integers(0, 2)) if placed >= 4 else 0,
        surplus_tail=draw(st.sampled_from((0, 0, MIB, 12345))) if placed >= 4 else 0,
        current_slot=draw(st.integers(0, 1)),
        page83_seed=5,
    )


def build_vhdx_or_skip(spec: VhdxSpec, folder: Path, parent: VhdxImage | None) -> VhdxImage:
    """A log that cannot be wrapped, or has nothing to say, is no example."""
    try:
        return build_vhdx(spec, folder, parent)
    except (ValueError, StopIteration, IndexError):
        plain = replace(spec, log=LogPlan())
        return build_vhdx(plain, folder, parent)


@st.composite
def vhdx_worlds(draw: st.DrawFn, *, depth: int = 2, log: bool = True) -> World:
    """A base, or a chain of up to ``depth`` files."""
    images: list[VhdxImage] = []
    with tempfile.TemporaryDirectory() as name:
        for layer in range(draw(st.integers(1, depth))):
            below = images[-1] if images else None
            spec = draw(vhdx_specs(below=below.spec if below else None, layer=layer, log=log))
            images.append(build_vhdx_or_skip(spec, Path(name), below))
        return harvest(*reversed(images))


@st.composite
def vhd_specs(draw: st.DrawFn, *, below: VhdSpec | None = None, layer: int = 0) -> VhdSpec:
    block = draw(st.sampled_from((512 * KIB, MIB, 2 * MIB)))
    size = below.virtual_size if below else draw(st.integers(200, 24 * 1024)) * 512
    fixed = below is None and draw(st.integers(0, 3)) == 0
    plans = draw(block_maps(-(-size // block), block, 512, child=below is not None))
    hard = tuple(BlockPlan(p.index, p.state, p.runs) for p in plans if p.state in (State.FULL, State.PARTIAL))
    return VhdSpec(
        name=f"layer{layer}.avhd" if below else "base.vhd",
        kind=VhdKind.DIFFERENCING if below else VhdKind.FIXED if fixed else VhdKind.DYNAMIC,
        style=draw(st.sampled_from(list(VhdStyle))),
        virtual_size=size,
        block_size=block,
        blocks=hard,
        seed=draw(st.integers(1, 1 << 16)),
        layer=layer,
        orphans=draw(st.integers(0, 1)),
        spare_entries=draw(st.sampled_from((0, 0, 1))),
    )


@st.composite
def vhd_worlds(draw: st.DrawFn, *, depth: int = 2) -> World:
    images: list[VhdImage] = []
    with tempfile.TemporaryDirectory() as name:
        for layer in range(draw(st.integers(1, depth))):
            below = images[-1] if images else None
            if below is not None and below.spec.kind is VhdKind.FIXED:
                assume(below.spec.virtual_size == below.truth.virtual_size)
            spec = draw(vhd_specs(below=below.spec if below else None, layer=layer))
            images.append(build_vhd(spec, Path(name), below))
        return harvest(*reversed(images))
