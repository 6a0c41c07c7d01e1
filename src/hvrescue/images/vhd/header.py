"""The dynamic disk header: where it is, and whether what it says fits footer and file (V4, V5)."""

from __future__ import annotations

from dataclasses import dataclass

from hvrescue.core.words import Repair, Scalar, Severity
from hvrescue.images.survey import Book
from hvrescue.images.vhd.bat_rest import survey_extent
from hvrescue.images.vhd.footers import Footers, Found, Proof, Reader
from hvrescue.images.vhd.layout import (
    HEADER_COOKIE,
    HEADER_OFFSET,
    HEADER_SIZE,
    HEADER_SUM,
    MAX_DISK_SIZE,
    MAX_ENTRIES,
    NO_ID,
    NOWHERE,
    VERSION,
    Footer,
    Header,
    Kind,
    checksum,
    is_block_size,
    parse_header,
    stored_checksum,
)

STRUCTURE = "dynamic header"
_PARENT_ID, _PARENT_TIME, _PARENT_NAME, _LOCATORS = slice(40, 56), slice(56, 60), slice(64, 576), slice(576, 768)


@dataclass(frozen=True, slots=True)
class FoundHeader:
    """A header and what its checksum says of it."""

    header: Header
    proof: Proof


def judge_header(data: bytes, offset: int) -> FoundHeader | None:
    """1024 bytes as a dynamic header, however damaged; None when neither cookie nor checksum speak for it."""
    stored, cookie = stored_checksum(data, HEADER_SUM), data.startswith(HEADER_COOKIE)
    if cookie:
        proof = Proof.SOUND if checksum(data, HEADER_SUM) == stored else _before_the_parent(data, stored)
    elif checksum(HEADER_COOKIE + data[len(HEADER_COOKIE) :], HEADER_SUM) == stored:
        proof = Proof.WITHOUT_COOKIE
    else:
        return None
    return FoundHeader(parse_header(data, offset), proof)


def _before_the_parent(data: bytes, stored: int) -> Proof:
    """Whether the checksum is that of the header before a parent was entered into it."""
    if not any(data[_PARENT_ID]):
        return Proof.BROKEN
    blank = data
    for field in (_PARENT_ID, _PARENT_TIME, _PARENT_NAME, _LOCATORS):
        blank = blank[: field.start] + bytes(field.stop - field.start) + blank[field.stop :]
        if checksum(blank, HEADER_SUM) == stored:
            return Proof.WITHOUT_ID
    return Proof.BROKEN


def find_header(footers: Footers, read: Reader) -> FoundHeader | None:
    """The best header at the places the footers name, and at the usual one."""
    places = [f.footer.data_offset for f in (footers.end, footers.copy) if f is not None]
    found = []
    for offset in dict.fromkeys((*places, HEADER_OFFSET)):
        data = read(offset, HEADER_SIZE) if HEADER_OFFSET <= offset < footers.file_size else None
        one = judge_header(data, offset) if data is not None else None
        if one is not None:
            found.append(one)
    return min(found, key=lambda f: f.proof, default=None)


def agrees(footer: Footer, sparse: FoundHeader | None, *, anywhere: bool = False) -> bool:
    """Whether footer and header confirm each other: kind, place, size in blocks; and size and geometry agree.

    ``anywhere``: the header need not lie where the footer says.
    """
    if sparse is None or footer.version != VERSION or not 0 < footer.current_size <= MAX_DISK_SIZE:
        return False
    header = sparse.header
    if not is_block_size(header.block_size) or (footer.data_offset != header.offset and not anywhere):
        return False
    # QEMU before 2.9 and its heirs give tables one entry more than the disk has blocks.
    spare = header.entries - header.blocks_of(footer.current_size)
    return footer.geometry_fits and spare in (0, 1) and footer.kind == _kind_of(header)


def _kind_of(header: Header) -> Kind:
    return Kind.DYNAMIC if header.parent_id == NO_ID else Kind.DIFFERENCING


def survey_header(book: Book, found: Found, sparse: FoundHeader | None, data_end: int) -> Header | None:
    """The header; None (and a refusal) when table or blocks cannot be known."""
    footer = found.footer
    if sparse is None:
        at = footer.data_offset if footer.data_offset < data_end else HEADER_OFFSET
        book.refuse("VHD-HDR-001", book.where(STRUCTURE, at, HEADER_SIZE), {"header_offset": at}, Repair.CONSENT)
        return None
    header = sparse.header
    if header.offset != footer.data_offset:
        _elsewhere(book, found, sparse)
    _check_versions(book, header)
    return survey_extent(book, footer, header, data_end) if _has_blocks(book, footer, header) else None


def _elsewhere(book: Book, found: Found, sparse: FoundHeader) -> None:
    """The footer leads to no header, but there is one at the usual place."""
    footer, header = found.footer, sparse.header
    places = (
        book.where("footer copy" if found.offset == 0 else "footer", found.offset + 16, 8, "DataOffset"),
        book.where(STRUCTURE, header.offset, HEADER_SIZE),
    )
    args: dict[str, Scalar] = {"field": "DataOffset", "value": footer.data_offset, "expected": header.offset}
    if sparse.proof == Proof.SOUND and agrees(footer, sparse, anywhere=True):
        book.find("VHD-HDR-003", Severity.FATAL, places, args, Repair.SAFE, count=1)
    else:
        book.refuse("VHD-HDR-003", places, args, Repair.CONSENT)


def _check_versions(book: Book, header: Header) -> None:
    for field, at, size, value, expected in (
        ("DataOffset", 8, 8, header.data_offset, NOWHERE),
        ("Version", 24, 4, header.version, VERSION),
    ):
        if value == expected:
            continue
        where = book.where(STRUCTURE, header.offset + at, size, field)
        args: dict[str, Scalar] = {"field": field, "value": value, "expected": expected}
        if field == "Version" and value >> 16 != VERSION >> 16:
            book.refuse("VHD-HDR-003", where, args)
        else:
            book.find("VHD-HDR-003", Severity.WARNING, where, args)


def _has_blocks(book: Book, footer: Footer, header: Header) -> bool:
    if is_block_size(header.block_size) and header.blocks_of(footer.current_size) <= MAX_ENTRIES:
        return True
    where = book.where(STRUCTURE, header.offset + 32, 4, "BlockSize")
    args: dict[str, Scalar] = {"block_size": header.block_size, "disk_size": footer.guest_size}
    book.refuse("VHD-HDR-005", where, args, Repair.CONSENT)
    return False
