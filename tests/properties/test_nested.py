"""Property 4: a disk stored inside the guest of another disk reads as it does when it lies flat."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from hvrescue.byteio.source import ByteSource, SliceSource
from hvrescue.core.context import QUIET
from hvrescue.images import formats
from hvrescue.images.chain import open_disk
from hvrescue.images.disk import VirtualDisk
from hvrescue.images.identity import Alone
from hvrescue.images.survey import Survey
from tests.properties.thin import PAGE, Thin
from tests.properties.worlds import World, vhd_worlds, vhdx_worlds
from tests.strangers.vhdx_codec import (
    BAT_REGION,
    METADATA_REGION,
    Header,
    Region,
    identifier,
    metadata,
    region_table,
)
from tests.strangers.vhdx_spec import VhdxSpec
from tests.strangers.vhdx_stages import metadata_items

MIB = 1 << 20


def wrap(inner: Thin, block: int, at: int) -> Thin:
    """A dynamic VHDX whose guest holds the bytes of ``inner`` from sector-aligned ``at`` on, blocks backwards."""
    size = -(-(at + inner.size) // block) * block
    spec = VhdxSpec(virtual_size=size, block_size=block)
    guest: dict[int, dict[int, bytes]] = {}
    for offset, page in inner.pages.items():
        place = at + offset
        guest.setdefault(place // block, {})[place % block] = page
    count = size // block
    first = 3 * MIB
    outer = Thin("outer.vhdx", first + len(guest) * block, {})
    table, _ = metadata(metadata_items(spec, size, None))
    entries = bytearray(8 * count)
    for rank, number in enumerate(sorted(guest, reverse=True)):
        home = first + rank * block
        entries[8 * number : 8 * number + 8] = (home | 6).to_bytes(8, "little")
        for within, page in guest[number].items():
            outer.write(home + within, page)
    regions = region_table((Region(METADATA_REGION, MIB, MIB), Region(BAT_REGION, 2 * MIB, MIB)))
    header = Header(1, UUID(int=1), UUID(int=2), UUID(int=0), 0, 0)
    for offset, data in (
        (0, identifier("nested")),
        *((slot, header.pack()) for slot in (0x10000, 0x20000)),
        *((slot, regions) for slot in (0x30000, 0x40000)),
        (MIB, table),
        (2 * MIB, bytes(entries)),
    ):
        outer.write(offset, data)
    return outer


def open_alone(source: ByteSource) -> tuple[Survey[object], VirtualDisk]:
    survey = formats.survey_image(source, QUIET)
    return survey, open_disk(survey, Alone(), QUIET)


@settings(max_examples=60)
@given(
    vhdx_worlds(depth=1) | vhd_worlds(depth=1),
    st.sampled_from((MIB, 2 * MIB, 8 * MIB)),
    st.integers(0, 3).map(lambda n: n * 8 * PAGE),
    st.integers(1, 2),
    st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(1, 70_000)), min_size=1, max_size=6),
)
def test_nested_reads_as_flat(world: World, block: int, at: int, depth: int, reads: list[tuple[int, int]]) -> None:
    inner = world.sources[0]
    if depth == 2:
        inner = wrap(inner, 2 * MIB, 0)
    plain, flat = open_alone(inner)
    box = wrap(inner, block, at)
    _, outside = open_alone(box)
    survey, nested = open_alone(SliceSource(outside, at, inner.size, inner.name))
    assert [(f.code, f.where, f.args) for f in survey.findings] == [(f.code, f.where, f.args) for f in plain.findings]
    assert nested.size == flat.size
    spots = [(offset % flat.size, size) for offset, size in reads]
    spots += [(span.offset, min(span.size, 1 << 18)) for span in world.ranges()[:4]]
    for offset, most in spots:
        size = min(most, flat.size - offset)
        if size > 0:
            assert nested.pread(offset, size) == flat.pread(offset, size)
