"""File identifier and headers: which one is current, and what is wrong with the others (X1, X3-X6, X28)."""

from __future__ import annotations

from hvrescue.core.limits import MIB
from hvrescue.core.words import Repair, Severity
from hvrescue.images.survey import Book
from hvrescue.images.vhdx.layout import (
    FILE_SIGNATURE,
    HEADER,
    HEADER_OFFSETS,
    HEADER_SIZE,
    INCOMPLETE,
    NO_GUID,
    Header,
    checksum_holds,
    guid,
)

_CREATOR_SIZE = 512


def survey_identifier(book: Book) -> str:
    """The creator named in the file identifier; a lost signature is written down (X1)."""
    window = book.read(book.source, "file identifier", 0, len(FILE_SIGNATURE) + _CREATOR_SIZE)
    if window is None:
        return ""
    if not window.data.startswith(FILE_SIGNATURE):
        where = book.where("file identifier", 0, len(FILE_SIGNATURE), "Signature")
        book.find("VHDX-ID-001", Severity.FATAL, where, repair=Repair.SAFE)
    text = window.data[len(FILE_SIGNATURE) :].decode("utf-16-le", "replace")
    creator = text.partition("\0")[0]
    if creator == INCOMPLETE:
        where = book.where("file identifier", len(FILE_SIGNATURE), 2 * len(INCOMPLETE), "Creator")
        book.find("VHDX-FILE-006", Severity.WARNING, where)
    return creator


def survey_headers(book: Book) -> Header | None:
    """The current header (MS-VHDX 2.2.2): valid, and of the higher sequence number."""
    windows = [
        book.read(book.source, f"header {slot + 1}", offset, HEADER_SIZE)
        for slot, offset in enumerate(HEADER_OFFSETS)
    ]
    headers = [parse_header(slot, w.data) if w else None for slot, w in enumerate(windows)]
    places = [book.where(f"header {n + 1}", offset, HEADER_SIZE) for n, offset in enumerate(HEADER_OFFSETS)]
    valid = [h for h in headers if h is not None]
    if not valid:
        book.refuse("VHDX-HDR-001", places, repair=Repair.CONSENT)
        return None
    if len(valid) == 1:
        bad = places[1 - valid[0].slot]
        book.find("VHDX-HDR-002", Severity.WARNING, bad, {"slot": 2 - valid[0].slot}, Repair.SAFE)
        current = valid[0]
    else:
        current = _current(book, valid[0], valid[1])
    _check(book, current)
    return current


def parse_header(slot: int, data: bytes) -> Header | None:
    """A header whose signature and checksum hold, else None."""
    if data[:4] != b"head" or not checksum_holds(data):
        return None
    _, _, sequence, file_write, data_write, log, log_version, version, length, offset = HEADER.unpack_from(data)
    return Header(
        slot, HEADER_OFFSETS[slot], sequence, guid(file_write), guid(data_write), guid(log),
        log_version, version, length, offset, data,
    )  # fmt: skip


def _current(book: Book, one: Header, two: Header) -> Header:
    if one.sequence != two.sequence:
        return one if one.sequence > two.sequence else two
    if one.raw != two.raw:
        # Equal numbers with different contents: nobody can say which one was written last. Disk2vhd's
        # identical twins are fine. What the log needs must agree, or nothing below is certain.
        places = [book.where(f"header {h.slot + 1}", h.offset, HEADER_SIZE, "SequenceNumber") for h in (one, two)]
        args = {"sequence": one.sequence}
        if (one.log, one.log_inside) != (two.log, two.log_inside):
            book.refuse("VHDX-HDR-003", places, args, Repair.CONSENT, Severity.ERROR)
        else:
            book.find("VHDX-HDR-003", Severity.ERROR, places, args, Repair.CONSENT)
    return one


def _check(book: Book, header: Header) -> None:
    structure = f"header {header.slot + 1}"
    if header.version != 1:
        where = book.where(structure, header.offset + 66, 2, "Version")
        book.refuse("VHDX-HDR-004", where, {"version": header.version})
    if header.log != NO_GUID and header.log_version != 0:
        where = book.where(structure, header.offset + 64, 2, "LogVersion")
        book.refuse("VHDX-LOG-008", where, {"version": header.log_version})
    if not _log_area_is_sane(book, header):
        where = book.where(structure, header.offset + 68, 12, "LogLength, LogOffset")
        args = {"log_offset": header.log_offset, "log_length": header.log_length}
        if header.log != NO_GUID:
            book.refuse("VHDX-HDR-005", where, args, Repair.CONSENT)
        else:
            book.find("VHDX-HDR-005", Severity.FATAL, where, args, Repair.CONSENT)
    for value, field, at in (
        (header.file_write, "FileWriteGuid", 16),
        (header.data_write, "DataWriteGuid", 32),
    ):
        if value == NO_GUID:
            where = book.where(structure, header.offset + at, 16, field)
            book.find("VHDX-HDR-007", Severity.WARNING, where, {"field": field}, Repair.CONSENT)


def _log_area_is_sane(book: Book, header: Header) -> bool:
    if header.log_length == 0:
        return header.log == NO_GUID
    aligned = header.log_offset % MIB == 0 and header.log_length % MIB == 0
    return aligned and MIB <= header.log_offset <= book.source.size - header.log_length
