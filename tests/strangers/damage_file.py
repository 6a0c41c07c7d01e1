"""Damages to the file as a whole: truncation, zeros, encryption, another format (spec X2, X17)."""

from __future__ import annotations

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Recovery, Severity
from .model import KIB, MIB, Span, noise
from .vhdx_surgery import full_blocks


def _cut(site: VhdxSite, size: int, recovery: Recovery = Recovery.PARTIAL) -> Outcome:
    """Truncate; blocks that reach over the new end are lost (all of them when nothing is to be had)."""
    image = site.image
    gone = site.edit.cut(size)
    lost = [b for b in full_blocks(site) if image.layout.home(b) + image.spec.block_size > size]
    entries = tuple(image.block_entry(b) for b in lost if image.block_entry(b).end <= size)
    ranges = site.disk() if recovery is Recovery.NOTHING else tuple(image.guest(b) for b in lost)
    return Outcome(site.mark(gone, *entries), ranges, recovery=recovery)


@vhdx_damage("cut-in-log", "X2", bases=("clean", "child"), severity=Severity.FATAL, recovery=Recovery.NOTHING)
def cut_in_log(site: VhdxSite) -> Outcome:
    """The file ends inside the log (1.5 MiB, spec 5.2), or right behind it: regions and payload are gone."""
    return _cut(site, (3 * MIB // 2, 2 * MIB)[site.place], Recovery.NOTHING)


@vhdx_damage("cut-before-bat", "X2", "X15", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def cut_before_bat(site: VhdxSite) -> Outcome:
    """The metadata survive, the BAT and all payload are gone; or the file ends inside the BAT region."""
    bat = site.image.layout.bat.offset
    return _cut(site, (bat, bat + 8 * KIB)[site.place], Recovery.NOTHING)


@vhdx_damage("cut-in-head", "X2", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def cut_in_head(site: VhdxSite) -> Outcome:
    """The file ends behind the first header, or inside the second region table."""
    return _cut(site, (0x20000, 0x48000)[site.place], Recovery.NOTHING)


@vhdx_damage("cut-tiny", "X2", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def cut_tiny(site: VhdxSite) -> Outcome:
    """The file is empty, or has 100 bytes."""
    result = _cut(site, (0, 100)[site.place], Recovery.NOTHING)
    return Outcome(site.mark(Span(0, 1)), result.lost)


@vhdx_damage("cut-tail", "X17", "X2", bases=("clean", "nolog"), severity=Severity.ERROR)
def cut_tail(site: VhdxSite) -> Outcome:
    """The tail is gone: half of the block nearest to the end, or 5 MiB (spec 5.2)."""
    image = site.image
    last = max(image.layout.home(b) for b in full_blocks(site))
    half = last + image.spec.block_size // 2
    return _cut(site, half if site.place == 0 else min(half, image.size - 5 * MIB))


@vhdx_damage("cut-little", "X17", "X2", severity=Severity.ERROR)
def cut_little(site: VhdxSite) -> Outcome:
    """The last payload block lacks its last 4 KiB, or its last byte."""
    image = site.image
    last = max(image.layout.home(b) for b in full_blocks(site))
    return _cut(site, last + image.spec.block_size - (4096, 1)[site.place])


@vhdx_damage("all-zeros", "X1", "X3", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def all_zeros(site: VhdxSite) -> Outcome:
    """The file reads as zeros from end to end (lost writes, TRIM, dedup), or all but its last MiB."""
    size = site.image.size
    tail = site.edit.read(Span(size - MIB, MIB))
    site.edit.cut(0)
    site.edit.grow(size)
    if site.place:
        site.edit.write(size - MIB, tail.rstrip(b"\0"))
    return Outcome(site.mark(Span(0, size)), site.disk())


@vhdx_damage("encrypted", "X1", "X3", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def encrypted(site: VhdxSite) -> Outcome:
    """Random bytes instead of the file: everywhere (file shortened to 3 MiB), or in the first 4 MiB."""
    if site.place == 0:
        site.edit.cut(3 * MIB)
    span = site.edit.write(0, noise(11, "encrypted", (3, 4)[site.place] * MIB))
    return Outcome(site.mark(span, Span(0, 8)), site.disk())


@vhdx_damage("head-zeroed", "X1", "X3", "X10", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def head_zeroed(site: VhdxSite) -> Outcome:
    """The first MiB is zeros (identifier, headers, region tables); place 1: log and metadata too."""
    layout = site.image.layout
    end = (MIB, layout.metadata.end)[site.place]
    span = site.edit.zero(Span(0, end))
    return Outcome(site.mark(span), site.disk())


HEADS = (
    b"QFI\xfb" + bytes(3) + b"\x03",
    b"KDMV\x01" + bytes(7),
    b"\xeb\x52\x90NTFS    \0\x02\x08",
    b"PK\x03\x04\x14\0\0\0",
    b"\x1f\x8b\x08\0",
    b"<html><body>404 Not Found</body></html>",
)


@vhdx_damage("other-format", "X1", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def other_format(site: VhdxSite) -> Outcome:
    """The file is something else by its head: QCOW2 or VMDK (large blocks: NTFS or ZIP)."""
    return _head(site, HEADS[site.place + (2 if site.image.spec.block_size > MIB else 0)])


@vhdx_damage("other-format-small", "X1", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def other_format_small(site: VhdxSite) -> Outcome:
    """A small foreign file under the name of the disk: gzip data, or an error page."""
    result = _head(site, HEADS[4 + site.place])
    site.edit.cut(len(HEADS[4 + site.place]))
    return result


def _head(site: VhdxSite, head: bytes) -> Outcome:
    site.edit.cut(0)
    site.edit.write(0, head)
    site.edit.grow(2 * MIB)
    return Outcome(site.mark(Span(0, 8)), site.disk())


@vhdx_damage("stripes-zeroed", "X1", "X4", severity=Severity.FATAL)
def stripes_zeroed(site: VhdxSite) -> Outcome:
    """Every fourth 64 KiB is zeros, as with a missing RAID member (place: which of the four)."""
    places = range(site.place * 64 * KIB, site.image.size, 256 * KIB)
    spans = [site.edit.zero(Span(at, 64 * KIB)) for at in places]
    return Outcome(site.mark(*spans[:16]), site.disk())
