"""Damages around a log that must be replayed (spec X7, X8)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Recovery, Severity
from .model import GIB, MIB, Span
from .vhdx_codec import PAGE
from .vhdx_logbytes import Entry, Page
from .vhdx_surgery import change_headers, change_log, entry_spans, resign, with_guids

PENDING = ("pending",)
LATER = "entries of the same GUID with higher sequence numbers follow behind the break"


def _session(site: VhdxSite) -> tuple[Span, ...]:
    """All entries of the session the header names."""
    log = site.image.layout.log
    mine = site.image.header.log_guid
    return tuple(p.spans(log)[0] for p in site.image.log_entries if p.entry.guid == mine)


def _log(site: VhdxSite, *spans: Span, reason: str = "", recovery: Recovery = Recovery.PARTIAL) -> Outcome:
    """The log cannot be trusted: everything it changes is unknowable."""
    return Outcome(site.mark(*spans), site.image.replay_ranges, reason=reason, recovery=recovery)


@vhdx_damage("log-all-crc", "X7", bases=PENDING, severity=Severity.ERROR)
def log_all_crc(site: VhdxSite) -> Outcome:
    """Every entry of the session has a bad checksum (spec 5.2): the field, or a byte behind it."""
    spans = _session(site)
    for span in spans:
        site.edit.flip(span.offset + (4, 56)[site.place], 2)
    return _log(site, site.image.layout.log, *spans, recovery=Recovery.RESTORABLE)


@vhdx_damage("log-zeroed", "X7", bases=PENDING, severity=Severity.ERROR)
def log_zeroed(site: VhdxSite) -> Outcome:
    """The log reads as zeros, all of it or the first 64 KiB, while LogGuid is set."""
    log = site.image.layout.log
    span = site.edit.zero(Span(log.offset, (log.size, 64 * 1024)[site.place]))
    return _log(site, span)


@vhdx_damage("log-guid-unknown", "X7", bases=PENDING, severity=Severity.ERROR)
def log_guid_unknown(site: VhdxSite) -> Outcome:
    """LogGuid names a session the log does not hold (both headers, or the current one only)."""
    only = site.place == 1
    spans = change_headers(site, lambda h: with_guids(h, log_guid="unknown"), current_only=only)
    return _log(site, *spans, site.image.layout.log, recovery=Recovery.RESTORABLE)


@vhdx_damage("log-guid-cleared", "X7", bases=PENDING, severity=Severity.WARNING)
def log_guid_cleared(site: VhdxSite) -> Outcome:
    """The headers fell back to a version with an empty log (both, or only the current one)."""
    only = site.place == 1
    spans = change_headers(site, lambda h: with_guids(h, log_guid=""), current_only=only)
    reason = "the newest session in the log holds pages that differ from the disk"
    if only:
        reason += "; the other header names that session"
    return _log(site, *spans, site.image.layout.log, reason=reason, recovery=Recovery.RESTORABLE)


@vhdx_damage("log-entry-crc", "X7", bases=PENDING, severity=Severity.ERROR)
def log_entry_crc(site: VhdxSite) -> Outcome:
    """The first or second needed entry is damaged; good entries follow it, so it is no torn end."""
    span = entry_spans(site)[site.place]
    site.edit.flip(span.offset + PAGE + 100, 1)
    return _log(site, span, reason=LATER)


@vhdx_damage("log-page-zeroed", "X7", bases=PENDING, severity=Severity.ERROR)
def log_page_zeroed(site: VhdxSite) -> Outcome:
    """A data sector of the first or second needed entry reads as zeros."""
    span = entry_spans(site)[site.place]
    gone = site.edit.zero(Span(span.offset + PAGE, PAGE))
    return _log(site, gone, reason=LATER)


@vhdx_damage(
    "log-newest-crc",
    "X7",
    bases=PENDING,
    severity=Severity.NONE,
    detectable=False,
    reason="a damaged newest entry is what a crash leaves behind; the step before it is a legal state",
)
def log_newest_crc(site: VhdxSite) -> Outcome:
    """The newest entry is damaged: in its header, or in its last sector."""
    span = entry_spans(site)[-1]
    site.edit.flip((span.offset + 5, span.end - 9)[site.place], 4)
    return Outcome(site.mark(span), site.image.last_step)


@vhdx_damage("log-sequence-gap", "X7", bases=PENDING, severity=Severity.ERROR)
def log_sequence_gap(site: VhdxSite) -> Outcome:
    """A sequence number is missing before the second needed entry, or before the last."""
    count = len(entry_spans(site))
    first = (1, count - 1)[site.place]

    def later(entry: Entry) -> Entry:
        return replace(entry, sequence=entry.sequence + 1)

    spans = tuple(change_log(site, n, later) for n in range(first, count))
    return _log(site, *spans, reason=LATER)


@vhdx_damage("log-tail-outside", "X7", bases=PENDING, severity=Severity.ERROR)
def log_tail_outside(site: VhdxSite) -> Outcome:
    """Tail of every entry points outside the run: to unused space, or outside the log."""
    log = site.image.layout.log
    tail = (0x80000, 2 * MIB)[site.place]
    for placed in site.image.log_entries:
        if placed.entry.guid == site.image.header.log_guid:
            site.edit.write(log.offset + placed.start, replace(placed.entry, tail=tail).pack())
    return _log(site, *_session(site), recovery=Recovery.RESTORABLE)


@vhdx_damage("log-flushed-beyond", "X8", bases=PENDING, severity=Severity.ERROR)
def log_flushed_beyond(site: VhdxSite) -> Outcome:
    """FlushedFileOffset is above the file size (spec 5.2): the newest entry's, or every one's."""
    count = len(entry_spans(site))
    size = site.image.size + GIB

    def raised(entry: Entry) -> Entry:
        return replace(entry, flushed=size, last=size)

    spans = tuple(change_log(site, n, raised) for n in range((count - 1, 0)[site.place], count))
    return _log(site, *spans)


@vhdx_damage("log-file-cut", "X8", "X17", bases=PENDING, severity=Severity.ERROR)
def log_file_cut(site: VhdxSite) -> Outcome:
    """The file lost its tail while a log waits: one block, or 5 MiB."""
    image = site.image
    gone = site.edit.cut(image.size - (image.spec.block_size, 5 * MIB)[site.place])
    low = gone.offset - image.spec.block_size
    lost = [image.guest(h.number) for h in image.layout.homes if h.offset > low]
    marks = site.mark(gone, entry_spans(site)[-1])
    return Outcome(marks, (*image.replay_ranges, *lost))


def _add(page: Page) -> Callable[[Entry], Entry]:
    return lambda entry: replace(entry, pages=(*entry.pages, page))


@vhdx_damage("log-target-head", "X7", bases=PENDING, severity=Severity.ERROR)
def log_target_head(site: VhdxSite) -> Outcome:
    """The newest entry, correctly signed, wants to overwrite a header, or the log itself."""
    log = site.image.layout.log
    page = Page((0x10000, log.offset + 0xF0000)[site.place], b"\x5a" * PAGE)
    reason = "targets below 0x30000 and in the log are illegal"
    return _log(site, change_log(site, -1, _add(page)), reason=reason)


@vhdx_damage("log-target-unaligned", "X7", bases=PENDING, severity=Severity.ERROR)
def log_target_unaligned(site: VhdxSite) -> Outcome:
    """A descriptor of a signed entry names an offset that is no multiple of 4 KiB; data, or zeros."""
    bat = site.image.layout.bat.offset
    page = Page(bat + 0x2200, b"\x5a" * PAGE if site.place == 0 else None)
    reason = "a valid checksum over an illegal descriptor is no torn write"
    return _log(site, change_log(site, -1, _add(page)), reason=reason)


@vhdx_damage("log-target-far", "X7", bases=PENDING, severity=Severity.ERROR)
def log_target_far(site: VhdxSite) -> Outcome:
    """A signed entry writes a page, or zeros, a petabyte behind the end of the file."""
    page = Page(1 << 50, b"\x5a" * PAGE if site.place == 0 else None, 1 << 40)
    span = change_log(site, -1, _add(page))
    return _log(site, span, reason="far above LastFileOffset", recovery=Recovery.RESTORABLE)


def _patched(site: VhdxSite, offset: int, data: bytes) -> Outcome:
    """Change bytes of a needed entry and sign it again: valid checksum, invalid meaning."""
    span = entry_spans(site)[site.place]
    site.edit.write(span.offset + offset, data)
    resign(site, span)
    return _log(site, span, reason=LATER)


@vhdx_damage("log-descriptor-sequence", "X7", bases=PENDING, severity=Severity.ERROR)
def log_descriptor_sequence(site: VhdxSite) -> Outcome:
    """A descriptor carries another sequence number than its entry (place: first or second entry)."""
    return _patched(site, 64 + 24, struct.pack("<Q", 12345))


@vhdx_damage("log-descriptor-signature", "X7", bases=PENDING, severity=Severity.ERROR)
def log_descriptor_signature(site: VhdxSite) -> Outcome:
    """A descriptor with an unknown signature."""
    return _patched(site, 64, b"dxsc")


@vhdx_damage("log-data-sequence", "X7", bases=PENDING, severity=Severity.ERROR)
def log_data_sequence(site: VhdxSite) -> Outcome:
    """A data sector of another sequence inside a signed entry: torn before it was signed."""
    return _patched(site, PAGE + 4, struct.pack("<I", 7))


@vhdx_damage("log-descriptor-count", "X7", bases=PENDING, severity=Severity.ERROR)
def log_descriptor_count(site: VhdxSite) -> Outcome:
    """DescriptorCount is far larger than the entry."""
    return _patched(site, 24, struct.pack("<I", 0x07FFFFFF))


@vhdx_damage("log-entry-length", "X7", bases=PENDING, severity=Severity.ERROR)
def log_entry_length(site: VhdxSite) -> Outcome:
    """EntryLength is 0, or larger than the log."""
    span = entry_spans(site)[site.place]
    site.edit.write(span.offset + 8, struct.pack("<I", (0, 64 * MIB)[site.place]))
    return _log(site, span, reason=LATER)
