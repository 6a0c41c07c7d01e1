"""Damages to the VHD dynamic header and to minor fields of the footer (spec V4, V5, V9, V10, V12)."""

from __future__ import annotations

from dataclasses import replace

from .damage import Outcome, VhdSite, vhd_damage
from .damage_vhd_footer import BOTH, copies
from .expect import Recovery, Severity
from .model import Span
from .vhd_codec import Chs, DynamicHeader


def _header(site: VhdSite) -> DynamicHeader:
    header = site.image.header
    assert header is not None
    return header


@vhd_damage("header-checksum", "V4", bases=BOTH, severity=Severity.WARNING, recovery=Recovery.INTACT)
def header_checksum(site: VhdSite) -> Outcome:
    """The dynamic header's checksum is wrong (spec 5.2), or a reserved byte changed; the values hold."""
    span = site.image.structures["header"]
    site.edit.flip(span.offset + (37, 900)[site.place], 3)
    return Outcome(site.mark(span))


@vhd_damage("header-cookie", "V4", bases=BOTH, severity=Severity.ERROR, recovery=Recovery.RESTORABLE)
def header_cookie(site: VhdSite) -> Outcome:
    """The cookie of the dynamic header is damaged (spec 5.2), or zero."""
    span = site.image.structures["header"]
    site.edit.write(span.offset, (b"cxsparsf", bytes(8))[site.place])
    return Outcome(site.mark(span))


@vhd_damage("header-zeroed", "V4", bases=BOTH, severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def header_zeroed(site: VhdSite) -> Outcome:
    """The first 512 bytes of the dynamic header are zeros, or the first 4 KiB of the file are."""
    span = site.edit.zero((Span(512, 512), Span(0, 4096))[site.place])
    return Outcome(site.mark(span, site.image.structures["header"]), site.disk())


def _put_header(site: VhdSite, changed: DynamicHeader) -> Outcome:
    span = site.edit.write(site.image.structures["header"].offset, changed.pack())
    return Outcome(site.mark(span), site.disk(), recovery=Recovery.RESTORABLE)


@vhd_damage("header-version", "V4", severity=Severity.ERROR)
def header_version(site: VhdSite) -> Outcome:
    """The header, or the footers, carry an unknown version under a valid checksum."""
    if site.place == 0:
        return _put_header(site, _header(site).having(version=0x00020000))
    for span in copies(site):
        site.edit.write(span.offset, replace(site.image.footer, version=0x00020000).pack())
    return Outcome(site.mark(*copies(site)), site.disk(), recovery=Recovery.RESTORABLE)


@vhd_damage("header-pointer", "V4", severity=Severity.FATAL)
def header_pointer(site: VhdSite) -> Outcome:
    """DataOffset of both footers names a place behind the end, or a block."""
    target = (site.image.size + 4096, site.image.homes[0].offset)[site.place]
    for span in copies(site):
        site.edit.write(span.offset, replace(site.image.footer, data_offset=target).pack())
    return Outcome(site.mark(*copies(site)), site.disk(), recovery=Recovery.RESTORABLE)


@vhd_damage("table-misplaced", "V5", severity=Severity.FATAL)
def table_misplaced(site: VhdSite) -> Outcome:
    """TableOffset (signed) lies behind the end of the file, or inside the header."""
    return _put_header(site, _header(site).having(table_offset=(site.image.size + 512, 512)[site.place]))


@vhd_damage("table-entries", "V5", severity=Severity.ERROR)
def table_entries(site: VhdSite) -> Outcome:
    """MaxTableEntries (signed) is half of the need, or 0."""
    header = _header(site)
    return _put_header(site, header.having(entries=(header.entries // 2, 0)[site.place]))


@vhd_damage("table-entries-huge", "V5", severity=Severity.WARNING)
def table_entries_huge(site: VhdSite) -> Outcome:
    """MaxTableEntries (signed) makes the table run over the blocks, or past the end of the file."""
    outcome = _put_header(site, _header(site).having(entries=(1 << 17, 0x7FFFFFFF)[site.place]))
    return Outcome(outcome.where, recovery=Recovery.INTACT)


@vhd_damage("block-size-illegal", "V5", severity=Severity.FATAL)
def vhd_block_size_illegal(site: VhdSite) -> Outcome:
    """BlockSize (signed) is 0, or no power of two."""
    return _put_header(site, _header(site).having(block_size=(0, 3 * 512 * 1024)[site.place]))


@vhd_damage("block-size-changed", "V5", "V7", severity=Severity.ERROR)
def vhd_block_size_changed(site: VhdSite) -> Outcome:
    """BlockSize (signed) is halved (too few entries) or doubled (blocks overlap)."""
    block = site.image.spec.block_size
    return _put_header(site, _header(site).having(block_size=(block // 2, block * 2)[site.place]))


@vhd_damage("geometry-differs", "V10", severity=Severity.INFO, recovery=Recovery.INTACT)
def geometry_differs(site: VhdSite) -> Outcome:
    """The geometry (signed) does not match CurrentSize; the creator's rule takes CurrentSize."""
    changed = replace(site.image.footer, chs=(Chs(100, 16, 63), Chs(0, 0, 0))[site.place])
    for span in copies(site):
        site.edit.write(span.offset, changed.pack())
    return Outcome(site.mark(*copies(site)))


@vhd_damage("saved-state", "V12", bases=("vhd", "vhd-fixed"), severity=Severity.WARNING)
def saved_state(site: VhdSite) -> Outcome:
    """SavedState is 1 in all footers (place 1: with the temporary feature bit)."""
    changed = replace(site.image.footer, saved_state=1, features=(2, 3)[site.place])
    for span in copies(site):
        site.edit.write(span.offset, changed.pack())
    return Outcome(site.mark(*copies(site)), recovery=Recovery.INTACT)


@vhd_damage("features-zero", "V9", severity=Severity.INFO, recovery=Recovery.INTACT)
def features_zero(site: VhdSite) -> Outcome:
    """The always-set feature bit is missing, or reserved bytes of the footers are not zero."""
    raw = replace(site.image.footer, features=(0, 2)[site.place])
    for span in copies(site):
        site.edit.write(span.offset, raw.pack())
        if site.place:
            site.edit.write(span.offset + 200, b"\1")
            site.edit.flip(span.offset + 67, 0)
    return Outcome(site.mark(*copies(site)))
