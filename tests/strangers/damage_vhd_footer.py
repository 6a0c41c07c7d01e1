"""Damages to VHD footers (spec V1 to V3, V13)."""

from __future__ import annotations

import uuid
from dataclasses import replace

from .damage import Outcome, VhdSite, vhd_damage
from .expect import Recovery, Severity
from .model import KIB, MIB, Span, noise

BOTH = ("vhd", "vhd-child")
FIXED = ("vhd-fixed",)


def _footer(site: VhdSite) -> Span:
    return site.image.structures["footer"]


def copies(site: VhdSite) -> tuple[Span, ...]:
    """The footer at the end, and the copy at 0 where there is one."""
    copy = (site.image.structures["copy"],) if "copy" in site.image.structures else ()
    return (_footer(site), *copy)


@vhd_damage("footer-gone", "V1", bases=BOTH, severity=Severity.WARNING, recovery=Recovery.INTACT)
def footer_gone(site: VhdSite) -> Outcome:
    """The footer at the end is zeros, or cut off (spec 5.2); the copy at 0 is good."""
    span = _footer(site)
    if site.place == 0:
        site.edit.zero(span)
    else:
        site.edit.cut(span.offset)
    return Outcome(site.mark(span))


@vhd_damage("footer-checksum", "V1", bases=BOTH, severity=Severity.WARNING, recovery=Recovery.INTACT)
def footer_checksum(site: VhdSite) -> Outcome:
    """One footer has a bad checksum (place: the one at the end, or the copy at 0)."""
    span = copies(site)[site.place]
    site.edit.flip(span.offset + 64, 5)
    return Outcome(site.mark(span))


@vhd_damage("footer-cookie", "V1", bases=BOTH, severity=Severity.WARNING, recovery=Recovery.INTACT)
def footer_cookie(site: VhdSite) -> Outcome:
    """One footer's cookie has a flipped bit."""
    span = copies(site)[site.place]
    site.edit.flip(span.offset + 3, 1)
    return Outcome(site.mark(span))


@vhd_damage("footer-copy-wiped", "V2", bases=BOTH, severity=Severity.WARNING, recovery=Recovery.INTACT)
def footer_copy_wiped(site: VhdSite) -> Outcome:
    """The copy at 0 is zeros (spec 5.2), or foreign bytes."""
    span = site.image.structures["copy"]
    site.edit.write(0, bytes(512) if site.place == 0 else noise(21, "copy", 512))
    return Outcome(site.mark(span))


@vhd_damage("footer-copies-differ", "V2", severity=Severity.WARNING, recovery=Recovery.INTACT)
def footer_copies_differ(site: VhdSite) -> Outcome:
    """Both footers are valid, but their UniqueId, or their SavedState, differ."""
    other = site.image.footer
    other = replace(other, unique=uuid.UUID(int=9)) if site.place == 0 else replace(other, saved_state=1)
    site.edit.write(0, other.pack())
    return Outcome(site.mark(*copies(site)))


@vhd_damage("footer-sizes-differ", "V2", severity=Severity.ERROR)
def footer_sizes_differ(site: VhdSite) -> Outcome:
    """Both footers are valid, but one says half the size (place: the end, or the copy)."""
    size = site.image.spec.virtual_size // 1024 * 512
    span = copies(site)[site.place]
    site.edit.write(span.offset, replace(site.image.footer, current_size=size).pack())
    lost = Span(size, site.image.truth.virtual_size - size)
    return Outcome(site.mark(*copies(site)), (lost,), recovery=Recovery.RESTORABLE)


@vhd_damage("footers-both", "V3", bases=BOTH, severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def footers_both(site: VhdSite) -> Outcome:
    """Both footers are wiped (spec 5.2), or have bad checksums."""
    for span in copies(site):
        if site.place == 0:
            site.edit.zero(span)
        else:
            site.edit.flip(span.offset + 49, 4)
    return Outcome(site.mark(*copies(site)), site.disk())


@vhd_damage("fixed-footer-lost", "V1", bases=FIXED, severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def fixed_footer_lost(site: VhdSite) -> Outcome:
    """A fixed disk without its footer (spec 5.2): zeros, or cut off."""
    span = _footer(site)
    if site.place == 0:
        site.edit.zero(span)
    else:
        site.edit.cut(span.offset)
    return Outcome(site.mark(span), site.disk())


@vhd_damage("fixed-checksum", "V1", bases=FIXED, severity=Severity.WARNING, recovery=Recovery.RESTORABLE)
def fixed_checksum(site: VhdSite) -> Outcome:
    """The only footer has a bad checksum; its values are still plausible (place 1: the size changed)."""
    span = _footer(site)
    site.edit.flip(span.offset + (64, 53)[site.place], 2)
    return Outcome(site.mark(span), site.disk() if site.place else ())


@vhd_damage("fixed-cut", "V13", bases=FIXED, severity=Severity.ERROR)
def fixed_cut(site: VhdSite) -> Outcome:
    """A fixed disk lost its tail and its footer: 1 MiB, or half of it."""
    size = site.image.spec.virtual_size
    gone = site.edit.cut((size - MIB, size // 2)[site.place])
    return Outcome(site.mark(gone), (Span(gone.offset, size - gone.offset),), Severity.FATAL)


@vhd_damage("fixed-middle-lost", "V13", bases=FIXED, severity=Severity.ERROR)
def fixed_middle_lost(site: VhdSite) -> Outcome:
    """The footer is right, but the file is shorter than CurrentSize + 512: bytes are missing before it."""
    size = site.image.spec.virtual_size
    cut = size - (MIB, 512)[site.place]
    site.edit.cut(cut)
    site.edit.write(cut, site.image.footer.pack())
    return Outcome(site.mark(Span(cut, 512)), site.disk())


@vhd_damage("junk-behind-footer", "V13", "V1", bases=("vhd-fixed", "vhd"), severity=Severity.WARNING)
def junk_behind_footer(site: VhdSite) -> Outcome:
    """Junk follows the footer: 512 bytes, or 64 KiB of zeros."""
    end = site.image.size
    junk = noise(22, "junk", 512) if site.place == 0 else bytes(64 * KIB)
    span = site.edit.write(end, junk)
    return Outcome(site.mark(span, _footer(site)), recovery=Recovery.RESTORABLE)
