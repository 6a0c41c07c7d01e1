"""Damages to sector bitmaps and their BAT entries (spec X20, X21)."""

from __future__ import annotations

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Recovery, Severity
from .model import MIB, Span, merge
from .vhdx_codec import bat_entry
from .vhdx_surgery import entry, partial_blocks, put_entry, put_index

BOTH = ("chunks",)
NO_SUM = "bitmaps have no checksum and any bit pattern is legal"


def _blocks(site: VhdxSite) -> tuple[int, ...]:
    """Partial blocks of chunk 0 or chunk 1."""
    return partial_blocks(site, site.place if site.base == "chunks" else 0)


def _entry(site: VhdxSite, value: int, extra: tuple[Span, ...] = ()) -> Outcome:
    """Overwrite the bitmap entry of the chunk."""
    index = site.image.layout.geometry.bitmap(site.place)
    span = put_index(site, index, value)
    lost = tuple(site.image.guest(block) for block in _blocks(site))
    return Outcome(site.mark(span, *extra), lost)


@vhdx_damage("bitmap-entry-absent", "X20", bases=BOTH, severity=Severity.ERROR)
def bitmap_entry_absent(site: VhdxSite) -> Outcome:
    """Blocks in state 7 without a bitmap: its entry is zero (place: chunk 0 or 1)."""
    result = _entry(site, 0)
    return Outcome(result.where, result.lost, recovery=Recovery.RESTORABLE)


@vhdx_damage("bitmap-entry-state", "X20", "X16", bases=BOTH, severity=Severity.ERROR)
def bitmap_entry_state(site: VhdxSite) -> Outcome:
    """The bitmap entry is in a reserved state (5), its offset is right."""
    home = site.image.layout.bitmaps
    offset = next(h.offset for h in home if h.number == site.place)
    result = _entry(site, bat_entry(5, offset))
    return Outcome(result.where, result.lost, recovery=Recovery.RESTORABLE)


@vhdx_damage("bitmap-beyond-eof", "X20", "X17", bases=BOTH, severity=Severity.ERROR)
def bitmap_beyond_eof(site: VhdxSite) -> Outcome:
    """The bitmap lies behind the end of the file."""
    return _entry(site, bat_entry(6, site.image.size + 3 * MIB))


@vhdx_damage("bitmap-offset-zero", "X20", bases=BOTH, severity=Severity.ERROR)
def bitmap_offset_zero(site: VhdxSite) -> Outcome:
    """The bitmap entry is present with offset 0."""
    return _entry(site, bat_entry(6, 0))


@vhdx_damage("bitmap-shared", "X18", bases=BOTH, severity=Severity.ERROR)
def bitmap_shared(site: VhdxSite) -> Outcome:
    """Both chunks name the same bitmap block."""
    home = site.image.layout.bitmaps
    other = next(h.offset for h in home if h.number != site.place)
    return _entry(site, bat_entry(6, other), (Span(other, MIB),))


@vhdx_damage("bitmap-on-payload", "X18", bases=BOTH, severity=Severity.ERROR)
def bitmap_on_payload(site: VhdxSite) -> Outcome:
    """The bitmap entry names a payload block."""
    block = _blocks(site)[0]
    home = site.image.layout.home(block)
    return _entry(site, bat_entry(6, home), (site.image.block_entry(block),))


@vhdx_damage("bitmap-swapped", "X20", bases=BOTH, severity=Severity.NONE, detectable=False, places=(0,))
def bitmap_swapped(site: VhdxSite) -> Outcome:
    """The bitmaps of the two chunks changed places."""
    layout = site.image.layout
    slot = layout.geometry.bitmap
    spans = [put_index(site, slot(1 - h.number), bat_entry(6, h.offset)) for h in layout.bitmaps]
    lost = tuple(site.image.guest(block) for block in partial_blocks(site))
    return Outcome(site.mark(*spans), lost, reason=NO_SUM)


def _page(site: VhdxSite, block: int) -> Span:
    """The 4 KiB page of the bitmap that holds the first bits of a block."""
    image = site.image
    geometry = image.layout.geometry
    chunk, inside = divmod(block, geometry.ratio)
    bitmap = next(h.offset for h in image.layout.bitmaps if h.number == chunk)
    byte = inside * (image.spec.block_size // image.spec.logical) // 8
    return Span(bitmap + byte // 4096 * 4096, 4096)


def _content(site: VhdxSite, page: Span, sectors: Span | None = None) -> Outcome:
    """Bits of a page are wrong; ``sectors`` narrows the loss down to a guest range."""
    touched = [site.image.guest(b) for b in partial_blocks(site) if _page(site, b) == page]
    lost = merge(touched) if sectors is None else (sectors,)
    if site.logged:
        why = "the stale log holds the newest copy of this bitmap page"
        return Outcome(site.mark(page), lost, reason=why, recovery=Recovery.RESTORABLE)
    return Outcome(site.mark(page), lost, Severity.NONE, False, NO_SUM)


@vhdx_damage("bitmap-page-zeroed", "X20", bases=("child", "chunks"), severity=Severity.WARNING)
def bitmap_page_zeroed(site: VhdxSite) -> Outcome:
    """A page of the bitmap reads as zeros: the parent shows through."""
    page = _page(site, _blocks(site)[0 if site.base == "chunks" else -site.place])
    site.edit.zero(page)
    return _content(site, page)


@vhdx_damage("bitmap-page-ones", "X20", bases=("child", "chunks"), severity=Severity.WARNING)
def bitmap_page_ones(site: VhdxSite) -> Outcome:
    """A page of the bitmap is all ones: sectors never written hide the parent."""
    page = _page(site, _blocks(site)[0 if site.base == "chunks" else -site.place])
    site.edit.write(page.offset, b"\xff" * page.size)
    return _content(site, page)


@vhdx_damage("bitmap-bit", "X20", bases=("child", "chunks"), severity=Severity.WARNING)
def bitmap_bit(site: VhdxSite) -> Outcome:
    """One bit is flipped: the first sector of a run falls back to the parent."""
    image = site.image
    block = _blocks(site)[0 if site.base == "chunks" else -site.place]
    plan = next(p for p in image.layout.plans if p.index == block)
    run = plan.runs[0]
    geometry = image.layout.geometry
    bit = (block % geometry.ratio) * (image.spec.block_size // 512) + run.offset // 512
    bitmap = next(h.offset for h in image.layout.bitmaps if h.number == block // geometry.ratio)
    site.edit.flip(bitmap + bit // 8, bit % 8)
    return _content(site, _page(site, block), Span(image.guest(block).offset + run.offset, 512))


@vhdx_damage("partial-becomes-full", "X20", bases=("child", "child-nolog"), severity=Severity.WARNING)
def partial_becomes_full(site: VhdxSite) -> Outcome:
    """State 7 became 6: never-written sectors hide the parent."""
    block = partial_blocks(site)[-site.place]
    put_entry(site, block, entry(site, block) & ~7 | 6)
    return _silent(site, block)


@vhdx_damage("partial-becomes-absent", "X15", bases=("child", "child-nolog"), severity=Severity.WARNING)
def partial_becomes_absent(site: VhdxSite) -> Outcome:
    """The entry of a partial block is zero: the parent shows through everywhere."""
    block = partial_blocks(site)[-site.place]
    put_entry(site, block, 0)
    return _silent(site, block)


@vhdx_damage("zero-becomes-absent", "X15", bases=("child", "child-nolog"), severity=Severity.WARNING)
def zero_becomes_absent(site: VhdxSite) -> Outcome:
    """ZERO became NOT_PRESENT: deleted data of the parent come back."""
    block = (1, 6)[site.place]
    put_entry(site, block, 0)
    return _silent(site, block)


def _silent(site: VhdxSite, block: int) -> Outcome:
    marks, lost = site.mark(site.image.block_entry(block)), (site.image.guest(block),)
    if site.logged:
        why = "the newest copy of this BAT page in the stale log differs"
        return Outcome(marks, lost, reason=why, recovery=Recovery.RESTORABLE)
    return Outcome(marks, lost, Severity.NONE, False, "a legal entry; no copy")


@vhdx_damage("bitmap-in-base", "X21", bases=("wide",), severity=Severity.WARNING, recovery=Recovery.INTACT)
def bitmap_in_base(site: VhdxSite) -> Outcome:
    """A base disk has a bitmap entry (chunk 0 or 1), as old QEMU versions wrote: harmless garbage."""
    index = site.image.layout.geometry.bitmap(site.place)
    offset = site.image.layout.orphans[site.place].offset
    return Outcome(site.mark(put_index(site, index, bat_entry(6, offset))))
