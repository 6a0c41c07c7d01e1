"""What the fields of a believed footer say: version, size, geometry, saved state, reserved bytes (V9, V10, V12)."""

from __future__ import annotations

from hvrescue.core.words import Repair, Scalar, Severity
from hvrescue.images.survey import Book
from hvrescue.images.vhd.choice import place
from hvrescue.images.vhd.footers import Found
from hvrescue.images.vhd.layout import (
    CHS_CREATORS,
    FEATURE_RESERVED,
    FOOTER,
    KNOWN_FEATURES,
    LARGEST,
    MAX_DISK_SIZE,
    NOWHERE,
    SECTOR,
    VERSION,
    Kind,
)


def survey_fields(book: Book, found: Found) -> bool:
    """Whether the disk has a size and a version that can be read."""
    known = _version(book, found) and _size(book, found)
    _oddities(book, found)
    return known


def _version(book: Book, found: Found) -> bool:
    version = found.footer.version
    if version == VERSION:
        return True
    where = place(book, found, "Version", 12, 4)
    args: dict[str, Scalar] = {"field": "Version", "value": version}
    if version >> 16 != VERSION >> 16:
        book.refuse("VHD-FTR-008", where, args)
        return False
    book.find("VHD-FTR-008", Severity.WARNING, where, args)
    return True


def _size(book: Book, found: Found) -> bool:
    footer, where = found.footer, place(book, found, "CurrentSize", 48, 8)
    args: dict[str, Scalar] = {"disk_size": footer.current_size}
    lies_open = footer.kind == Kind.FIXED and footer.current_size == found.offset
    if footer.guest_size == 0 or (footer.current_size > MAX_DISK_SIZE and not lies_open):
        book.refuse("VHD-FTR-012", where, args, Repair.CONSENT)
        return False
    if footer.current_size > MAX_DISK_SIZE:
        book.find("VHD-FTR-012", Severity.FATAL, where, args)
    elif footer.current_size % SECTOR:
        book.find("VHD-FTR-012", Severity.WARNING, where, args)
    return True


def _oddities(book: Book, found: Found) -> None:
    footer = found.footer
    if footer.saved_state:
        where = place(book, found, "SavedState", 84, 1)
        book.find("VHD-FTR-006", Severity.WARNING, where, {"value": footer.saved_state}, Repair.CONSENT)
    # Disks above 127 GiB carry the largest geometry whatever their size; XenServer and Azure write it always.
    if not footer.geometry_fits and footer.chs != LARGEST:
        where = place(book, found, "DiskGeometry", 56, 4)
        args: dict[str, Scalar] = {
            "geometry": str(footer.chs), "geometry_size": footer.chs.size, "disk_size": footer.current_size,
        }  # fmt: skip
        # For these creators the geometry is the size: a wrong one cuts the disk short.
        severity = Severity.WARNING if footer.creator in CHS_CREATORS else Severity.INFO
        book.find("VHD-FTR-007", severity, where, args)
    if not footer.features & FEATURE_RESERVED or footer.features & ~KNOWN_FEATURES:
        where = place(book, found, "Features", 8, 4)
        book.find("VHD-FTR-008", Severity.INFO, where, {"field": "Features", "value": footer.features}, Repair.SAFE)
    if any(footer.reserved):
        where = place(book, found, "Reserved", FOOTER.size)
        book.find("VHD-FTR-008", Severity.INFO, where, {"field": "Reserved", "value": 0}, Repair.SAFE)
    if footer.kind == Kind.FIXED and footer.data_offset not in (NOWHERE, 0, NOWHERE >> 32):
        where = place(book, found, "DataOffset", 16, 8)
        args = {"field": "DataOffset", "value": footer.data_offset}
        book.find("VHD-FTR-008", Severity.WARNING, where, args, Repair.SAFE)


def survey_fixed_size(book: Book, found: Found) -> None:
    """CurrentSize and the file must agree (V13): else bytes are missing, or there are some too many."""
    footer, data = found.footer, found.offset
    if data in (footer.current_size, footer.guest_size):
        return
    low = min(data, footer.current_size)
    where = book.where("guest data", low, abs(data - footer.current_size))
    args: dict[str, Scalar] = {"disk_size": footer.current_size, "data_size": data}
    book.find("VHD-FTR-010", Severity.ERROR, where, args, Repair.CONSENT)
