"""Blocks that reach into each other or into structures, and blocks that stand too close or too far (X14, X18)."""

from __future__ import annotations

import numpy as np

from hvrescue.byteio.arrays import I64, distinct
from hvrescue.core.limits import MIB
from hvrescue.core.words import MAX_SAMPLES, Repair, Scalar, Severity, Where
from hvrescue.images.vhdx.bat_scan import BatScan
from hvrescue.images.vhdx.layout import BITMAP_PRESENT
from hvrescue.images.vhdx.space import Room, Span

_ENOUGH = 3
"""Blocks that each have a whole free block behind them before that is taken for a halved block size."""


def find_overlaps(scan: BatScan, block_size_place: Where) -> Room:
    """Write down every contradiction in the room claimed, and doubt every block that takes part in one.

    Of two blocks in one place nobody can say which is right.
    """
    bitmaps = np.array(sorted(at // MIB for at in scan.bitmaps.values()), np.int64)
    room = scan.space.walk(bitmaps)
    _in_structures(scan, bitmaps)
    shared = [scan.space.anchored()]
    if room.blocks != scan.claims:
        shared.append(_named_twice(scan))
    if _spacing_fits(scan, room, block_size_place):
        shared.append(room.crowded)
    _conflict(scan, "VHDX-BAT-005", distinct(np.concatenate(shared)), {}, None)
    return room


def _in_structures(scan: BatScan, bitmaps: I64) -> None:
    hit, first = [], None
    for span in scan.space.spans:
        starts = scan.space.touching(span)
        hit.append(starts)
        first = span if starts.size and first is None else first
    under = [scan.space.touching(Span("sector bitmap", at, at + 1)) for at in bitmaps.tolist()]
    if first is None and any(starts.size for starts in under):
        first = Span("sector bitmap", 0, 0)
    if first is not None:
        starts = distinct(np.concatenate((*hit, *under)))
        _conflict(scan, "VHDX-BAT-013", starts, {"structure": first.name}, first.entry)
    twice = bitmaps[1:][np.diff(bitmaps) == 0]
    overlaid = bitmaps[np.array([starts.size > 0 for starts in under], np.bool_)]
    _drop_bitmaps(scan, set(twice.tolist()) | set(overlaid.tolist()))


def _drop_bitmaps(scan: BatScan, bad: set[int]) -> None:
    """Bitmaps that share their room with anything else say nothing; their chunks' partial blocks are UNKNOWN."""
    for chunk, at in list(scan.bitmaps.items()):
        if at // MIB in bad or not scan.space.is_free(at // MIB, 1):
            args: dict[str, Scalar] = {"chunk": chunk, "state": BITMAP_PRESENT, "file_offset": at}
            scan.book.find("VHDX-BAT-010", Severity.ERROR, scan.bitmap_place(chunk), args, Repair.CONSENT)
            del scan.bitmaps[chunk]


def _named_twice(scan: BatScan) -> I64:
    """Starts (MiB) that more than one entry names."""
    seen = np.zeros(scan.space.starts.size, np.bool_)
    twice = np.zeros(scan.space.starts.size, np.bool_)
    for _, starts in scan.good_pages():
        ordered = np.sort(starts)
        twice[ordered[1:][np.diff(ordered) == 0]] = True
        twice[starts[seen[starts]]] = True
        seen[starts] = True
    return np.flatnonzero(twice)


def _spacing_fits(scan: BatScan, room: Room, block_size_place: Where) -> bool:
    """Blocks stand at least a block's size apart, and not all of them twice as far (X14)."""
    halved = room.roomy and room.blocks >= _ENOUGH
    doubled = room.blocks >= 2 and 2 * room.crowded.size > room.blocks
    if halved or doubled:
        args: dict[str, Scalar] = {"block_size": scan.parameters.block_size}
        scan.book.refuse("VHDX-META-006", block_size_place, args, Repair.CONSENT, Severity.ERROR)
    return not (halved or doubled)


def _conflict(scan: BatScan, code: str, starts: I64, args: dict[str, Scalar], other: Where | None) -> None:
    """Doubt every block that starts at one of these MiB."""
    if not starts.size:
        return
    for blocks, at in scan.good_pages():
        hit = np.isin(at, starts)
        if hit.any():
            places = [scan.entry_place(b) for b in blocks[hit][:MAX_SAMPLES].tolist()]
            places = [other, *places][:MAX_SAMPLES] if other else places
            scan.book.find(
                code,
                Severity.ERROR,
                places,
                {"file_offset": int(at[hit][0]) * MIB, **args},
                count=int(hit.sum()),
            )
            scan.doubt.add(blocks[hit])
