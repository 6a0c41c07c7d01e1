"""Sector bitmaps against their logged copies: they have no checksum of their own (X20)."""

from __future__ import annotations

import numpy as np

from hvrescue.byteio.arrays import distinct
from hvrescue.core.errors import Unreadable
from hvrescue.core.words import Repair, Severity
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.bat_survey import BatSurvey
from hvrescue.images.vhdx.layout import BITMAP_BLOCK, LOG_SECTOR
from hvrescue.images.vhdx.witness import Witness


def check_bitmaps(book: Book, bat: BatSurvey, witness: Witness) -> None:
    """Blocks whose bits differ from the newest logged copy of their page are doubted."""
    parameters, content = bat.table.parameters, bat.table.content
    bits_per_block = parameters.block_size // parameters.logical_sector
    for chunk, place in bat.bitmaps.items():
        for at, page in witness.within(place, BITMAP_BLOCK):
            try:
                now = np.frombuffer(content.pread(at, LOG_SECTOR), np.uint8)
            except Unreadable as error:
                book.could_not_read(error, "sector bitmap", at, LOG_SECTOR)
                continue
            differs = np.flatnonzero(now != np.frombuffer(page, np.uint8)) + (at - place)
            if differs.size:
                low, high = int(differs[0]), int(differs[-1])
                where = book.where("sector bitmap", place + low, high - low + 1, f"chunk {chunk}")
                book.find("VHDX-LOG-009", Severity.ERROR, where, {"chunk": chunk}, Repair.SAFE)
                bat.doubt.add(chunk * parameters.chunk_ratio + distinct(differs * 8 // bits_per_block))
