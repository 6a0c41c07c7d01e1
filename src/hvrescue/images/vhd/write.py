"""Writers of VHD files: fixed, dynamic and differencing, as Windows 10 lays them out. Streaming and sparse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from hvrescue.core.limits import MIB
from hvrescue.images.vhd.layout import Kind
from hvrescue.images.vhd.recipe import Parent, Recipe, footer_bytes
from hvrescue.images.vhd.write_sparse import SparseWriter

Pieces = Mapping[int, bytes] | Iterable[tuple[int, bytes]]
"""Whole blocks by number, or (guest offset, bytes) in any order; later ones win."""


def write_fixed(path: Path, recipe: Recipe, data: Pieces) -> None:
    """A new file: the guest's bytes at their addresses, the footer behind them. Zeros become holes."""
    with path.open("xb") as file:
        end = 0
        for offset, piece in _pieces(recipe, data):
            end = max(end, _put(file, offset, piece, end))
        file.seek(recipe.size)
        file.write(footer_bytes(recipe, Kind.FIXED))


def write_dynamic(path: Path, recipe: Recipe, data: Pieces) -> None:
    """A new file: blocks in the order in which they are first written; blocks of zeros are left out."""
    with path.open("x+b") as file:
        SparseWriter(file, recipe, None).write(_pieces(recipe, data))


def write_differencing(path: Path, recipe: Recipe, parent: Parent, data: Pieces) -> None:
    """A new child: sectors given are its own, zeros included; all others stay the parent's. Whole sectors only."""
    with path.open("x+b") as file:
        SparseWriter(file, recipe, parent).write(_pieces(recipe, data))


def _pieces(recipe: Recipe, data: Pieces) -> Iterator[tuple[int, bytes]]:
    if isinstance(data, Mapping):
        for number, block in data.items():
            offset = number * recipe.block_size
            yield offset, block[: recipe.size - offset]
        return
    for offset, piece in data:
        if offset < 0 or offset + len(piece) > recipe.size:
            raise ValueError(f"outside the disk: {offset} + {len(piece)}")
        yield offset, piece


def _put(file: BinaryIO, offset: int, piece: bytes, end: int) -> int:
    """Write, leaving out zeros where nothing was before; the end of what was written."""
    for low in range(0, len(piece), MIB):
        part = piece[low : low + MIB]
        if offset + low < end or part.count(0) != len(part):
            file.seek(offset + low)
            file.write(part)
            end = max(end, offset + low + len(part))
    return end


__all__ = ["Parent", "Pieces", "Recipe", "write_differencing", "write_dynamic", "write_fixed"]
