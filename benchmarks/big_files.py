"""The files the speed of which is measured; made in a process of its own (see ``runs``).

    python -m benchmarks.big_files KIND PATH

The tables are filled through numpy: block by block, 64 million of them would take half an hour.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np

from hvrescue.core.limits import GIB, KIB, MIB
from hvrescue.images.vhd.write import Recipe, write_dynamic
from hvrescue.images.vhdx.layout import Block
from hvrescue.images.vhdx.write import LogKind, VhdxSpec, VhdxWriter

TIB = 1024 * GIB
_BAT = 3 * MIB
"""Where our writer puts it."""
_SEED = 20
_DATA, _DISK = 2 * GIB, 3 * GIB


def table(path: Path, size: int, block_size: int) -> None:
    """A dynamic VHDX whose every block is present, in no order; the payload is one hole."""
    spec = VhdxSpec(size, block_size, log=LogKind.EMPTY)
    with VhdxWriter(path, spec):
        pass
    parameters = spec.parameters
    first = path.stat().st_size
    with path.open("r+b") as file:
        bat = np.memmap(file, "<u8", "r+", _BAT, (parameters.entries,))
        places = np.random.default_rng(_SEED).permutation(parameters.blocks)
        for low in range(0, parameters.blocks, parameters.chunk_ratio):
            part = places[low : low + parameters.chunk_ratio]
            index = parameters.entry_of_block(low)
            bat[index : index + part.size] = part.astype(np.uint64) * np.uint64(block_size) + np.uint64(
                first + Block.FULLY_PRESENT
            )
        bat.flush()
        file.truncate(first + parameters.blocks * block_size)


def _data(block_size: int) -> Iterator[tuple[int, bytes]]:
    """Two of the disk's three GiB, random, block after block in no order, as a guest fills a disk."""
    random = np.random.Generator(np.random.SFC64(_SEED))
    for block in random.permutation(_DISK // block_size)[: _DATA // block_size]:
        yield int(block) * block_size, random.bytes(block_size)


def vhdx(path: Path, block_size: int) -> None:
    """A dynamic VHDX that holds data."""
    with VhdxWriter(path, VhdxSpec(_DISK, block_size)) as writer:
        for offset, data in _data(block_size):
            writer.write(offset, data)


def vhd(path: Path, block_size: int) -> None:
    """A dynamic VHD that holds data."""
    write_dynamic(path, Recipe(_DISK, UUID(int=1), block_size), _data(block_size))


KINDS = {
    "table-8t": lambda path: table(path, 8 * TIB, 4 * MIB),
    "table-64t": lambda path: table(path, 64 * TIB, MIB),
    "vhdx": lambda path: vhdx(path, 32 * MIB),
    "vhdx-2m": lambda path: vhdx(path, 2 * MIB),
    "vhd": lambda path: vhd(path, 2 * MIB),
    "vhd-512k": lambda path: vhd(path, 512 * KIB),
}


if __name__ == "__main__":
    KINDS[sys.argv[1]](Path(sys.argv[2]))
