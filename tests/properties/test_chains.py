"""Property 5: a chain, flattened, is what its layers say one after the other."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from hvrescue.app.convert import Wish, convert_disk
from hvrescue.app.looking import look_at
from hvrescue.core.context import QUIET
from hvrescue.core.words import Verdict
from hvrescue.images.chain import open_chain
from hvrescue.images.vhdx.layout import Block
from hvrescue.images.vhdx.write import LogKind, VhdxSpec, VhdxWriter
from tests.properties.worlds import World, vhd_worlds, vhdx_worlds

MIB = 1 << 20
SIZE = 5 * MIB
READS = st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, 200_000)), min_size=1, max_size=12)
Edit = tuple[int, int, int]
"""First sector, sectors, kind: data, or a whole block of zeros."""


@st.composite
def edits(draw: st.DrawFn, sector: int) -> list[Edit]:
    most = SIZE // sector
    out: list[Edit] = []
    for _ in range(draw(st.integers(0, 6))):
        first = draw(st.integers(0, most - 1))
        many = draw(st.integers(1, 40) | st.integers(1, most))
        out.append((first, min(many, most - first), draw(st.sampled_from((0, 0, 0, 1)))))
    return out


def content(layer: int, first: int, sectors: int, sector: int) -> bytes:
    rows = (f"layer {layer} sector {n} ".encode() for n in range(first, first + sectors))
    return b"".join((row * (sector // len(row) + 1))[:sector] for row in rows)


def write_layer(folder: Path, layer: int, sector: int, block: int, own: list[Edit], below: VhdxSpec | None,
                log: LogKind, model: bytearray) -> VhdxSpec:  # fmt: skip
    """A layer written to disk, and the same done to the model."""
    locator = (
        {"parent_linkage": f"{{{below.data_write}}}", "relative_path": f".\\layer{layer - 1}.vhdx"} if below else {}
    )
    spec = VhdxSpec(SIZE, block, sector, max(4096, sector), parent=locator, log=log)
    with VhdxWriter(folder / f"layer{layer}.vhdx", spec) as writer:
        untouched = set(range(SIZE // block + 1))
        for first, sectors, kind in own:
            low, size = first * sector, sectors * sector
            if kind == 0:
                data = content(layer, first, sectors, sector)
                writer.write(low, data)
                model[low : low + size] = data
                untouched -= set(range(low // block, (low + size - 1) // block + 1))
        for first, _, kind in own:
            number = first * sector // block
            if kind == 1 and number in untouched:
                writer.state(number, Block.ZERO)
                end = min(SIZE, (number + 1) * block)
                model[number * block : end] = bytes(end - number * block)
    return spec


@settings(max_examples=40)
@given(st.data(), st.sampled_from((512, 4096)), st.integers(1, 6), READS)
def test_layers_written_by_us(data: st.DataObject, sector: int, depth: int, reads: list[tuple[int, int]]) -> None:
    model = bytearray(SIZE)
    with tempfile.TemporaryDirectory() as name:
        folder, below = Path(name), None
        for layer in range(depth):
            block = data.draw(st.sampled_from((MIB, 2 * MIB)))
            log = data.draw(st.sampled_from(list(LogKind)))
            below = write_layer(folder, layer, sector, block, data.draw(edits(sector)), below, log, model)
        leaf = folder / f"layer{depth - 1}.vhdx"
        looked = look_at(leaf, {}, QUIET)
        assert {link.verdict for link in looked.chain.links} == {Verdict.HEALTHY}
        assert len(looked.chain.links) == depth and looked.chain.broken is None
        disk = open_chain(looked.chain)
        for spot, most in reads:
            offset, size = spot % SIZE, min(most, SIZE - spot % SIZE)
            assert disk.pread(offset, size) == model[offset : offset + size]
        raw, vhdx = folder / "flat.raw", folder / "flat.vhdx"
        assert convert_disk(leaf, Wish(raw), {}, QUIET).exit_code == 0
        assert raw.read_bytes() == model
        assert convert_disk(leaf, Wish(vhdx, block_size=2 * MIB), {}, QUIET).exit_code == 0
        again = look_at(vhdx, {}, QUIET)
        assert again.survey.verdict is Verdict.HEALTHY
        assert open_chain(again.chain).pread(0, SIZE) == model


@settings(max_examples=60)
@given(vhdx_worlds(depth=6) | vhd_worlds(depth=6), READS)
def test_layers_written_by_a_stranger(world: World, reads: list[tuple[int, int]]) -> None:
    """Unaligned reads over chains of up to six files with blocks of different sizes."""
    survey, chain = world.with_leaf(world.sources[0])
    assert survey.verdict is Verdict.HEALTHY and len(chain.links) == len(world.images)
    disk, truth = open_chain(chain), world.truth
    holes = truth.undefined
    spots = [(offset % disk.size, size) for offset, size in reads]
    spots += [(max(0, span.offset - 7), size) for span in truth.data[:4] for _, size in reads[:2]]
    for offset, most in spots:
        size = min(most, disk.size - offset)
        got, want = bytearray(disk.pread(offset, size)), bytearray(truth(offset, size))
        for hole in holes:
            low, high = max(hole.offset, offset) - offset, min(hole.end, offset + size) - offset
            if low < high:
                got[low:high] = want[low:high] = bytes(high - low)
        assert got == want
