"""Small disks for these tests, and hands to damage them with."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from uuid import UUID

from hvrescue.byteio.file import open_file
from hvrescue.byteio.source import ByteSource
from hvrescue.core.context import QUIET
from hvrescue.core.words import Finding
from hvrescue.images.disk import VirtualDisk
from hvrescue.images.survey import Survey
from hvrescue.images.vhd import survey as vhd
from hvrescue.images.vhd.disk import layer_of
from hvrescue.images.vhd.layout import FOOTER_SUM, HEADER_SUM, checksum
from hvrescue.images.vhd.survey import VhdLayout
from hvrescue.images.vhd.write import Parent, Recipe

BASE_ID = UUID("11111111-2222-4333-8444-555555555555")
CHILD_ID = UUID("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
BLOCK = 64 << 10
SIZE = 20 * BLOCK + 3 * 512
"""The last block is short."""


def recipe(size: int = SIZE, block_size: int = BLOCK, unique_id: UUID = BASE_ID) -> Recipe:
    return Recipe(size, unique_id, block_size)


def child_recipe(size: int = SIZE, block_size: int = BLOCK) -> Recipe:
    return Recipe(size, CHILD_ID, block_size)


PARENT = Parent(BASE_ID, r"C:\VMs\base.vhd", r"C:\VMs\base.vhd", r".\base.vhd")


def pattern(seed: int, size: int) -> bytes:
    """Bytes that are no zeros and nowhere the same."""
    return b"".join((seed * 1_000_003 + n).to_bytes(8, "big") + b"VHD!" * 2 for n in range(1, size // 16 + 2))[:size]


def blocks(*numbers: int, size: int = SIZE, block_size: int = BLOCK) -> dict[int, bytes]:
    return {n: pattern(n, min(block_size, size - n * block_size)) for n in numbers}


def guest(pieces: Iterable[tuple[int, bytes]], size: int = SIZE, below: bytes = b"") -> bytes:
    """What the guest must see."""
    image = bytearray(below.ljust(size, b"\0")[:size])
    for offset, data in pieces:
        image[offset : offset + len(data)] = data
    return bytes(image)


def guest_of(data: dict[int, bytes], size: int = SIZE, block_size: int = BLOCK) -> bytes:
    return guest([(n * block_size, block) for n, block in data.items()], size)


def survey(path: Path) -> Survey[VhdLayout]:
    return vhd.survey(open_file(path), QUIET)


def disk(*links: Survey[VhdLayout]) -> VirtualDisk:
    """Leaf first; a refused survey has no disk."""
    assert [s.refusal for s in links] == [None] * len(links)
    identity = links[0].identity
    assert identity is not None
    return VirtualDisk([layer_of(s) for s in links], identity)


def read(*links: Survey[VhdLayout]) -> bytes:
    whole = disk(*links)
    return whole.pread(0, whole.size)


def codes(found: Survey[VhdLayout]) -> set[str]:
    return {f.code for f in found.findings}


def finding(found: Survey[VhdLayout], code: str) -> Finding:
    return next(f for f in found.findings if f.code == code)


class Knife:
    """Changes bytes of a file; ``sign`` makes its checksums right again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = bytearray(path.read_bytes())

    @property
    def end(self) -> int:
        """Where the footer at the end begins."""
        return len(self.data) - 512

    def put(self, offset: int, new: bytes) -> Knife:
        self.data[offset : offset + len(new)] = new
        return self

    def both(self, field: int, new: bytes) -> Knife:
        """A field of both footers, signed."""
        for at in (0, self.end):
            self.put(at + field, new)
            self.sign(at, 512, FOOTER_SUM)
        return self

    def header(self, field: int, new: bytes) -> Knife:
        """A field of the dynamic header, signed."""
        return self.put(512 + field, new).sign(512, 1024, HEADER_SUM)

    def footer(self, field: int, new: bytes) -> Knife:
        """A field of the last footer, signed."""
        return self.put(self.end + field, new).sign(self.end, 512, FOOTER_SUM)

    def sign(self, at: int, size: int, field: int) -> Knife:
        data = bytes(self.data[at : at + size])
        return self.put(at + field, checksum(data, field).to_bytes(4, "big"))

    @property
    def table(self) -> int:
        return int.from_bytes(self.data[512 + 16 : 512 + 24], "big")

    def entry(self, block: int) -> int:
        at = self.table + 4 * block
        return int.from_bytes(self.data[at : at + 4], "big")

    def set_entry(self, block: int, value: int) -> Knife:
        return self.put(self.table + 4 * block, value.to_bytes(4, "big"))

    def survey(self, name: str = "") -> Survey[VhdLayout]:
        path = self.path.with_name(name or f"damaged-{self.path.name}")
        path.unlink(missing_ok=True)
        path.write_bytes(self.data)
        return survey(path)


class Broken:
    """A source whose medium does not give some ranges."""

    def __init__(self, base: ByteSource, *bad: tuple[int, int]) -> None:
        self._base, self._bad = base, bad
        self.name, self.size = base.name, base.size

    def pread(self, offset: int, size: int) -> bytes:
        buffer = bytearray(size)
        self.preadinto(offset, memoryview(buffer))
        return bytes(buffer)

    def preadinto(self, offset: int, buf: memoryview) -> None:
        from hvrescue.byteio.source import past_end

        if any(offset < high and low < offset + len(buf) for low, high in self._bad):
            raise past_end(self, offset, len(buf))
        self._base.preadinto(offset, buf)

    def holes(self, offset: int, size: int):  # type: ignore[no-untyped-def]
        return self._base.holes(offset, size)

    def fileno(self) -> int | None:
        return None
