"""Damages to the region tables (spec X9 to X11)."""

from __future__ import annotations

import uuid
from dataclasses import replace

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Recovery, Severity
from .model import MIB, Span
from .vhdx_codec import REGION_OFFSETS, REGION_SIZE, Region
from .vhdx_surgery import put_regions, regions

STRANGER = uuid.UUID("5b1d2c7e-0f46-4f0a-9d5e-2a8c1b7e4f33")


def _copy(slot: int) -> Span:
    return Span(REGION_OFFSETS[slot], REGION_SIZE)


@vhdx_damage("region-one-crc", "X9", severity=Severity.WARNING, recovery=Recovery.INTACT)
def region_one_crc(site: VhdxSite) -> Outcome:
    """One region table has a bad checksum, the other is good (spec 5.2; place: which copy)."""
    site.edit.flip(REGION_OFFSETS[site.place] + 4, 6)
    return Outcome(site.mark(_copy(site.place)))


@vhdx_damage("region-one-zeroed", "X9", severity=Severity.WARNING, recovery=Recovery.INTACT)
def region_one_zeroed(site: VhdxSite) -> Outcome:
    """The first 4 KiB of one region table read as zeros."""
    site.edit.zero(Span(REGION_OFFSETS[site.place], 4096))
    return Outcome(site.mark(_copy(site.place)))


@vhdx_damage("region-copies-differ", "X9", severity=Severity.WARNING, recovery=Recovery.INTACT)
def region_copies_differ(site: VhdxSite) -> Outcome:
    """Both copies are valid, but one sends the reader to a metadata region that is none."""
    bat, meta = regions(site)
    wrong = replace(meta, offset=site.image.layout.orphans[0].offset)
    spans = put_regions(site, (bat, wrong), (site.place,))
    return Outcome(site.mark(*spans, _copy(1 - site.place)))


@vhdx_damage("region-both", "X10", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_both(site: VhdxSite) -> Outcome:
    """Both region tables are lost: bad checksums, or all zeros."""
    for slot in (0, 1):
        if site.place:
            site.edit.zero(_copy(slot))
        else:
            site.edit.flip(REGION_OFFSETS[slot] + 9, 0)
    return Outcome(site.mark(_copy(0), _copy(1)))


def _both(site: VhdxSite, entries: tuple[Region, ...], count: int | None = None) -> Outcome:
    return Outcome(site.mark(*put_regions(site, entries, count=count)))


def _change(site: VhdxSite, **change: int) -> Outcome:
    bat, meta = regions(site)
    offset, length = change.get("offset"), change.get("length")

    def edit(region: Region) -> Region:
        return replace(
            region,
            offset=region.offset if offset is None else offset,
            length=region.length if length is None else length,
        )

    return _both(site, (edit(bat), meta) if site.place == 0 else (bat, edit(meta)))


@vhdx_damage("region-unaligned", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_unaligned(site: VhdxSite) -> Outcome:
    """Both copies name an offset that is no multiple of 1 MiB (place: BAT or metadata)."""
    return _change(site, offset=3 * MIB + 512)


@vhdx_damage("region-beyond-eof", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_beyond_eof(site: VhdxSite) -> Outcome:
    """Both copies place a region behind the end of the file."""
    return _change(site, offset=site.image.size + 64 * MIB)


@vhdx_damage("region-in-head", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_in_head(site: VhdxSite) -> Outcome:
    """Both copies place a region in the first MiB."""
    return _change(site, offset=0)


@vhdx_damage("region-over-log", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_over_log(site: VhdxSite) -> Outcome:
    """Both copies place a region on the log."""
    return _change(site, offset=site.image.layout.log.offset)


@vhdx_damage("region-overlap", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_overlap(site: VhdxSite) -> Outcome:
    """Both regions lie at the same place."""
    layout = site.image.layout
    return _change(site, offset=(layout.metadata.offset, layout.bat.offset)[site.place])


@vhdx_damage("region-length-zero", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_length_zero(site: VhdxSite) -> Outcome:
    """A region has length 0."""
    return _change(site, length=0)


@vhdx_damage("region-too-long", "X11", "X18", severity=Severity.ERROR, recovery=Recovery.INTACT)
def region_too_long(site: VhdxSite) -> Outcome:
    """A region's length is 16 MiB too long and covers what lies behind it."""
    return _change(site, length=17 * MIB)


@vhdx_damage("region-missing", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_missing(site: VhdxSite) -> Outcome:
    """The BAT entry, or the metadata entry, is absent from both tables."""
    return _both(site, (regions(site)[1 - site.place],))


@vhdx_damage("region-duplicate", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_duplicate(site: VhdxSite) -> Outcome:
    """A region GUID appears twice, the second time at another place."""
    twice = replace(regions(site)[site.place], offset=site.image.layout.orphans[0].offset, length=MIB)
    return _both(site, (*regions(site), twice))


@vhdx_damage("region-swapped", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_swapped(site: VhdxSite) -> Outcome:
    """The offsets of BAT and metadata are exchanged (place 0), or their GUIDs in reverse order (place 1)."""
    bat, meta = regions(site)
    pair = (replace(bat, offset=meta.offset), replace(meta, offset=bat.offset))
    return _both(site, pair if site.place == 0 else pair[::-1])


@vhdx_damage("region-unknown-required", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_unknown_required(site: VhdxSite) -> Outcome:
    """An unknown region marked Required, first or last in the table: the file must not be opened."""
    alien = Region(STRANGER, site.image.layout.orphans[0].offset, MIB, 1)
    known = regions(site)
    return _both(site, (alien, *known) if site.place == 0 else (*known, alien))


@vhdx_damage("region-count", "X11", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def region_count(site: VhdxSite) -> Outcome:
    """EntryCount is 0, or 2048 (one more than allowed)."""
    return _both(site, regions(site), count=(0, 2048)[site.place])
