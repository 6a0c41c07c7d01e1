"""What the BAT says, and where it contradicts itself or the file (X14-X21).

Every payload entry ends as one of three: right as far as can be known, doubted (its block reads as UNKNOWN),
or the reason why the whole table cannot be trusted (a refusal).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hvrescue.byteio.arrays import I64
from hvrescue.core.context import Context
from hvrescue.core.words import Where
from hvrescue.images.doubt import Doubt
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.bat import BatTable
from hvrescue.images.vhdx.bat_overlaps import find_overlaps
from hvrescue.images.vhdx.bat_scan import BatScan
from hvrescue.images.vhdx.space import Room, Span


@dataclass
class BatSurvey:
    """The table, what is doubted, and what was counted. ``bitmaps``: file offset of each chunk's good bitmap."""

    table: BatTable
    doubt: Doubt
    counts: I64 = field(default_factory=lambda: np.zeros(8, np.int64))
    room: Room | None = None
    bitmaps: dict[int, int] = field(default_factory=dict)


def survey_bat(
    book: Book, table: BatTable, spans: Sequence[Span], doubted: I64, block_size_place: Where, ctx: Context
) -> BatSurvey:
    """Scan the table; ``doubted`` blocks were already found to be wrong, ``spans`` are the structures' room.

    ``block_size_place``: where the file states the block size, for the finding that it does not fit.
    """
    scan = BatScan(book, table, spans)
    scan.doubt.add(doubted)
    scan.run(ctx)
    room = find_overlaps(scan, block_size_place)
    return BatSurvey(table, scan.doubt, scan.counts, room, scan.bitmaps)
