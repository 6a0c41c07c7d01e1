"""The survey of a VHD: every structure in its order, and what can be known in the end."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from hvrescue.byteio.source import ByteSource
from hvrescue.core.context import Context
from hvrescue.core.words import Repair, Severity
from hvrescue.images.identity import Identity, ParentLink
from hvrescue.images.survey import Book, Survey
from hvrescue.images.vhd.bat import Table, read_table
from hvrescue.images.vhd.bat_rest import survey_rest
from hvrescue.images.vhd.bat_survey import BatScan, Ground
from hvrescue.images.vhd.choice import choose_footer, refuse_kind, without_footer
from hvrescue.images.vhd.fields import survey_fields, survey_fixed_size
from hvrescue.images.vhd.footers import Footers, Found, Proof, Reader, find_footers, plain_reader
from hvrescue.images.vhd.header import FoundHeader, find_header, survey_header
from hvrescue.images.vhd.layout import (
    FOOTER_SIZE,
    HEADER_COOKIE,
    HEADER_OFFSET,
    HEADER_SIZE,
    HEADER_SUM,
    KIND_NAMES,
    NO_ID,
    SECTOR,
    VERSION,
    Footer,
    Header,
    Kind,
)
from hvrescue.images.vhd.locators import names_a_parent, survey_locators
from hvrescue.images.vhd.space import Span

FORMAT = "vhd"


@dataclass(slots=True)
class VhdLayout:
    """What was found of a VHD; a part is None where it could not be had."""

    footers: Footers | None = None
    footer: Footer | None = None
    """The footer believed."""
    header: Header | None = None
    table: Table | None = None
    parent: ParentLink | None = None
    data_size: int = 0
    """Fixed disks: bytes before the footer."""

    @property
    def doubtful(self) -> bool:
        """Whether some guest bytes will be refused as UNKNOWN."""
        if self.table is not None:
            return self.table.doubt.mask is not None
        return self.footer is not None and self.data_size < self.footer.guest_size


def sniff(source: ByteSource) -> bool:
    """By a footer at either end (in files named so also shortly before the end), or the dynamic header's cookie."""
    read = plain_reader(source)
    found = find_footers(source, read)
    if found.end is not None or found.copy is not None:
        return True
    return read(HEADER_OFFSET, len(HEADER_COOKIE)) == HEADER_COOKIE


def link_of(source: ByteSource) -> UUID | None:
    """UniqueId of the best footer."""
    best = find_footers(source, plain_reader(source)).best
    return best.footer.unique_id if best else None


def survey_without_footer(source: ByteSource, ctx: Context) -> Survey[VhdLayout]:
    """A file named like a VHD that holds a raw disk and no footer: where the guest's bytes end is not known."""
    del ctx
    book = Book(source)
    find_footers(source, _reader(book))  # notes what the medium does not give
    without_footer(book)
    return book.close(FORMAT, VhdLayout())


def survey(source: ByteSource, ctx: Context) -> Survey[VhdLayout]:
    """Never raises on content."""
    del ctx  # a table of at most 32 MiB is done before workers could help
    book, layout = Book(source), VhdLayout()
    _survey(book, layout)
    return book.close(FORMAT, layout, _identity(layout), layout.parent, doubtful=layout.doubtful)


def _survey(book: Book, layout: VhdLayout) -> None:
    read = _reader(book)
    footers = layout.footers = find_footers(book.source, read)
    sparse = find_header(footers, read)
    found = choose_footer(book, footers, sparse)
    if found is None:
        return
    if found.footer.kind not in KIND_NAMES:
        refuse_kind(book, found, sparse)
        return
    if not survey_fields(book, found):
        return
    layout.footer = found.footer
    if found.footer.kind == Kind.FIXED:
        if sparse is not None and sparse.proof != Proof.BROKEN:
            refuse_kind(book, found, sparse)
        layout.data_size = min(found.offset, found.footer.guest_size)
        survey_fixed_size(book, found)
    else:
        _survey_sparse(book, layout, found, sparse, footers)


def _survey_sparse(book: Book, layout: VhdLayout, found: Found, sparse: FoundHeader | None, footers: Footers) -> None:
    header = survey_header(book, found, sparse, footers.data_end)
    if sparse is None:
        return
    confirmed = header is not None and _survey_blocks(book, layout, found, sparse, header, footers)
    if sparse.proof == Proof.WITHOUT_ID:
        where = book.where("dynamic header", sparse.header.offset + HEADER_SUM, 4, "Checksum")
        book.find("VHD-HDR-008", Severity.INFO, where, repair=Repair.SAFE)
    elif sparse.proof != Proof.SOUND:
        where = book.where("dynamic header", sparse.header.offset, HEADER_SIZE)
        if confirmed or sparse.proof == Proof.WITHOUT_COOKIE:
            book.find("VHD-HDR-002", Severity.FATAL, where, repair=Repair.SAFE)
        else:
            book.refuse("VHD-HDR-002", where, repair=Repair.CONSENT)


def _survey_blocks(
    book: Book, layout: VhdLayout, found: Found, sparse: FoundHeader, header: Header, footers: Footers
) -> bool:
    """Whether not one block speaks against the header, and enough of them for it."""
    footer = found.footer
    layout.header = header
    child = header.parent_id != NO_ID
    if child != (footer.kind == Kind.DIFFERENCING) or (not child and names_a_parent(header)):
        # Read as a dynamic disk, a child gives zeros for everything that is its parent's.
        refuse_kind(book, found, sparse)
        return False
    table = read_table(book, header, header.blocks_of(footer.guest_size), footer.guest_size)
    table = layout.table = survey_rest(book, footer, table, footers.data_end)
    spans = _spans(table.header, footers)
    if child:
        locators = survey_locators(book, header)
        layout.parent = locators.link
        spans += [Span("parent locator", low, high) for low, high in locators.rooms]
    truncated = footers.end is None or footers.end.end != footers.file_size
    scan = BatScan(book, table, Ground(spans, footers.data_end, truncated, Kind(footer.kind)))
    scan.run()
    exact = sparse.header.entries == table.blocks and sparse.header.version == VERSION
    return exact and scan.confirms_header()


def _spans(header: Header, footers: Footers) -> list[Span]:
    spans = [
        Span("footer copy", 0, FOOTER_SIZE),
        Span("dynamic header", header.offset, header.end),
        Span("BAT", header.table_offset, header.table_end),
    ]
    if footers.end is not None and footers.end.end != footers.file_size:
        spans.append(Span("footer", footers.end.offset, footers.end.end))
    return spans


def _reader(book: Book) -> Reader:
    noted: dict[tuple[int, int], bytes | None] = {}

    def read(offset: int, size: int) -> bytes | None:
        if (offset, size) not in noted:
            window = book.read(book.source, _name(offset), offset, size)
            noted[offset, size] = window.data if window else None
        return noted[offset, size]

    return read


def _name(offset: int) -> str:
    return "footer copy" if offset == 0 else "dynamic header" if offset == HEADER_OFFSET else "footer"


def _identity(layout: VhdLayout) -> Identity | None:
    footer, header = layout.footer, layout.header
    if footer is None or (header is None and footer.kind != Kind.FIXED):
        return None
    major, minor = footer.creator_version >> 16, footer.creator_version & 0xFFFF
    creator = footer.creator.decode("ascii", "replace").rstrip("\0 ")
    return Identity(
        FORMAT,
        footer.unique_id,
        footer.guest_size,
        SECTOR,
        KIND_NAMES[Kind(footer.kind)],
        None,
        f"{creator} {major}.{minor}",
        header.block_size if header else 0,
        footer.timestamp,
    )
