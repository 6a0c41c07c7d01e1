"""Parent name and parent locators: whom a differencing disk names as its parent (V11)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from hvrescue.core.words import Repair, Scalar, Severity
from hvrescue.images.identity import ParentLink
from hvrescue.images.survey import Book
from hvrescue.images.vhd.header import STRUCTURE
from hvrescue.images.vhd.layout import (
    LOCATOR,
    LOCATOR_COUNT,
    LOCATORS_AT,
    MAX_LOCATOR,
    NAME_AT,
    NAME_SIZE,
    Header,
)

_KINDS = {
    b"W2ru": ("relative_path", "utf-16-le"),
    b"W2ku": ("absolute_win32_path", "utf-16-le"),
    b"Wi2r": ("relative_path", "cp1252"),
    b"Wi2k": ("absolute_win32_path", "cp1252"),
}
_ELSEWHERE = (b"Mac ", b"MacX")
"""Paths on a Macintosh: they lead nowhere here."""
_UNUSED = bytes(4)
_NO_TEXT = frozenset({"Cc", "Cn", "Co", "Cs"})
_ORDER = ("relative_path", "absolute_win32_path")


@dataclass(frozen=True, slots=True)
class Locators:
    """The parent as named, and the room the texts take in the file: (start, end)."""

    link: ParentLink
    rooms: tuple[tuple[int, int], ...]


def survey_locators(book: Book, header: Header) -> Locators:
    """Every path that can be read; findings about the others. The order to be tried: relative first."""
    paths: list[tuple[str, str]] = []
    rooms: list[tuple[int, int]] = []
    for n in range(LOCATOR_COUNT):
        at = LOCATORS_AT + n * LOCATOR.size
        code, _, length, _, offset = LOCATOR.unpack_from(header.raw, at)
        if code in _KINDS:
            kind, encoding = _KINDS[code]
            if path := _text(book, offset, length, encoding):
                paths.append((kind, path))
                rooms.append((offset, offset + length))
                continue
        elif code in _ELSEWHERE or (code == _UNUSED and not length):
            continue
        where = book.where(STRUCTURE, header.offset + at, LOCATOR.size, f"parent locator {n + 1}")
        args: dict[str, Scalar] = {"locator": n + 1, "text_offset": offset, "text_size": length}
        text = book.where("parent locator", offset, length, f"parent locator {n + 1}")
        book.find("VHD-LOC-002", Severity.WARNING, (where, text), args, Repair.CONSENT, count=1)
    paths.sort(key=lambda p: _ORDER.index(p[0]))
    name = parent_name(header)
    if name and name not in {path for _, path in paths}:
        paths.append(("absolute_win32_path", name))
    if not paths:
        where = book.where(STRUCTURE, header.offset + NAME_AT, NAME_SIZE, "ParentName")
        book.find("VHD-LOC-001", Severity.FATAL, where, {"parent": str(header.parent_id)}, Repair.CONSENT)
    link = ParentLink((header.parent_id,), tuple(paths), header.parent_timestamp)
    return Locators(link, tuple(rooms))


def names_a_parent(header: Header) -> bool:
    """Whether there is a parent's name or path, whatever the disk's type says."""
    codes = (LOCATOR.unpack_from(header.raw, LOCATORS_AT + n * LOCATOR.size)[0] for n in range(LOCATOR_COUNT))
    return bool(parent_name(header)) or any(code in _KINDS for code in codes)


def parent_name(header: Header) -> str:
    """ParentName, or nothing when it is no text."""
    text = header.raw[NAME_AT : NAME_AT + NAME_SIZE].decode("utf-16-be", "replace").partition("\0")[0]
    return text if _is_text(text) else ""


def _text(book: Book, offset: int, length: int, encoding: str) -> str:
    if not 0 < length <= MAX_LOCATOR:
        return ""
    window = book.read(book.source, "parent locator", offset, length)
    return _decoded(window.data, encoding) if window else ""


def _decoded(data: bytes, encoding: str) -> str:
    try:
        text = data.decode(encoding).rstrip("\0")
    except UnicodeDecodeError:
        return ""
    return text if _is_text(text) else ""


def _is_text(text: str) -> bool:
    """No control, private or unassigned characters, as random bytes and damaged paths are full of them."""
    return all(unicodedata.category(c) not in _NO_TEXT and c != "\ufffd" for c in text)
