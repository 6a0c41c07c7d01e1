"""Law 5 over random damage: each byte right, or refused, or covered by a finding; and nothing raises."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hvrescue.byteio.source import MemorySource
from hvrescue.core.context import QUIET
from hvrescue.core.errors import Unreadable
from hvrescue.core.words import Severity, worst
from hvrescue.images.vhd import survey as vhd
from hvrescue.images.vhd.describe import describe
from hvrescue.images.vhd.write import write_differencing, write_dynamic, write_fixed

from .build import PARENT, blocks, child_recipe, disk, guest, guest_of, pattern, recipe

DATA = blocks(0, 3, 4, 9, 20)
OWN = [(512 * n, pattern(n, 1024)) for n in (1, 200, 999)]
HEAD = {"fixed": 0, "dynamic": 4096, "child": 16_384}
"""Before payload and child bitmaps: no checksum protects those, so damage there cannot be told."""
TABLE = {"fixed": 0, "dynamic": 1536, "child": 8192}
WOUND = st.tuples(
    st.integers(0, 16_384), st.binary(min_size=1, max_size=600) | st.sampled_from([bytes(512), b"\xff" * 512])
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    write_fixed(folder / "fixed", recipe(), DATA)
    write_dynamic(folder / "dynamic", recipe(), DATA)
    write_differencing(folder / "child", child_recipe(), PARENT, OWN)
    return folder


def hurt(damaged: bytearray, kind: str, place: int, new: bytes) -> None:
    """Damage goes where it hurts: into head and table, or into the footer."""
    place %= HEAD[kind] + 512
    at, end = (place, HEAD[kind]) if place < HEAD[kind] else (len(damaged) - 512, len(damaged))
    if at < HEAD[kind] and at + len(new) > TABLE[kind]:
        # An entry that names another legal place cannot be told; so they are lost whole, as sectors are.
        at, new = at // 4 * 4, bytes(-(-len(new) // 4) * 4)
    damaged[at : min(end, at + len(new))] = new[: end - at]


@given(st.sampled_from(sorted(HEAD)), st.lists(WOUND, min_size=1, max_size=3), st.none() | st.integers(0, 1_500_000))
def test_nothing_raises_and_nothing_is_silently_wrong(
    folder: Path, kind: str, wounds: list[tuple[int, bytes]], cut: int | None
) -> None:
    damaged = bytearray((folder / kind).read_bytes())
    for place, new in wounds:
        hurt(damaged, kind, place, new)
    if cut is not None:
        del damaged[cut:]
    source = MemorySource("a.vhd", damaged)
    vhd.sniff(source)
    vhd.link_of(source)
    found = vhd.survey(source, QUIET)
    describe(found)
    if found.refusal is None:
        truth = guest(OWN) if kind == "child" else guest_of(DATA)
        whole = disk(found)
        for run in whole.runs(0, min(whole.size, len(truth))):
            try:
                got = whole.pread(run.start, run.length)
            except Unreadable:
                continue
            assert worst(found.findings) >= Severity.WARNING or got == truth[run.start : run.end]
