"""Metadata values that are wrong: sizes, flags, items that forbid opening (spec X13 to X15, X22, X27)."""

from __future__ import annotations

import struct

from .damage import Outcome, VhdxSite, vhdx_damage
from .damage_meta import ALIEN, append
from .expect import Recovery, Severity
from .model import KIB, MIB, TIB, Span
from .vhdx_codec import INCOMPLETE_FILE
from .vhdx_surgery import item_data, put_u32


@vhdx_damage("block-size-illegal", "X13", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def block_size_illegal(site: VhdxSite) -> Outcome:
    """BlockSize is 0, or no power of two."""
    return Outcome(site.mark(put_u32(site, item_data(site, "parameters").offset, (0, 3 * MIB)[site.place])))


@vhdx_damage("block-size-range", "X13", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def block_size_range(site: VhdxSite) -> Outcome:
    """BlockSize is a power of two but below 1 MiB, or above 256 MiB."""
    value = (512 * KIB, 512 * MIB)[site.place]
    return Outcome(site.mark(put_u32(site, item_data(site, "parameters").offset, value)))


@vhdx_damage("size-illegal", "X13", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def size_illegal(site: VhdxSite) -> Outcome:
    """Virtual Disk Size is 0, or no multiple of the sector size."""
    value = (0, site.image.spec.virtual_size - 100)[site.place]
    span = site.edit.write(item_data(site, "size").offset, struct.pack("<Q", value))
    return Outcome(site.mark(span))


@vhdx_damage("size-huge", "X13", "X15", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def size_huge(site: VhdxSite) -> Outcome:
    """Virtual Disk Size is above 64 TiB, or 8 TiB, for which the BAT region is far too small."""
    value = (65 * TIB, 8 * TIB)[site.place]
    span = site.edit.write(item_data(site, "size").offset, struct.pack("<Q", value))
    return Outcome(site.mark(span, site.image.layout.bat), site.disk())


@vhdx_damage("size-halved", "X14", bases=("clean", "nolog"), severity=Severity.ERROR)
def size_halved(site: VhdxSite) -> Outcome:
    """Virtual Disk Size is halved (or one block shorter): entries in state 6 lie past the entry count."""
    spec = site.image.spec
    count = site.image.layout.geometry.blocks
    value = (spec.virtual_size // 2, (count - 1) * spec.block_size)[site.place]
    span = site.edit.write(item_data(site, "size").offset, struct.pack("<Q", value))
    lost = Span(value, spec.virtual_size - value)
    return Outcome(site.mark(span, site.image.block_entry(count - 1)), (lost,), recovery=Recovery.RESTORABLE)


@vhdx_damage("size-doubled", "X14", bases=("clean", "nolog"), severity=Severity.WARNING)
def size_doubled(site: VhdxSite) -> Outcome:
    """Virtual Disk Size is doubled, or one block larger; all guest bytes stay where they are."""
    spec = site.image.spec
    value = (spec.virtual_size * 2, spec.virtual_size + spec.block_size)[site.place]
    span = site.edit.write(item_data(site, "size").offset, struct.pack("<Q", value))
    seen = site.logged
    return Outcome(
        site.mark(span),
        severity=None if seen else Severity.NONE,
        detectable=seen,
        reason="the log holds the old metadata page" if seen else "no copy, and the BAT has room for more",
        recovery=Recovery.RESTORABLE,
    )


@vhdx_damage("sector-size-illegal", "X13", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def sector_size_illegal(site: VhdxSite) -> Outcome:
    """Logical Sector Size is 1024, or 0."""
    return Outcome(site.mark(put_u32(site, item_data(site, "logical").offset, (1024, 0)[site.place])))


@vhdx_damage("physical-size-illegal", "X13", severity=Severity.WARNING, recovery=Recovery.INTACT)
def physical_size_illegal(site: VhdxSite) -> Outcome:
    """Physical Sector Size is 0, or 2048; it does not change where bytes lie."""
    return Outcome(site.mark(put_u32(site, item_data(site, "physical").offset, (0, 2048)[site.place])))


@vhdx_damage("sector-size-changed", "X13", bases=("clean", "nolog"), severity=Severity.WARNING)
def sector_size_changed(site: VhdxSite) -> Outcome:
    """Logical Sector Size 4096 instead of 512 in a disk of one chunk: no guest byte moves."""
    seen = site.logged
    return Outcome(
        site.mark(put_u32(site, item_data(site, "logical").offset, 4096)),
        severity=None if seen else Severity.NONE,
        detectable=seen,
        reason="the log holds the old metadata page" if seen else "no copy; legal by itself",
        recovery=Recovery.INTACT,
    )


@vhdx_damage("sector-size-chunks", "X13", "X14", bases=("wide",), severity=Severity.ERROR, places=(0,))
def sector_size_chunks(site: VhdxSite) -> Outcome:
    """Logical Sector Size 4096 in a disk of three chunks: BAT slots move, one entry is past the count."""
    image = site.image
    geometry = image.layout.geometry
    span = put_u32(site, item_data(site, "logical").offset, 4096)
    lost = tuple(image.guest(b) for b in range(geometry.ratio - 1, geometry.blocks))
    whole = Span(lost[0].offset, lost[-1].end - lost[0].offset)
    last = image.block_entry(geometry.blocks - 1)
    return Outcome(site.mark(span, last), (whole,), recovery=Recovery.RESTORABLE)


@vhdx_damage("has-parent-set", "X22", bases=("clean", "nolog"), severity=Severity.FATAL, places=(0,))
def has_parent_set(site: VhdxSite) -> Outcome:
    """HasParent is set in a base disk: there is no parent locator."""
    span = site.edit.flip(item_data(site, "parameters").offset + 4, 1)
    return Outcome(site.mark(span, item_data(site, "parameters")), recovery=Recovery.RESTORABLE)


@vhdx_damage("has-parent-cleared", "X13", "X20", bases=("child",), severity=Severity.ERROR, places=(0,))
def has_parent_cleared(site: VhdxSite) -> Outcome:
    """HasParent is cleared in a child: a locator without need, blocks in state 7 in a base disk."""
    span = site.edit.flip(item_data(site, "parameters").offset + 4, 1)
    marks = site.mark(span, item_data(site, "parameters"))
    return Outcome(marks, site.image.truth.from_parents, recovery=Recovery.RESTORABLE)


@vhdx_damage("unknown-required-item", "X12", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def unknown_required_item(site: VhdxSite) -> Outcome:
    """An unknown required item, with data or empty: the file must not be opened."""
    return Outcome(site.mark(*append(site, ALIEN, (b"\1" * 8, b"")[site.place], 4)))


@vhdx_damage("incomplete-file", "X27", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def incomplete_file(site: VhdxSite) -> Outcome:
    """The item Incomplete File is there: creation never finished, the content is undefined."""
    spans = append(site, INCOMPLETE_FILE, (b"\1\0\0\0", b"")[site.place], 4)
    return Outcome(site.mark(*spans), site.disk())
