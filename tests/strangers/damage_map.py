"""Damages that leave a legal but wrong BAT: at most a copy in the log tells (spec X15, X19)."""

from __future__ import annotations

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Recovery, Severity
from .model import Span
from .vhdx_codec import bat_entry
from .vhdx_surgery import entry, full_blocks, put_entry, victim

LOGGED = ("clean", "nolog")
COPY = "the newest copy of this BAT page in the stale log differs"


def silent(site: VhdxSite, blocks: tuple[int, ...], why: str) -> Outcome:
    """A plausible wrong map: detectable exactly when the log holds a copy."""
    seen = site.logged
    return Outcome(
        site.mark(*(site.image.block_entry(block) for block in blocks)),
        tuple(site.image.guest(block) for block in blocks),
        None if seen else Severity.NONE,
        seen,
        COPY if seen else why,
        Recovery.RESTORABLE if seen else Recovery.PARTIAL,
    )


@vhdx_damage("map-swapped", "X15", bases=LOGGED, severity=Severity.WARNING)
def map_swapped(site: VhdxSite) -> Outcome:
    """Two entries changed places (the first two, or the first and the last)."""
    blocks = full_blocks(site)
    first, second = blocks[0], blocks[1 if site.place == 0 else -1]
    one, two = entry(site, first), entry(site, second)
    put_entry(site, first, two)
    put_entry(site, second, one)
    return silent(site, (first, second), "both entries are legal and payload has no back-pointer")


@vhdx_damage("map-to-orphan", "X15", bases=LOGGED, severity=Severity.WARNING)
def map_to_orphan(site: VhdxSite) -> Outcome:
    """An entry names an unowned place instead of its own."""
    block = victim(site)
    put_entry(site, block, bat_entry(6, site.image.layout.orphans[site.place].offset))
    return silent(site, (block,), "a plausible offset in an unowned area")


@vhdx_damage("map-cleared", "X19", bases=LOGGED, severity=Severity.WARNING)
def map_cleared(site: VhdxSite) -> Outcome:
    """An entry is zero: the block reads as absent, its place becomes an orphan."""
    block = victim(site)
    put_entry(site, block, 0)
    return silent(site, (block,), "one more orphan looks like a trimmed block")


@vhdx_damage("map-state-zero", "X15", bases=LOGGED, severity=Severity.WARNING)
def map_state_zero(site: VhdxSite) -> Outcome:
    """State 6 became 2 by one flipped bit; the offset stays and looks like a soft anchor."""
    block = victim(site)
    put_entry(site, block, entry(site, block) & ~7 | 2)
    return silent(site, (block,), "ZERO with an offset is legal")


@vhdx_damage("map-state-unmapped", "X15", bases=LOGGED, severity=Severity.WARNING)
def map_state_unmapped(site: VhdxSite) -> Outcome:
    """State 6 became 3, or 1; the offset stays and looks like a soft anchor."""
    block = victim(site)
    put_entry(site, block, entry(site, block) & ~7 | (3, 1)[site.place])
    return silent(site, (block,), "UNMAPPED and UNDEFINED with an offset are legal")


@vhdx_damage("map-absent-with-offset", "X16", bases=LOGGED, severity=Severity.WARNING)
def map_absent_with_offset(site: VhdxSite) -> Outcome:
    """State 6 became 0 while the offset stayed: NOT_PRESENT must have offset 0 (spec 1.3)."""
    block = victim(site)
    put_entry(site, block, entry(site, block) & ~7)
    result = silent(site, (block,), "")
    return Outcome(result.where, result.lost, Severity.WARNING, True, "", Recovery.RESTORABLE)


@vhdx_damage("map-zero-becomes-full", "X15", bases=LOGGED, severity=Severity.WARNING, places=(0,))
def map_soft_becomes_full(site: VhdxSite) -> Outcome:
    """An UNMAPPED entry with a soft anchor became state 6: old data come back."""
    put_entry(site, 6, entry(site, 6) & ~7 | 6)
    return silent(site, (6,), "a legal entry")


@vhdx_damage("map-shifted", "X14", "X15", bases=LOGGED, severity=Severity.WARNING)
def map_shifted(site: VhdxSite) -> Outcome:
    """The whole BAT is shifted by one entry, up (the last one runs past the count) or down."""
    image = site.image
    table = Span(image.layout.bat.offset, 8 * image.layout.geometry.entries)
    raw = site.edit.read(table)
    if site.place == 0:
        site.edit.write(table.offset, bytes(8) + raw)
        last = Span(table.end, 8)
        marks = site.mark(table, last)
        return Outcome(marks, site.disk(), Severity.WARNING, True, "", Recovery.RESTORABLE)
    site.edit.write(table.offset, raw[8:] + bytes(8))
    seen = site.logged
    why = COPY if seen else "every entry is legal; only one orphan appeared"
    least = None if seen else Severity.NONE
    return Outcome(site.mark(table), site.disk(), least, seen, why, Recovery.RESTORABLE)


@vhdx_damage("map-zeroed", "X15", "X19", bases=LOGGED, severity=Severity.WARNING, places=(0,))
def map_zeroed(site: VhdxSite) -> Outcome:
    """The BAT page is zeros: an empty disk, but the file holds megabytes nobody owns."""
    span = site.edit.zero(Span(site.image.layout.bat.offset, 4096))
    known = Recovery.RESTORABLE if site.logged else Recovery.NOTHING
    reason = COPY if site.logged else "all payload space became orphaned at once"
    return Outcome(site.mark(span), site.disk(), reason=reason, recovery=known)


@vhdx_damage("map-sector-lost", "X15", "X19", bases=("wide",), severity=Severity.WARNING)
def map_sector_lost(site: VhdxSite) -> Outcome:
    """512 bytes of the BAT are zeros: 64 entries, the first or the last in use."""
    image = site.image
    index = image.layout.geometry.payload((0, full_blocks(site)[-1])[site.place])
    span = Span(image.layout.bat.offset + index // 64 * 512, 512)
    site.edit.zero(span)
    gone = [b for b in full_blocks(site) if span.overlaps(image.block_entry(b))]
    lost = tuple(image.guest(block) for block in gone)
    reason = "no copy in the log; the blocks become orphans, which is legal"
    return Outcome(site.mark(span), lost, Severity.NONE, False, reason, Recovery.PARTIAL)


@vhdx_damage("map-lost-write", "X15", severity=Severity.WARNING, places=(0,))
def map_lost_write(site: VhdxSite) -> Outcome:
    """A lost write: the BAT page holds the version before, the log has the newest."""
    image = site.image
    old = next(page for page in image.old_pages if page.offset == image.layout.bat.offset)
    assert old.data is not None
    span = site.edit.write(old.offset, old.data)
    return Outcome(site.mark(span), image.last_step, reason=COPY, recovery=Recovery.RESTORABLE)


@vhdx_damage(
    "payload-lost",
    "X17",
    severity=Severity.NONE,
    detectable=False,
    reason="payload has no checksum; zeros or old bytes are as good as any",
)
def payload_lost(site: VhdxSite) -> Outcome:
    """The first 4 KiB of a block's payload read as zeros."""
    block = victim(site)
    span = site.edit.zero(Span(site.image.layout.home(block), 4096))
    return Outcome(site.mark(span), (Span(site.image.guest(block).offset, 4096),))
