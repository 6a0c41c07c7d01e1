"""Damages to the VHD block table, bitmaps, tail and chain (spec V6 to V9, V11)."""

from __future__ import annotations

import struct

from .damage import Outcome, VhdSite, vhd_damage
from .expect import Recovery, Severity
from .model import MIB, UNIT, Span, noise
from .vhd_codec import ABSENT
from .vhdx_spec import State

CHILD = ("vhd-child",)
BOTH = ("vhd", "vhd-child")


def _blocks(site: VhdSite) -> tuple[int, ...]:
    return tuple(sorted(home.number for home in site.image.homes))


def _victim(site: VhdSite) -> int:
    return _blocks(site)[-site.place]


def _get(site: VhdSite, block: int) -> int:
    value: int = struct.unpack(">I", site.edit.read(site.image.entry_span(block)))[0]
    return value


def _put(site: VhdSite, block: int, value: int) -> Span:
    return site.edit.write(site.image.entry_span(block).offset, struct.pack(">I", value & ABSENT))


def _outcome(site: VhdSite, *blocks: int) -> Outcome:
    marks = site.mark(*(site.image.entry_span(block) for block in blocks))
    return Outcome(marks, tuple(site.image.guest(block) for block in blocks))


def _silent(site: VhdSite, why: str, *blocks: int) -> Outcome:
    outcome = _outcome(site, *blocks)
    return Outcome(outcome.where, outcome.lost, Severity.NONE, False, why)


@vhd_damage("entry-beyond-eof", "V6", bases=BOTH, severity=Severity.ERROR)
def entry_beyond_eof(site: VhdSite) -> Outcome:
    """An entry points behind the end of the file (spec 5.2; place: first or last block)."""
    block = _victim(site)
    _put(site, block, site.image.size // UNIT + 4096)
    return _outcome(site, block)


@vhd_damage("entry-at-eof", "V6", severity=Severity.ERROR)
def entry_at_eof(site: VhdSite) -> Outcome:
    """A block would reach over the footer: it starts 1 sector, or 1 MiB, before the end of the data."""
    block = _victim(site)
    start = site.image.structures["footer"].offset - (UNIT, site.image.spec.block_size // 2)[site.place]
    _put(site, block, start // UNIT)
    last = site.image.homes[-1].number
    return _outcome(site, *dict.fromkeys((block, last)))


@vhd_damage("entry-into-head", "V6", "V7", severity=Severity.ERROR)
def entry_into_head(site: VhdSite) -> Outcome:
    """An entry is 0 (the footer copy), or names the table itself."""
    block = _victim(site)
    _put(site, block, (0, site.image.structures["bat"].offset // UNIT)[site.place])
    return _outcome(site, block)


@vhd_damage("entry-duplicate", "V7", bases=BOTH, severity=Severity.ERROR)
def entry_duplicate(site: VhdSite) -> Outcome:
    """Two entries name the same block (spec 5.2)."""
    blocks = _blocks(site)
    first, second = (blocks[0], blocks[1]) if site.place == 0 else (blocks[-1], blocks[-2])
    _put(site, first, _get(site, second))
    return _outcome(site, first, second)


@vhd_damage("entry-off-by-one", "V7", severity=Severity.ERROR)
def entry_off_by_one(site: VhdSite) -> Outcome:
    """An entry is one sector too high (place 1: eight): the block runs into its neighbour or the footer."""
    image = site.image
    home = next(h for n, h in enumerate(image.homes) if n == site.place)
    shift = (1, 8)[site.place]
    _put(site, home.number, home.offset // UNIT + shift)
    end = home.offset + shift * UNIT + image.bitmap_size + image.spec.block_size
    hit = [h.number for h in image.homes if home.offset < h.offset < end]
    outcome = _outcome(site, home.number, *hit)
    if not hit and all(span.offset >= end for span in image.structures.like("footer")):
        why = "the block reaches into an unowned slot or alignment gap"
        return Outcome(outcome.where, outcome.lost, Severity.NONE, False, why)
    return outcome


@vhd_damage("entries-swapped", "V7", severity=Severity.NONE)
def entries_swapped(site: VhdSite) -> Outcome:
    """Two entries changed places."""
    blocks = _blocks(site)
    first, second = (blocks[0], blocks[1]) if site.place == 0 else (blocks[-1], blocks[-2])
    one, two = _get(site, first), _get(site, second)
    _put(site, first, two)
    _put(site, second, one)
    return _silent(site, "both entries are legal; VHD keeps no history", first, second)


@vhd_damage("entry-to-free-slot", "V8", severity=Severity.NONE)
def entry_to_free_slot(site: VhdSite) -> Outcome:
    """An entry names the slot nobody owns."""
    block = _victim(site)
    _put(site, block, site.image.structures["orphan.0"].offset // UNIT)
    return _silent(site, "a plausible place at the right stride", block)


@vhd_damage("entry-cleared", "V8", bases=BOTH, severity=Severity.NONE)
def entry_cleared(site: VhdSite) -> Outcome:
    """An entry is FFFFFFFF: one more unowned slot."""
    block = _victim(site)
    _put(site, block, ABSENT)
    return _silent(site, "a slot without owner is legal (info at most)", block)


@vhd_damage("table-zeroed", "V6", "V7", severity=Severity.ERROR, recovery=Recovery.NOTHING)
def table_zeroed(site: VhdSite) -> Outcome:
    """The first 512 bytes of the table are zeros, or foreign bytes."""
    bat = site.image.structures["bat"]
    size = min(bat.size, 512)
    span = site.edit.write(bat.offset, bytes(size) if site.place == 0 else noise(23, "bat", size))
    return Outcome(site.mark(span), site.disk())


@vhd_damage("table-all-absent", "V8", severity=Severity.WARNING, recovery=Recovery.NOTHING, places=(0,))
def table_all_absent(site: VhdSite) -> Outcome:
    """The whole table is FF: an empty disk in a file full of unowned blocks."""
    bat = site.image.structures["bat"]
    span = site.edit.write(bat.offset, b"\xff" * bat.size)
    return Outcome(site.mark(span), site.disk(), reason="all block space became unowned at once")


@vhd_damage("table-padding", "V9", severity=Severity.INFO, recovery=Recovery.INTACT, places=(0,))
def table_padding(site: VhdSite) -> Outcome:
    """The padding behind the last entry is not FF."""
    count = -(-site.image.spec.virtual_size // site.image.spec.block_size)
    bat = site.image.structures["bat"]
    padding = Span(bat.offset + 4 * count, bat.size - 4 * count)
    if padding.size == 0:
        return Outcome(site.mark(padding), severity=Severity.NONE, detectable=False, reason="no padding")
    return Outcome(site.mark(site.edit.zero(padding)))


@vhd_damage("bitmap-zeroed", "V9", severity=Severity.INFO, recovery=Recovery.INTACT)
def vhd_bitmap_zeroed(site: VhdSite) -> Outcome:
    """A dynamic disk's bitmap is zeros: most readers ignore it, libvhdi then shows zeros."""
    block = _victim(site)
    span = site.image.structures[f"bitmap.{block}"]
    return Outcome(site.mark(site.edit.zero(span)), (site.image.guest(block),))


@vhd_damage("child-bitmap-lost", "V9", bases=CHILD, severity=Severity.NONE, detectable=False)
def child_bitmap_lost(site: VhdSite) -> Outcome:
    """A child's bitmap is zeros, or all ones: the parent shows through, or is hidden."""
    image = site.image
    partial = [plan.index for plan in image.spec.blocks if plan.state is State.PARTIAL]
    block = partial[-site.place]
    span = image.structures[f"bitmap.{block}"]
    site.edit.write(span.offset, (b"\0", b"\xff")[site.place] * span.size)
    return Outcome(site.mark(span), (image.guest(block),), reason="bitmaps have no checksum")


@vhd_damage("tail-cut", "V1", "V6", bases=BOTH, severity=Severity.ERROR)
def tail_cut(site: VhdSite) -> Outcome:
    """The tail is cut (spec 5.2): half of the last block, or 5 MiB (small files: 1.5 blocks)."""
    image = site.image
    block = image.spec.block_size
    size = (image.size - block // 2, max(image.size - 5 * MIB, image.size - 3 * block // 2))[site.place]
    gone = site.edit.cut(size)
    lost = [h.number for h in image.homes if h.offset + image.bitmap_size + block > size]
    outcome = _outcome(site, *lost)
    return Outcome((*site.mark(gone), *outcome.where), outcome.lost)


@vhd_damage("cut-in-head-vhd", "V1", "V5", severity=Severity.FATAL, recovery=Recovery.NOTHING)
def vhd_cut_in_head(site: VhdSite) -> Outcome:
    """The file ends inside the dynamic header, or behind the block table."""
    size = (1024, site.image.structures["bat"].end)[site.place]
    return Outcome(site.mark(site.edit.cut(size)), site.disk())
