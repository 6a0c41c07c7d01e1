"""One damaged disk for each finding; the other tests look at what follows, this one at what is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hvrescue.images.survey import Survey
from hvrescue.images.vhd.layout import ABSENT, FOOTER_SUM, HEADER_SUM
from hvrescue.images.vhd.survey import VhdLayout
from hvrescue.images.vhd.write import write_differencing, write_dynamic, write_fixed

from .build import BASE_ID, BLOCK, PARENT, SIZE, Knife, blocks, child_recipe, pattern, recipe

BIG = 512 << 10


def one_of_each(folder: Path) -> Iterator[Survey[VhdLayout]]:
    """Surveys with at least one finding of each code."""
    write_dynamic(folder / "d.vhd", recipe(), blocks(0, 3, 4, 9, 20))
    write_fixed(folder / "f.vhd", recipe(), blocks(0))
    write_differencing(folder / "c.avhd", child_recipe(), PARENT, [(n * BLOCK, pattern(n, 4096)) for n in (1, 2)])
    write_dynamic(folder / "b.vhd", recipe(8 * BIG, BIG), {n: pattern(n, BIG) for n in (1, 2, 3)})
    yield from footers(folder)
    yield from headers(folder / "d.vhd")
    yield from tables(folder / "d.vhd")
    yield Knife(folder / "b.vhd").set_entry(2, ABSENT).survey()
    child = Knife(folder / "c.avhd")
    yield child.put(child.entry(2) * 512, bytes(512)).survey()
    yield child.header(576 + 16, b"\xff").survey()
    yield child.header(64, bytes(512)).header(576, bytes(192)).survey()
    yield parent_entered_later(Knife(folder / "c.avhd")).survey()


def parent_entered_later(child: Knife) -> Knife:
    """The header summed up before it named its parent."""
    header = bytes(child.data[512:1536])
    child.put(512 + 40, bytes(20)).put(512 + 64, bytes(704)).sign(512, 1024, HEADER_SUM)
    return child.put(512 + 40, header[40:60]).put(512 + 64, header[64:768])


def footers(folder: Path) -> Iterator[Survey[VhdLayout]]:
    def dynamic() -> Knife:
        return Knife(folder / "d.vhd")

    def fixed() -> Knife:
        return Knife(folder / "f.vhd")

    end = dynamic().end
    yield dynamic().put(end, bytes(512)).survey()
    yield dynamic().put(0, bytes(512)).survey()
    yield dynamic().put(0, bytes(512)).put(end, bytes(512)).survey()
    yield fixed().put(fixed().end + 60, b"!").survey()
    yield fixed().put(fixed().end + 64, b"!").survey()
    yield dynamic().both(84, b"\1").both(56, b"\0\1\1\1").both(8, bytes(4)).survey()
    behind = fixed()
    behind.data += b"junk"
    yield behind.survey()
    yield fixed().footer(48, (SIZE + 512).to_bytes(8, "big")).survey()
    yield dynamic().both(60, b"\0\0\0\4").survey()
    yield dynamic().both(48, bytes(8)).survey()
    unsigned = dynamic()
    for at in (0, end):
        unsigned.put(at + 68, bytes(16)).sign(at, 512, FOOTER_SUM).put(at + 68, BASE_ID.bytes)
    yield unsigned.survey()
    yield dynamic().footer(48, (SIZE * 4).to_bytes(8, "big")).survey()


def headers(path: Path) -> Iterator[Survey[VhdLayout]]:
    yield Knife(path).put(512, bytes(1024)).survey()
    yield Knife(path).put(512, b"?").survey()
    yield Knife(path).header(24, b"\0\1\0\1").survey()
    yield Knife(path).header(28, b"\0\0\0\1").survey()
    yield Knife(path).header(32, b"\0\0\0\1").survey()
    yield Knife(path).header(28, b"\0\0\1\0").header(32, (BLOCK // 2).to_bytes(4, "big")).survey()
    yield Knife(path).header(16, (Knife(path).table + 512).to_bytes(8, "big")).survey()


def tables(path: Path) -> Iterator[Survey[VhdLayout]]:
    yield Knife(path).set_entry(3, 0x7FFFFFFF).set_entry(5, 0).survey()
    yield Knife(path).set_entry(3, Knife(path).entry(9)).survey()
    yield Knife(path).put(Knife(path).table + 4 * 21, bytes(4)).survey()
    yield Knife(path).header(28, (100).to_bytes(4, "big")).set_entry(30, 9).survey()
    cut = Knife(path)
    del cut.data[cut.end - BLOCK :]
    yield cut.survey()
    yield Knife(path).put(Knife(path).table, b"\xff" * 84).survey()
    yield Knife(path).put(Knife(path).entry(4) * 512, bytes(512)).survey()
