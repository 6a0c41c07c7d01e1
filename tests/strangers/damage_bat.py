"""Damages to BAT entries that break a rule by themselves (spec X14 to X18)."""

from __future__ import annotations

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Recovery, Severity
from .model import MIB, Span, noise
from .vhdx_codec import bat_entry
from .vhdx_surgery import entry, full_blocks, item_data, put_entry, put_index, put_u32, victim

LOGGED = ("clean", "nolog")


def outcome(site: VhdxSite, *blocks: int, extra: tuple[Span, ...] = ()) -> Outcome:
    """Blame the entries of the blocks; they are restorable when the log has a copy."""
    spans = tuple(site.image.block_entry(block) for block in blocks) + extra
    return Outcome(
        site.mark(*spans),
        tuple(site.image.guest(block) for block in blocks),
        recovery=Recovery.RESTORABLE if site.logged else Recovery.PARTIAL,
    )


@vhdx_damage("bat-beyond-eof", "X17", bases=LOGGED, severity=Severity.ERROR)
def bat_beyond_eof(site: VhdxSite) -> Outcome:
    """An entry points behind the end of the file (spec 5.2)."""
    block = victim(site)
    put_entry(site, block, bat_entry(6, site.image.size + 5 * MIB))
    return outcome(site, block)


@vhdx_damage("bat-at-eof", "X17", severity=Severity.ERROR)
def bat_at_eof(site: VhdxSite) -> Outcome:
    """A block begins 1 MiB before the end of the file (large blocks), or exactly at it (1 MiB blocks)."""
    block = victim(site)
    image = site.image
    start = image.size if image.spec.block_size == MIB else image.size - MIB
    put_entry(site, block, bat_entry(6, start))
    low = start - image.spec.block_size
    other = [b for b in full_blocks(site) if image.layout.home(b) > low and b != block]
    return outcome(site, block, *other)


@vhdx_damage("bat-offset-high-bit", "X17", severity=Severity.ERROR)
def bat_offset_high_bit(site: VhdxSite) -> Outcome:
    """A high bit of the offset is flipped: far behind the end of the file."""
    block = victim(site)
    put_entry(site, block, entry(site, block) ^ (1 << (63, 44)[site.place]))
    return outcome(site, block)


@vhdx_damage("bat-offset-zero", "X17", bases=LOGGED, severity=Severity.ERROR)
def bat_offset_zero(site: VhdxSite) -> Outcome:
    """State 6 with offset 0: the guest would read the file's own head."""
    block = victim(site)
    put_entry(site, block, bat_entry(6, 0))
    return outcome(site, block)


@vhdx_damage("bat-absent-becomes-full", "X17", severity=Severity.ERROR)
def bat_absent_becomes_full(site: VhdxSite) -> Outcome:
    """An empty entry, or a ZERO one without offset, turns into state 6."""
    block = (1, 5)[site.place]
    put_entry(site, block, bat_entry(6, 0))
    return outcome(site, block)


@vhdx_damage("bat-duplicate", "X18", bases=LOGGED, severity=Severity.ERROR)
def bat_duplicate(site: VhdxSite) -> Outcome:
    """Two entries name the same place (spec 5.2); one of the blocks shows the other's data."""
    blocks = full_blocks(site)
    first, second = (blocks[0], blocks[1]) if site.place == 0 else (blocks[-1], blocks[-2])
    put_entry(site, first, entry(site, second))
    return outcome(site, first, second)


@vhdx_damage("bat-overlap-partly", "X18", bases=("big", "biglog"), severity=Severity.ERROR)
def bat_overlap_partly(site: VhdxSite) -> Outcome:
    """An entry moved by 1 MiB: the block reaches into its neighbour."""
    image = site.image
    block = victim(site)
    start = image.layout.home(block) + (MIB if site.place == 0 else -MIB)
    put_entry(site, block, bat_entry(6, start))
    here = Span(start, image.spec.block_size)
    others = [(b, Span(image.layout.home(b), here.size)) for b in full_blocks(site) if b != block]
    hit = [b for b, span in others if span.overlaps(here)]
    result = outcome(site, block, *hit)
    if not hit:  # a neighbour that owns its space without data, or an unowned gap
        soft = image.structures.at(start + (here.size - 1 if site.place == 0 else 0))
        anchored = any(name.startswith("block.") for name in soft)
        outside = start < image.layout.bat.end or here.end > image.size
        if outside:
            return result
        seen = anchored or site.logged
        reason = "reaches into the soft anchor of another block" if seen else "reaches into an unowned gap"
        low = Severity.WARNING if seen else Severity.NONE
        return Outcome(result.where, result.lost, low, seen, reason, result.recovery)
    return result


@vhdx_damage("bat-into-region", "X18", bases=LOGGED, severity=Severity.ERROR)
def bat_into_region(site: VhdxSite) -> Outcome:
    """An entry points into the BAT (spec 5.2), or into the metadata region."""
    layout = site.image.layout
    block = victim(site)
    target = (layout.bat, layout.metadata)[site.place]
    put_entry(site, block, bat_entry(6, target.offset))
    return outcome(site, block, extra=(target,))


@vhdx_damage("bat-into-log", "X18", severity=Severity.ERROR)
def bat_into_log(site: VhdxSite) -> Outcome:
    """An entry points into the log: the next session would destroy the block."""
    block = victim(site)
    put_entry(site, block, bat_entry(6, site.image.layout.log.offset))
    return outcome(site, block, extra=(site.image.layout.log,))


@vhdx_damage("bat-state-4", "X16", severity=Severity.ERROR)
def bat_state_4(site: VhdxSite) -> Outcome:
    """A reserved state: 6 became 4 by one flipped bit."""
    block = victim(site)
    put_entry(site, block, entry(site, block) & ~7 | 4)
    return outcome(site, block)


@vhdx_damage("bat-state-5", "X16", bases=LOGGED, severity=Severity.ERROR)
def bat_state_5(site: VhdxSite) -> Outcome:
    """A reserved state: 5 (spec 5.2)."""
    block = victim(site)
    put_entry(site, block, entry(site, block) & ~7 | 5)
    return outcome(site, block)


@vhdx_damage("bat-state-7-in-base", "X20", bases=LOGGED, severity=Severity.ERROR)
def bat_state_7_in_base(site: VhdxSite) -> Outcome:
    """PARTIALLY_PRESENT in a base disk: 6 became 7 by one flipped bit (Microsoft reads it as 6)."""
    block = victim(site)
    put_entry(site, block, entry(site, block) | 7)
    result = outcome(site, block)
    return Outcome(result.where, result.lost, recovery=Recovery.RESTORABLE)


@vhdx_damage("bat-reserved-bits", "X16", severity=Severity.ERROR, recovery=Recovery.RESTORABLE)
def bat_reserved_bits(site: VhdxSite) -> Outcome:
    """A reserved bit (3 or 19) is set; state and offset are unharmed."""
    block = victim(site)
    put_entry(site, block, entry(site, block) ^ (1 << (3, 19)[site.place]))
    return outcome(site, block)


@vhdx_damage("bat-past-count", "X14", severity=Severity.WARNING, recovery=Recovery.INTACT)
def bat_past_count(site: VhdxSite) -> Outcome:
    """An entry behind the last block is in state 6 and names an unowned place, or a used one."""
    image = site.image
    index = image.layout.geometry.entries + (0, 7)[site.place]
    offset = image.layout.orphans[0].offset if site.place == 0 else image.layout.home(victim(site))
    return Outcome(site.mark(put_index(site, index, bat_entry(6, offset))))


@vhdx_damage("bat-block-size-halved", "X14", bases=("big", "biglog"), severity=Severity.WARNING, places=(0,))
def block_size_halved(site: VhdxSite) -> Outcome:
    """BlockSize is halved in the metadata (spec 5.2): the disk is stretched over half-empty blocks."""
    spec = site.image.spec
    span = put_u32(site, item_data(site, "parameters").offset, spec.block_size // 2)
    reason = "every owned place is followed by an unowned half; all spacings are even multiples"
    if site.logged:
        reason = "the log holds the old metadata page; " + reason
    return Outcome(site.mark(span), site.disk(), reason=reason, recovery=Recovery.RESTORABLE)


@vhdx_damage(
    "bat-block-size-doubled",
    "X14",
    "X18",
    bases=("big", "clean"),
    severity=Severity.ERROR,
    places=(0,),
)
def block_size_doubled(site: VhdxSite) -> Outcome:
    """BlockSize is doubled: blocks overlap, and entries lie past the count."""
    spec = site.image.spec
    span = put_u32(site, item_data(site, "parameters").offset, spec.block_size * 2)
    return Outcome(site.mark(span, site.image.layout.bat), site.disk(), recovery=Recovery.RESTORABLE)


@vhdx_damage("bat-page-foreign", "X15", "X16", bases=LOGGED, severity=Severity.ERROR)
def bat_page_foreign(site: VhdxSite) -> Outcome:
    """The first page of the BAT holds foreign bytes, or all ones."""
    span = Span(site.image.layout.bat.offset, 4096)
    site.edit.write(span.offset, noise(8, "bat", 4096) if site.place == 0 else b"\xff" * 4096)
    known = Recovery.RESTORABLE if site.logged else Recovery.NOTHING
    return Outcome(site.mark(span), site.disk(), recovery=known)


@vhdx_damage("bat-misdirected", "X15", "X16", severity=Severity.ERROR)
def bat_misdirected(site: VhdxSite) -> Outcome:
    """A misdirected write: a page of payload, or of the metadata table, lies on the BAT."""
    image = site.image
    source = (image.layout.home(full_blocks(site)[0]), image.layout.metadata.offset)[site.place]
    page = site.edit.read(Span(source, 4096))
    span = site.edit.write(image.layout.bat.offset, page)
    return Outcome(site.mark(span), site.disk(), recovery=Recovery.RESTORABLE)


@vhdx_damage("fixed-entry-cleared", "X15", bases=("fixed",), severity=Severity.ERROR)
def fixed_entry_cleared(site: VhdxSite) -> Outcome:
    """An entry of a fixed disk is zero, though every block must be present."""
    block = victim(site)
    put_entry(site, block, 0)
    lost = (site.image.guest(block),)
    return Outcome(site.mark(site.image.block_entry(block)), lost, recovery=Recovery.RESTORABLE)


@vhdx_damage("fixed-bat-zeroed", "X15", bases=("fixed",), severity=Severity.ERROR, places=(0,))
def fixed_bat_zeroed(site: VhdxSite) -> Outcome:
    """The whole BAT of a fixed disk is zeros; its order is known: first + b * BlockSize."""
    span = site.edit.zero(Span(site.image.layout.bat.offset, 4096))
    return Outcome(site.mark(span), site.disk(), recovery=Recovery.RESTORABLE)


@vhdx_damage("fixed-swapped", "X15", bases=("fixed",), severity=Severity.WARNING)
def fixed_swapped(site: VhdxSite) -> Outcome:
    """Two entries of a fixed disk changed places: the only break in an otherwise perfect order."""
    blocks = full_blocks(site)
    first, second = (blocks[0], blocks[1]) if site.place == 0 else (blocks[-1], blocks[-2])
    one, two = entry(site, first), entry(site, second)
    put_entry(site, first, two)
    put_entry(site, second, one)
    lost = (site.image.guest(first), site.image.guest(second))
    spans = site.mark(site.image.block_entry(first), site.image.block_entry(second))
    return Outcome(
        spans,
        lost,
        Severity.NONE,
        detectable=False,
        reason="a fixed disk may have been converted from a dynamic one; order alone proves nothing",
        recovery=Recovery.RESTORABLE,
    )
