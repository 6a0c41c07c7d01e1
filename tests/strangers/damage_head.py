"""Damages to the file identifier and the headers (spec X1, X3 to X6, X28)."""

from __future__ import annotations

from dataclasses import replace

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Recovery, Severity
from .model import MIB, Span, noise
from .vhdx_codec import HEADER_OFFSETS, HEADER_SIZE, Header
from .vhdx_surgery import change_headers, header, put_header, with_guids


def _slot(site: VhdxSite, slot: int) -> Span:
    return Span(HEADER_OFFSETS[slot], HEADER_SIZE)


@vhdx_damage("identifier-wiped", "X1", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def identifier_wiped(site: VhdxSite) -> Outcome:
    """The signature is gone: the first 4 KiB are zeros, or the first 512 bytes are foreign."""
    size = (4096, 512)[site.place]
    span = site.edit.write(0, bytes(size) if site.place == 0 else noise(3, "torn", size))
    return Outcome(site.mark(Span(0, 8), span))


@vhdx_damage("identifier-bit", "X1", severity=Severity.FATAL, recovery=Recovery.RESTORABLE)
def identifier_bit(site: VhdxSite) -> Outcome:
    """One bit of the signature is flipped."""
    return Outcome(site.mark(site.edit.flip((0, 7)[site.place], 3), Span(0, 8)))


@vhdx_damage("header-current-crc", "X4", severity=Severity.WARNING, recovery=Recovery.INTACT)
def header_current_crc(site: VhdxSite) -> Outcome:
    """The checksum of the current header is wrong; the older copy names the same state (spec 5.2)."""
    current = site.image.spec.current_slot
    site.edit.flip(HEADER_OFFSETS[current] + 4, 0)
    return Outcome(site.mark(_slot(site, current)))


@vhdx_damage("header-older-crc", "X4", severity=Severity.WARNING, recovery=Recovery.INTACT)
def header_older_crc(site: VhdxSite) -> Outcome:
    """A byte of the older header changed."""
    older = 1 - site.image.spec.current_slot
    site.edit.flip(HEADER_OFFSETS[older] + 40, 5)
    return Outcome(site.mark(_slot(site, older)))


@vhdx_damage("header-zeroed", "X4", severity=Severity.WARNING, recovery=Recovery.INTACT)
def header_zeroed(site: VhdxSite) -> Outcome:
    """The page of the current header reads as zeros (place: it is the first or the second copy)."""
    return Outcome(site.mark(site.edit.zero(_slot(site, site.place))))


@vhdx_damage("header-torn", "X4", severity=Severity.WARNING, recovery=Recovery.INTACT)
def header_torn(site: VhdxSite) -> Outcome:
    """A 512-byte sector in the reserved part of the older header holds foreign bytes."""
    older = 1 - site.image.spec.current_slot
    site.edit.write(HEADER_OFFSETS[older] + 1024, noise(4, "torn", 512))
    return Outcome(site.mark(_slot(site, older)))


@vhdx_damage("header-signature", "X4", severity=Severity.WARNING, recovery=Recovery.INTACT)
def header_signature(site: VhdxSite) -> Outcome:
    """The signature of the current header is damaged (place: first or second copy)."""
    site.edit.write(HEADER_OFFSETS[site.place], b"haed")
    return Outcome(site.mark(_slot(site, site.place)))


@vhdx_damage(
    "headers-both",
    "X3",
    bases=("clean", "child"),
    severity=Severity.FATAL,
    recovery=Recovery.RESTORABLE,
)
def headers_both(site: VhdxSite) -> Outcome:
    """Both headers are lost: bad checksums, or both pages zero."""
    for slot in (0, 1):
        if site.place:
            site.edit.zero(_slot(site, slot))
        else:
            site.edit.flip(HEADER_OFFSETS[slot] + 5, 1)
    return Outcome(site.mark(_slot(site, 0), _slot(site, 1)))


@vhdx_damage("headers-both-pending", "X3", bases=("pending",), severity=Severity.FATAL)
def headers_both_pending(site: VhdxSite) -> Outcome:
    """Both headers are lost while a log waits: only the log itself tells that it must be replayed."""
    for slot in (0, 1):
        site.edit.zero(_slot(site, slot))
    marks = site.mark(_slot(site, 0), _slot(site, 1))
    return Outcome(marks, site.image.replay_ranges, recovery=Recovery.RESTORABLE)


@vhdx_damage("headers-equal-sequence", "X5", severity=Severity.WARNING, recovery=Recovery.INTACT)
def headers_equal_sequence(site: VhdxSite) -> Outcome:
    """Equal sequence numbers but different contents (file GUID, or data GUID)."""
    older = 1 - site.image.spec.current_slot
    label = ("file_guid", "data_guid")[site.place]
    changed = with_guids(header(site, older), **{label: "another"})
    put_header(site, older, replace(changed, sequence=site.image.header.sequence))
    return Outcome(site.mark(_slot(site, 0), _slot(site, 1)))


@vhdx_damage(
    "header-rollback",
    "X5",
    severity=Severity.NONE,
    recovery=Recovery.INTACT,
    detectable=False,
    reason="two byte-identical headers are what Disk2vhd writes; both copies named the same state",
)
def header_rollback(site: VhdxSite) -> Outcome:
    """The current header is replaced by a copy of the older one."""
    current = site.image.spec.current_slot
    site.edit.write(HEADER_OFFSETS[current], site.edit.read(_slot(site, 1 - current)))
    return Outcome(site.mark(_slot(site, current)))


@vhdx_damage("header-version", "X6", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def header_version(site: VhdxSite) -> Outcome:
    """Format version 2 under a valid checksum, in both headers or in the current one only."""
    only = site.place == 1
    spans = change_headers(site, lambda h: replace(h, version=2), current_only=only)
    return Outcome(site.mark(*spans), site.disk())


@vhdx_damage(
    "log-version",
    "X6",
    severity=Severity.INFO,
    recovery=Recovery.INTACT,
    reason="the log is empty, so nothing depends on its version; X6 and section 1.1 differ here",
)
def log_version(site: VhdxSite) -> Outcome:
    """LogVersion 1 while the log is empty."""
    spans = change_headers(site, lambda h: replace(h, log_version=1), current_only=site.place == 1)
    return Outcome(site.mark(*spans))


@vhdx_damage("log-version-pending", "X6", bases=("pending",), severity=Severity.ERROR)
def log_version_pending(site: VhdxSite) -> Outcome:
    """LogVersion 1 while a log waits: it must not be replayed."""
    spans = change_headers(site, lambda h: replace(h, log_version=1), current_only=site.place == 1)
    return Outcome(site.mark(*spans), site.image.replay_ranges)


def _log_field(site: VhdxSite, changed: Header, slots: tuple[int, ...]) -> Outcome:
    for slot in slots:
        put_header(site, slot, replace(changed, sequence=header(site, slot).sequence))
    return Outcome(site.mark(*(_slot(site, slot) for slot in slots)))


@vhdx_damage("log-misplaced", "X6", severity=Severity.WARNING, recovery=Recovery.INTACT)
def log_misplaced(site: VhdxSite) -> Outcome:
    """The (empty) log is named at an unaligned offset, or far outside the file."""
    offset = (MIB + 4096, 1 << 40)[site.place]
    return _log_field(site, replace(site.image.header, log_offset=offset), (0, 1))


@vhdx_damage("log-over-regions", "X6", "X11", severity=Severity.ERROR, recovery=Recovery.INTACT)
def log_over_regions(site: VhdxSite) -> Outcome:
    """The (empty) log covers the metadata region, or the BAT: the next writer destroys them."""
    layout = site.image.layout
    target = (layout.metadata, layout.bat)[site.place]
    return _log_field(site, replace(site.image.header, log_offset=target.offset), (0, 1))


@vhdx_damage("log-length", "X6", severity=Severity.WARNING, recovery=Recovery.INTACT)
def log_length(site: VhdxSite) -> Outcome:
    """The length of the (empty) log is no multiple of 1 MiB, or larger than the file."""
    length = (MIB + 512, 0xFFF00000)[site.place]
    return _log_field(site, replace(site.image.header, log_length=length), (0, 1))


@vhdx_damage("log-length-zero", "X6", "X7", bases=("pending",), severity=Severity.ERROR)
def log_length_zero(site: VhdxSite) -> Outcome:
    """LogLength 0 although LogGuid names a session (spec 1.1: legal only with a zero GUID)."""
    spans = change_headers(site, lambda h: replace(h, log_length=0), current_only=site.place == 1)
    return Outcome(site.mark(*spans), site.image.replay_ranges)


@vhdx_damage("guid-zero", "X28", severity=Severity.WARNING, recovery=Recovery.INTACT)
def guid_zero(site: VhdxSite) -> Outcome:
    """FileWriteGuid, or DataWriteGuid, is zero in both headers."""
    label = ("file_guid", "data_guid")[site.place]
    return Outcome(site.mark(*change_headers(site, lambda h: with_guids(h, **{label: ""}))))
