"""The survey of a VHDX: every structure in its order, and what can be known in the end."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from hvrescue.byteio.source import ByteSource
from hvrescue.byteio.window import read_window
from hvrescue.core.context import Context
from hvrescue.core.errors import Unreadable
from hvrescue.core.limits import MIB
from hvrescue.core.words import Repair, Severity
from hvrescue.images.identity import Identity, ParentLink
from hvrescue.images.survey import Book, Survey
from hvrescue.images.vhdx.bat import ENTRY, BatTable
from hvrescue.images.vhdx.bat_survey import BatSurvey, survey_bat
from hvrescue.images.vhdx.bitmaps import check_bitmaps
from hvrescue.images.vhdx.headers import survey_headers, survey_identifier
from hvrescue.images.vhdx.layout import (
    FILE_PARAMETERS,
    HEADER_OFFSETS,
    HEADER_SIZE,
    REGION_ENTRY,
    REGION_TABLE_OFFSETS,
    Header,
    Parameters,
)
from hvrescue.images.vhdx.locator import survey_locator
from hvrescue.images.vhdx.log import LogState, survey_log
from hvrescue.images.vhdx.lost_blocks import survey_lost_blocks, survey_past_end
from hvrescue.images.vhdx.metadata import Metadata, survey_metadata
from hvrescue.images.vhdx.regions import Regions, survey_regions
from hvrescue.images.vhdx.space import Span
from hvrescue.images.vhdx.witness import Witness, check_bat, check_metadata, find_witness

FORMAT = "vhdx"


@dataclass(slots=True)
class VhdxLayout:
    """What was found of a VHDX; a part is None where it could not be had."""

    creator: str = ""
    header: Header | None = None
    log: LogState | None = None
    regions: Regions | None = None
    metadata: Metadata | None = None
    bat: BatSurvey | None = None
    parent: ParentLink | None = None

    @property
    def parameters(self) -> Parameters | None:
        """What the metadata says of the disk."""
        return self.metadata.parameters if self.metadata else None


def sniff(source: ByteSource) -> bool:
    """By any of the signatures a VHDX begins with, since each may be lost; the last resort lies at 1 to 3 MiB."""
    places = [
        (0, b"vhdxfile"),
        *((at, b"head") for at in HEADER_OFFSETS),
        *((at, b"regi") for at in REGION_TABLE_OFFSETS),
    ]
    places += [(MIB, b"loge"), (2 * MIB, b"metadata"), (3 * MIB, b"metadata")]
    windows = ((read_window(source, "", at, len(mark)), mark) for at, mark in places)
    return any(window is not None and window.data == mark for window, mark in windows)


def link_of(source: ByteSource) -> UUID | None:
    """DataWriteGuid of the current header."""
    book = Book(source)
    header = survey_headers(book) if sniff(source) else None
    return header.data_write if header else None


def survey(source: ByteSource, ctx: Context) -> Survey[VhdxLayout]:
    """Never raises on content."""
    book, layout = Book(source), VhdxLayout()
    try:
        _survey(book, layout, ctx)
    except Unreadable as error:
        book.could_not_read(error, "file", error.ranges[0][0], error.ranges[0][1])
        book.refuse("VHDX-FILE-004", error.finding.where[0])
    doubtful = layout.bat is not None and layout.bat.doubt.mask is not None
    return book.close(FORMAT, layout, _identity(layout), layout.parent, doubtful=doubtful)


def _survey(book: Book, layout: VhdxLayout, ctx: Context) -> None:
    layout.creator = survey_identifier(book)
    layout.header = survey_headers(book)
    if layout.header is None:
        _note_short_file(book)
        return
    layout.log = survey_log(book, layout.header, ctx)
    content = layout.log.content
    layout.regions = survey_regions(book, content, layout.header)
    if book.source.size % MIB:
        book.find("VHDX-FILE-002", Severity.INFO, book.where("file", book.source.size), {"size": book.source.size})
    if layout.regions is None:
        return
    layout.metadata = survey_metadata(book, content, layout.regions.metadata)
    if layout.metadata is None:
        return
    layout.parent = survey_locator(book, content, layout.metadata)
    if layout.parameters is not None and layout.regions.bat.end <= content.size:
        layout.bat = _survey_bat(book, layout, layout.parameters, ctx)


def _survey_bat(book: Book, layout: VhdxLayout, parameters: Parameters, ctx: Context) -> BatSurvey | None:
    header, log, regions, metadata = layout.header, layout.log, layout.regions, layout.metadata
    if header is None or log is None or regions is None or metadata is None:
        return None
    content, region = log.content, regions.bat
    if parameters.entries * ENTRY > region.length:
        where = book.where("BAT", region.offset, region.length)
        args = {"needed": parameters.entries * ENTRY, "length": region.length}
        book.refuse("VHDX-BAT-001", where, args, Repair.CONSENT)
        return None
    if content.size > ctx.limits.file_size:
        book.not_looked("BAT", "VHDX-FILE-005", {"size": content.size})
        book.refuse("VHDX-FILE-005", book.where("file", 0, content.size), {"size": content.size})
        return None
    table = BatTable(content, region.offset, parameters)
    doubted, witness = np.empty(0, np.int64), Witness()
    if not log.pending:
        witness = find_witness(log.scan)
        check_metadata(book, content, metadata, witness, header)
        doubted = check_bat(book, table, witness, header)
    place = book.where("metadata item", metadata.place(metadata.items[FILE_PARAMETERS]), 8, "File Parameters")
    bat = survey_bat(book, table, _spans(book, header, regions), doubted, place, ctx)
    check_bitmaps(book, bat, witness)
    survey_past_end(book, table, region, witness)
    survey_lost_blocks(book, bat)
    return bat


def _spans(book: Book, header: Header, regions: Regions) -> list[Span]:
    spans = [Span("header", 0, 1)]
    low, high = header.log_inside
    misplaced = any(region.offset < high and low < region.end for region in regions.all)
    if header.log_length and not misplaced and high <= book.source.size:
        place = book.where(f"header {header.slot + 1}", header.offset + 68, 12, "LogLength, LogOffset")
        spans.append(Span("log", low // MIB, -(-high // MIB), place))
    for region in regions.all:
        place = book.where("region table", region.entry_offset, REGION_ENTRY.size, region.name)
        spans.append(Span(region.name, region.offset // MIB, -(-region.end // MIB), place))
    return spans


def _note_short_file(book: Book) -> None:
    if book.source.size < HEADER_OFFSETS[1] + HEADER_SIZE:
        end = book.where("file", 0, MIB)
        book.find("VHDX-FILE-001", Severity.FATAL, end, {"region": "header", "file_size": book.source.size})


def _identity(layout: VhdxLayout) -> Identity | None:
    parameters, header = layout.parameters, layout.header
    if parameters is None or header is None:
        return None
    kind = "differencing" if parameters.has_parent else "fixed" if parameters.leave_allocated else "dynamic"
    return Identity(
        FORMAT,
        header.data_write,
        parameters.size,
        parameters.logical_sector,
        kind,
        parameters.disk_id,
        layout.creator,
        parameters.block_size,
    )
