"""Damages to the metadata table and its items (spec X12, X13, X27; sizes for X14, X15)."""

from __future__ import annotations

import struct
import uuid

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Recovery, Severity
from .model import KIB, MIB, Span, noise
from .vhdx_surgery import item_entry, put_u32

ALIEN = uuid.UUID("0c1f7b58-91d2-4b6e-8a3d-5d70e4b2c991")
NEW_ITEM = 0x11000
"""Place for an added item in the region, behind all others."""


def _table(site: VhdxSite) -> Span:
    return Span(site.image.layout.metadata.offset, 4096)


def append(site: VhdxSite, guid: uuid.UUID, data: bytes, flags: int) -> tuple[Span, Span]:
    """Add an item behind the last one."""
    table = _table(site).offset
    count = struct.unpack("<H", site.edit.read(Span(table + 10, 2)))[0]
    site.edit.write(table + 10, struct.pack("<H", count + 1))
    if data:
        site.edit.write(table + NEW_ITEM, data)
    place = NEW_ITEM if data else 0
    entry = guid.bytes_le + struct.pack("<IIII", place, len(data), flags, 0)
    return site.edit.write(table + 32 + 32 * count, entry), Span(table + NEW_ITEM, len(data))


def _remove(site: VhdxSite, name: str) -> Span:
    """Take an entry out of the table and close the gap."""
    table, gone = _table(site).offset, item_entry(site, name)
    count = struct.unpack("<H", site.edit.read(Span(table + 10, 2)))[0]
    rest = site.edit.read(Span(gone.end, table + 32 + 32 * count - gone.end))
    site.edit.write(gone.offset, rest + bytes(32))
    site.edit.write(table + 10, struct.pack("<H", count - 1))
    return gone


@vhdx_damage("meta-signature", "X12", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def meta_signature(site: VhdxSite) -> Outcome:
    """The signature of the metadata table has a flipped bit, or is zero (spec 5.2)."""
    at = _table(site).offset
    if site.place == 0:
        site.edit.flip(at + 2, 1)
    else:
        site.edit.zero(Span(at, 8))
    return Outcome(site.mark(Span(at, 8)))


@vhdx_damage("meta-table-zeroed", "X12", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def meta_table_zeroed(site: VhdxSite) -> Outcome:
    """The first 4 KiB of the metadata table are zeros, or foreign bytes."""
    span = _table(site)
    site.edit.write(span.offset, bytes(4096) if site.place == 0 else noise(5, "meta", 4096))
    return Outcome(site.mark(span))


@vhdx_damage("meta-table-torn", "X12", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def meta_table_torn(site: VhdxSite) -> Outcome:
    """The first 512 bytes of the table (header and all entries) are foreign, or all ones."""
    span = Span(_table(site).offset, 512)
    site.edit.write(span.offset, noise(6, "meta", 512) if site.place == 0 else b"\xff" * 512)
    return Outcome(site.mark(span))


@vhdx_damage("meta-count", "X12", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def meta_count(site: VhdxSite) -> Outcome:
    """EntryCount is 0, or 65535."""
    span = site.edit.write(_table(site).offset + 10, (b"\0\0", b"\xff\xff")[site.place])
    return Outcome(site.mark(span))


@vhdx_damage("meta-items-zeroed", "X13", bases=("clean", "nolog"), severity=Severity.FATAL)
def meta_items_zeroed(site: VhdxSite) -> Outcome:
    """The page with the items is zeros, or only the five base values are."""
    at = site.image.layout.metadata.offset + 64 * KIB
    span = site.edit.zero(Span(at, (4096, 40)[site.place]))
    return Outcome(site.mark(span, Span(at, 40)), recovery=Recovery.RESTORABLE)


@vhdx_damage("meta-item-outside", "X12", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def meta_item_outside(site: VhdxSite) -> Outcome:
    """An item lies behind the end of the region, or inside the table."""
    entry = item_entry(site, ("size", "parameters")[site.place])
    put_u32(site, entry.offset + 16, (MIB - 4, 32)[site.place])
    return Outcome(site.mark(entry))


@vhdx_damage("meta-item-overlap", "X12", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def meta_item_overlap(site: VhdxSite) -> Outcome:
    """The size item shares its bytes with the parameters (a plausible number), or starts 4 bytes early."""
    entry = item_entry(site, "size")
    put_u32(site, entry.offset + 16, (0x10000, 0x10004)[site.place])
    return Outcome(site.mark(entry, item_entry(site, "parameters")))


@vhdx_damage("meta-flags", "X13", severity=Severity.WARNING, recovery=Recovery.INTACT)
def meta_flags(site: VhdxSite) -> Outcome:
    """A base item is marked IsUser and IsRequired at once, or has lost its IsVirtualDisk flag."""
    entry = item_entry(site, ("size", "logical")[site.place])
    put_u32(site, entry.offset + 24, (7, 4)[site.place])
    return Outcome(site.mark(entry))


@vhdx_damage("meta-missing-vital", "X13", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def meta_missing_vital(site: VhdxSite) -> Outcome:
    """File Parameters, or Virtual Disk Size, is not in the table; its value still lies in the region."""
    return Outcome(site.mark(_remove(site, ("parameters", "size")[site.place]), _table(site)))


@vhdx_damage(
    "meta-missing-logical",
    "X13",
    severity=Severity.FATAL,
    recovery=Recovery.RESTORABLE,
    places=(0,),
)
def meta_missing_logical(site: VhdxSite) -> Outcome:
    """Logical Sector Size is not in the table."""
    return Outcome(site.mark(_remove(site, "logical"), _table(site)))


@vhdx_damage("meta-missing-minor", "X13", severity=Severity.ERROR, recovery=Recovery.INTACT)
def meta_missing_minor(site: VhdxSite) -> Outcome:
    """Physical Sector Size, or the Page 83 identity, is not in the table: defaults would do, with consent."""
    return Outcome(site.mark(_remove(site, ("physical", "page83")[site.place]), _table(site)))


@vhdx_damage("meta-duplicate", "X12", severity=Severity.ERROR, recovery=Recovery.RESTORABLE)
def meta_duplicate(site: VhdxSite) -> Outcome:
    """A second Virtual Disk Size, or File Parameters item with another value."""
    name = ("size", "parameters")[site.place]
    raw = site.edit.read(item_entry(site, name))
    spec = site.image.spec
    data = struct.pack("<Q", spec.virtual_size // 2) if name == "size" else struct.pack("<II", 8 * MIB, 0)
    spans = append(site, uuid.UUID(bytes_le=raw[:16]), data, struct.unpack_from("<I", raw, 24)[0])
    return Outcome(site.mark(*spans, item_entry(site, name)), site.disk())


@vhdx_damage("meta-length", "X13", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def meta_length(site: VhdxSite) -> Outcome:
    """An item has the wrong length: 4 instead of 8, or 0 with an offset."""
    entry = item_entry(site, ("parameters", "size")[site.place])
    put_u32(site, entry.offset + 20, (4, 0)[site.place])
    return Outcome(site.mark(entry))
