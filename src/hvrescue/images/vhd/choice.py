"""Which footer to believe: the two copies, and what the rest of the file says of them (V1-V3)."""

from __future__ import annotations

from hvrescue.core.words import Repair, Scalar, Severity, Where
from hvrescue.images.survey import Book
from hvrescue.images.vhd.footers import Footers, Found, Proof
from hvrescue.images.vhd.header import FoundHeader, agrees
from hvrescue.images.vhd.layout import FOOTER_SIZE, NOWHERE, VERSION, Kind

END, COPY = "footer", "footer copy"


def choose_footer(book: Book, footers: Footers, sparse: FoundHeader | None) -> Found | None:
    """The footer to read by; None (and a refusal) when none can be believed."""
    best = footers.best
    if best is None:
        if sparse is not None:
            book.refuse("VHD-FTR-003", _both(book, footers), {"file_size": footers.file_size}, Repair.CONSENT)
        else:
            without_footer(book)
        return None
    if best.footer.kind == Kind.FIXED and (sparse is None or sparse.proof == Proof.BROKEN):
        return _of_fixed(book, footers)
    holding = [f for f in (footers.end, footers.copy) if f is not None and f.holds]
    if len(holding) == 2:
        chosen = _of_two(book, holding[0], holding[1], sparse)
    elif holding:
        chosen = _the_other_is_lost(book, footers, holding[0])
    else:
        chosen = _unproven(book, footers, best, sparse)
    if chosen is not None:
        _note_quirks(book, footers, chosen)
    return chosen


def without_footer(book: Book) -> None:
    """Nothing tells where the guest's bytes end (V1 of a fixed disk)."""
    size = book.source.size
    low = max(0, size - FOOTER_SIZE)
    # Wiped it lies in the last sector, cut off it lay behind it.
    where = book.where(END, low, size - low + FOOTER_SIZE)
    book.refuse("VHD-FTR-004", where, {"file_size": size}, Repair.CONSENT)


def place(book: Book, found: Found, field: str = "", at: int = 0, size: int | None = None) -> Where:
    """A footer, or a field of it."""
    structure = COPY if found.offset == 0 else END
    return book.where(structure, found.offset + at, len(found.raw) - at if size is None else size, field)


def _both(book: Book, footers: Footers) -> tuple[Where, ...]:
    end = max(0, footers.file_size - FOOTER_SIZE)
    return book.where(END, end, footers.file_size - end), book.where(COPY, 0, min(FOOTER_SIZE, footers.file_size))


def _of_fixed(book: Book, footers: Footers) -> Found | None:
    """A fixed disk has one footer. What it says can be checked against the file's size only."""
    end = footers.end
    if end is None:
        if footers.copy is not None:
            # At 0 there is the copy that only the other kinds have, and it says "fixed".
            refuse_kind(book, footers.copy, None)
        return None
    if not end.holds:
        f = end.footer
        fits = f.current_size == end.offset and f.version == VERSION and f.data_offset == NOWHERE
        if not (fits and f.kind == Kind.FIXED):
            without_footer(book)
            return None
        book.find("VHD-FTR-005", Severity.ERROR, place(book, end), {"kind": "fixed"}, Repair.SAFE)
    _note_quirks(book, footers, end)
    return end


def _of_two(book: Book, end: Found, copy: Found, sparse: FoundHeader | None) -> Found | None:
    length = min(len(end.raw), len(copy.raw))
    if end.raw[:length] == copy.raw[:length]:
        return end
    if end.footer.essence == copy.footer.essence:
        book.find("VHD-FTR-002", Severity.WARNING, place(book, copy), {"state": "different"}, Repair.SAFE)
        return end
    fitting = [f for f in (end, copy) if agrees(f.footer, sparse)]
    args: dict[str, Scalar] = {
        "end_size": end.footer.current_size, "copy_size": copy.footer.current_size,
        "end_kind": end.footer.kind, "copy_kind": copy.footer.kind,
    }  # fmt: skip
    places = (place(book, end), place(book, copy))
    if len(fitting) != 1:
        book.refuse("VHD-FTR-014", places, args, Repair.CONSENT)
        return None
    book.find("VHD-FTR-014", Severity.ERROR, places, args, Repair.CONSENT)
    return fitting[0]


def _the_other_is_lost(book: Book, footers: Footers, chosen: Found) -> Found:
    if chosen is footers.copy:
        # Wiped it lies in the last sector, cut off it lay behind it.
        places = (_both(book, footers)[0], book.where(END, footers.file_size, FOOTER_SIZE, "expected"))
        args: dict[str, Scalar] = {"file_size": footers.file_size, "state": _state(footers.end)}
        book.find("VHD-FTR-001", Severity.FATAL, places, args, Repair.SAFE, count=1)
    else:
        where = book.where(COPY, 0, FOOTER_SIZE)
        book.find("VHD-FTR-002", Severity.WARNING, where, {"state": _state(footers.copy)}, Repair.SAFE)
    return chosen


def _state(found: Found | None) -> str:
    return "missing" if found is None else "checksum" if found.proof == Proof.BROKEN else "cookie"


def _unproven(book: Book, footers: Footers, best: Found, sparse: FoundHeader | None) -> Found | None:
    """No footer is as a writer leaves it. Believed is what a checksum proves, or what the header confirms."""
    tried = [f for f in (best, footers.end, footers.copy) if f is not None]
    for found in tried:
        if found.proof == Proof.WITHOUT_COOKIE or agrees(found.footer, sparse):
            kind = "dynamic"
            book.find("VHD-FTR-005", Severity.ERROR, _both(book, footers), {"kind": kind}, Repair.SAFE)
            return found
    if footers.copy is None and sparse is None:
        without_footer(book)  # nothing speaks for a dynamic disk
    else:
        book.refuse("VHD-FTR-003", _both(book, footers), {"file_size": footers.file_size}, Repair.CONSENT)
    return None


def _note_quirks(book: Book, footers: Footers, chosen: Found) -> None:
    if chosen.proof == Proof.WITHOUT_ID:
        where = place(book, chosen, "Checksum", 64, 4)
        book.find("VHD-FTR-013", Severity.INFO, where, repair=Repair.SAFE)
    end = footers.end
    if end is not None and end.end != footers.file_size:
        junk = footers.file_size - end.end
        where = book.where("after the footer", end.end, junk)
        book.find("VHD-FTR-009", Severity.FATAL, where, {"bytes": junk}, Repair.CONSENT)


def refuse_kind(book: Book, found: Found, sparse: FoundHeader | None) -> None:
    """DiskType says one thing, the structure another: read as the wrong kind, a disk gives wrong bytes."""
    places = [place(book, found, "DiskType", 60, 4)]
    args: dict[str, Scalar] = {"kind": found.footer.kind, "parent": ""}
    if sparse is not None:
        places.append(book.where("dynamic header", sparse.header.offset + 40, 16, "ParentUniqueId"))
        args["parent"] = str(sparse.header.parent_id)
    book.refuse("VHD-FTR-011", places, args, Repair.CONSENT)
