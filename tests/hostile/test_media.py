"""Media that do not give every sector: what is read is right, what is not read is named."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from hvrescue.byteio.file import FileSource
from hvrescue.core.errors import FormatError
from hvrescue.core.words import Severity, Verdict, worst
from hvrescue.images import formats
from hvrescue.images.chain import open_chain
from tests.hostile.cli import hv, tidy
from tests.hostile.deep import guid, linked, write_tiny
from tests.properties.test_agreement import wrong
from tests.properties.worlds import World, vhd_worlds, vhdx_worlds
from tests.strangers.model import MIB


@st.composite
def bad_ranges(draw: st.DrawFn, world: World) -> tuple[tuple[int, int], ...]:
    """Sectors and stretches, mostly in structures."""
    size = world.sources[0].size
    edges = [span.offset for _, span in world.leaf.structures.items]
    out = []
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.sampled_from(edges) | st.integers(0, size - 1)) // 512 * 512
        length = draw(st.sampled_from((512, 4096, 65536, MIB)))
        out.append((at, at + length))
    return tuple(out)


@settings(max_examples=120)
@given(vhdx_worlds() | vhd_worlds(), st.data())
def test_bad_sectors_in_the_leaf(world: World, data: st.DataObject) -> None:
    source = world.sources[0].copy()
    source.bad = data.draw(bad_ranges(world))
    survey, chain = world.with_leaf(source)
    formats.describe(survey)
    try:
        disk = open_chain(chain, allow_damaged=True)
    except FormatError:
        event("refused")
        assert survey.verdict in (Verdict.UNREADABLE, Verdict.UNKNOWN)
        return
    told = worst((*survey.findings, *chain.findings)) >= Severity.WARNING
    event("warned" if told else survey.verdict.value)
    if not told:
        assert not wrong(world, disk, ())


@settings(max_examples=60)
@given(vhdx_worlds(depth=3) | vhd_worlds(depth=3), st.data())
def test_bad_sectors_in_a_parent(world: World, data: st.DataObject) -> None:
    """Nothing about a parent's medium may raise: the child is looked at all the same."""
    sources = [source.copy() for source in world.sources]
    sources[-1].bad = data.draw(bad_ranges(World(world.images[-1:], world.sources[-1:])))
    sick = World(world.images, tuple(sources))
    _, chain = sick.with_leaf(sources[0])
    try:
        disk = open_chain(chain, allow_damaged=True)
    except FormatError:
        return
    told = [*chain.findings, *(f for link in chain.links for f in link.findings)]
    if worst(tuple(told)) < Severity.WARNING:
        assert not wrong(sick, disk, ())


class TestThroughTheProgram:
    """EIO from the system call upwards."""

    @pytest.fixture
    def sick(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        """Of ``sick.vhdx`` nothing from 1 MiB on can be read."""
        path = write_tiny(tmp_path / "sick.vhdx", guid(1))
        true_read = FileSource._read_some

        def read(self: FileSource, offset: int, buf: memoryview) -> int:
            if self.path.name == "sick.vhdx" and offset + len(buf) > MIB:
                raise OSError(errno.EIO, "Input/output error")
            return true_read(self, offset, buf)

        monkeypatch.setattr(FileSource, "_read_some", read)
        return path

    def test_one_disk(self, sick: Path, tmp_path: Path) -> None:
        for verb in ("check", "info", "chain", "map"):
            ran = tidy(hv("disk", verb, "--json", sick))
            assert ran.code in (1, 3), verb
            assert ran.data["complete"] is False, verb
        assert tidy(hv("disk", "cat", sick)).code == 3
        assert tidy(hv("disk", "convert", sick, tmp_path / "out.raw")).code == 3
        assert not (tmp_path / "out.raw").exists()

    def test_the_run_goes_on(self, sick: Path) -> None:
        write_tiny(sick.with_name("good.vhdx"), guid(2))
        write_tiny(sick.with_name("child.avhdx"), guid(3), linked(guid(1), "sick.vhdx"))
        ran = tidy(hv("diagnose", "--json", sick.parent))
        assert ran.code == 1
        verdicts = {Path(disk["path"]).name: disk["verdict"] for disk in ran.data["disks"]}
        assert verdicts["good.vhdx"] == "healthy"
        assert verdicts["child.avhdx"] != "healthy"
        assert verdicts.get("sick.vhdx") != "healthy"
        assert any(note["code"] == "SRC-004" for note in ran.data["not_looked"])
        assert any("ddrescue" in step["text"] or "ddrescue" in step["command"] for step in ran.data["steps"])

    def test_a_copy_stops_and_leaves_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The structures are whole, a payload sector is not."""
        from hvrescue.lab.guests import write_base

        path = tmp_path / "disk.vhdx"
        write_base(path, "disk", 8 * MIB, (0, 2))
        monkeypatch.setattr("hvrescue.byteio.copying.sys.platform", "other")
        true_read = FileSource._read_some

        def read(self: FileSource, offset: int, buf: memoryview) -> int:
            if self.path == path and offset >= 4 * MIB:
                raise OSError(errno.EIO, "Input/output error")
            return true_read(self, offset, buf)

        monkeypatch.setattr(FileSource, "_read_some", read)
        out, holes = tmp_path / "out.raw", tmp_path / "holes.json"
        assert tidy(hv("disk", "convert", path, out)).code == 3
        assert sorted(p.name for p in tmp_path.iterdir()) == ["disk.vhdx"]
        ran = tidy(hv("disk", "convert", "--json", "--allow-damaged", "--hole-map", holes, path, out))
        assert ran.code == 1
        assert ran.data["complete"] is False and ran.data["unknown"] > 0
        assert "read error" in holes.read_text()
        assert not any(out.read_bytes())
