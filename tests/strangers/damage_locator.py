"""Damages to the parent locator (spec X22)."""

from __future__ import annotations

import struct
import uuid

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Recovery, Severity
from .model import Span
from .vhdx_codec import parent_locator
from .vhdx_surgery import item_data, item_entry, put_u32

CHILD = ("child",)


def _linkage(site: VhdxSite) -> str:
    parent = site.image.parent
    assert parent is not None
    return "{" + str(parent.header.data_guid) + "}"


def put_locator(site: VhdxSite, pairs: tuple[tuple[str, str], ...]) -> Span:
    """Replace the locator (the last item of the region) and its length in the table."""
    data = parent_locator(pairs)
    old = item_data(site, "locator")
    site.edit.zero(old)
    put_u32(site, item_entry(site, "locator").offset + 20, len(data))
    return site.edit.write(old.offset, data)


def _bad(site: VhdxSite, *spans: Span) -> Outcome:
    """The parent cannot be named: everything it should show is unknown, but it lies beside the child."""
    marks = site.mark(*spans, item_data(site, "locator"))
    return Outcome(marks, site.image.truth.from_parents, recovery=Recovery.RESTORABLE)


def _texts(site: VhdxSite, *pairs: tuple[str, str]) -> Outcome:
    return _bad(site, put_locator(site, pairs))


@vhdx_damage("locator-missing", "X22", bases=CHILD, severity=Severity.FATAL)
def locator_missing(site: VhdxSite) -> Outcome:
    """The locator is not in the metadata table, or has length 0."""
    entry = item_entry(site, "locator")
    if site.place == 0:
        table = site.image.layout.metadata.offset
        count = struct.unpack("<H", site.edit.read(Span(table + 10, 2)))[0]
        site.edit.write(table + 10, struct.pack("<H", count - 1))
        site.edit.zero(entry)
    else:
        site.edit.write(entry.offset + 16, bytes(8))
    return _bad(site, entry)


@vhdx_damage("locator-zeroed", "X22", bases=CHILD, severity=Severity.FATAL)
def locator_zeroed(site: VhdxSite) -> Outcome:
    """The bytes of the locator are zeros, or its type is unknown."""
    span = item_data(site, "locator")
    data = bytes(span.size) if site.place == 0 else uuid.UUID(int=77).bytes_le
    return _bad(site, site.edit.write(span.offset, data))


@vhdx_damage("locator-count", "X22", bases=CHILD, severity=Severity.FATAL)
def locator_count(site: VhdxSite) -> Outcome:
    """KeyValueCount is 0, or 65535."""
    at = item_data(site, "locator").offset + 18
    return _bad(site, site.edit.write(at, (b"\0\0", b"\xff\xff")[site.place]))


@vhdx_damage("locator-offsets", "X22", bases=CHILD, severity=Severity.FATAL)
def locator_offsets(site: VhdxSite) -> Outcome:
    """A key, or a value, of the linkage lies outside the item."""
    at = item_data(site, "locator").offset + 20 + (0, 4)[site.place]
    return _bad(site, put_u32(site, at, 0x00F00000))


@vhdx_damage("locator-lengths", "X22", bases=CHILD, severity=Severity.FATAL)
def locator_lengths(site: VhdxSite) -> Outcome:
    """The linkage value has an odd length, or length 0."""
    at = item_data(site, "locator").offset + 20 + 10
    return _bad(site, site.edit.write(at, struct.pack("<H", (75, 0)[site.place])))


@vhdx_damage("locator-linkage-text", "X22", bases=CHILD, severity=Severity.FATAL)
def locator_linkage_text(site: VhdxSite) -> Outcome:
    """parent_linkage is no GUID, or the zero GUID."""
    text = ("{not-a-guid-at-all}", "{00000000-0000-0000-0000-000000000000}")[site.place]
    return _texts(site, ("parent_linkage", text), ("relative_path", ".\\parent.vhdx"))


@vhdx_damage("locator-no-linkage", "X22", bases=CHILD, severity=Severity.FATAL)
def locator_no_linkage(site: VhdxSite) -> Outcome:
    """The key parent_linkage is absent, or written in another case (keys are case-sensitive)."""
    path = ("relative_path", ".\\parent.vhdx")
    if site.place == 0:
        return _texts(site, path)
    return _texts(site, ("Parent_Linkage", _linkage(site)), path)


@vhdx_damage("locator-no-path", "X22", bases=CHILD, severity=Severity.FATAL)
def locator_no_path(site: VhdxSite) -> Outcome:
    """Only the linkage is there, or a path under an unknown key: search by GUID would find the parent."""
    link = ("parent_linkage", _linkage(site))
    return _texts(site, link) if site.place == 0 else _texts(site, link, ("unix_path", "./parent.vhdx"))


@vhdx_damage("locator-duplicate", "X22", bases=CHILD, severity=Severity.ERROR)
def locator_duplicate(site: VhdxSite) -> Outcome:
    """A key appears twice with different values: the linkage, or the path."""
    link, path = ("parent_linkage", _linkage(site)), ("relative_path", ".\\parent.vhdx")
    if site.place == 0:
        return _texts(site, ("parent_linkage", "{" + str(uuid.UUID(int=5, version=4)) + "}"), link, path)
    return _texts(site, link, ("relative_path", ".\\other.vhdx"), path)


@vhdx_damage("locator-nul", "X22", bases=CHILD, severity=Severity.WARNING)
def locator_nul(site: VhdxSite) -> Outcome:
    """A path ends in a NUL character, or holds one inside (spec 1.2: no terminator, no embedded NUL)."""
    text = (".\\parent.vhdx\0", ".\\par\0ent.vhdx")[site.place]
    return _texts(site, ("parent_linkage", _linkage(site)), ("relative_path", text))
