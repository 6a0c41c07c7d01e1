"""Damages to chains: parents missing, wrong, changed, damaged; cycles (spec X23 to X25)."""

from __future__ import annotations

from dataclasses import replace

from .damage import Outcome, VhdxSite, vhdx_damage
from .expect import Mark, Recovery, Severity
from .model import KIB, MIB, Span, guid, merge
from .sparse import Editor
from .vhd_bytes import build_vhd
from .vhd_spec import VhdSpec
from .vhdx_bytes import VhdxImage, build_vhdx
from .vhdx_codec import HEADER_OFFSETS, HEADER_SIZE, Header
from .vhdx_spec import State, VhdxSpec, blocks_of
from .vhdx_surgery import item_data

CHILD = ("child",)


def direct_parent(site: VhdxSite) -> VhdxImage:
    parent = site.image.parent
    assert parent is not None
    return parent


def _target(site: VhdxSite) -> VhdxImage:
    """The direct parent, or (base 'grand', place 1) the grandparent."""
    parent = direct_parent(site)
    if site.base == "grand" and site.place == 1:
        assert parent.parent is not None
        return parent.parent
    return parent


def below(site: VhdxSite, depth: int) -> tuple[Span, ...]:
    """Guest ranges that come from that depth or deeper."""
    return merge(p.span for p in site.image.truth.top.pieces if p.depth >= depth)


def _linkage_guid(edit: Editor, value: str) -> tuple[Span, ...]:
    """Give a file another DataWriteGuid in both headers."""
    spans = []
    for at in HEADER_OFFSETS:
        old = Header.parse(edit.read(Span(at, HEADER_SIZE)))
        spans.append(edit.write(at, replace(old, data_guid=guid(99, value)).pack()))
    return tuple(spans)


def outcome(site: VhdxSite, *marks: Mark, recovery: Recovery = Recovery.PARTIAL) -> Outcome:
    """Everything below the break is unknowable."""
    deep = site.base == "grand" and site.place == 1
    naming = direct_parent(site) if deep else site.image  # the file whose locator leads to the break
    own = Mark(naming.path, naming.structures["metadata.item.locator"])
    return Outcome((own, *marks), below(site, 2 if deep else 1), recovery=recovery)


@vhdx_damage("parent-missing", "X23", bases=("child", "grand"), severity=Severity.ERROR)
def parent_missing(site: VhdxSite) -> Outcome:
    """The parent is gone (place 1 of a three-layer chain: the grandparent)."""
    target = _target(site)
    target.path.unlink()
    return outcome(site)


@vhdx_damage("parent-renamed", "X23", bases=CHILD, severity=Severity.WARNING, recovery=Recovery.INTACT)
def parent_renamed(site: VhdxSite) -> Outcome:
    """The parent lies beside the child under another name, or in a folder below: its GUID still matches."""
    old = direct_parent(site).path
    new = old.with_name("renamed disk.vhdx") if site.place == 0 else old.parent / "moved" / old.name
    new.parent.mkdir(exist_ok=True)
    old.rename(new)
    return Outcome(site.mark(item_data(site, "locator")))


@vhdx_damage("parent-guid-changed", "X24", bases=("child", "grand"), severity=Severity.ERROR)
def parent_guid_changed(site: VhdxSite) -> Outcome:
    """The parent's DataWriteGuid is new, as after mounting it for writing; no byte of data changed."""
    target = _target(site)
    with Editor(target.path) as edit:
        spans = _linkage_guid(edit, "mounted")
    marks = tuple(Mark(target.path, span) for span in spans)
    return outcome(site, *marks, recovery=Recovery.RESTORABLE)


@vhdx_damage("parent-written", "X24", bases=CHILD, severity=Severity.ERROR)
def parent_written(site: VhdxSite) -> Outcome:
    """The parent was mounted and written after the snapshot: new DataWriteGuid, changed bytes."""
    target = direct_parent(site)
    block = target.layout.homes[-site.place].offset
    with Editor(target.path) as edit:
        edit.write(block + 64 * KIB, b"\xc3" * 4096)
        spans = _linkage_guid(edit, "written")
    return outcome(site, *(Mark(target.path, span) for span in spans))


@vhdx_damage(
    "parent-written-silently",
    "X24",
    bases=CHILD,
    severity=Severity.NONE,
    detectable=False,
    reason="a writer that breaks the rules leaves no trace: the GUID still matches",
)
def parent_written_silently(site: VhdxSite) -> Outcome:
    """The parent's data changed, but its DataWriteGuid did not."""
    target = direct_parent(site)
    home = target.layout.homes[-site.place]
    with Editor(target.path) as edit:
        span = edit.write(home.offset + 64 * KIB, b"\xc3" * 4096)
    lost = Span(home.number * target.spec.block_size + 64 * KIB, 4096)
    return Outcome((Mark(target.path, span),), (lost,))


def _rebuild(site: VhdxSite, spec: VhdxSpec) -> Mark:
    """Replace the parent by another file of the same name."""
    target = direct_parent(site)
    target.path.unlink()
    image = build_vhdx(spec, target.path.parent)
    return Mark(image.path, image.structures["metadata"])


@vhdx_damage("parent-wrong", "X24", bases=CHILD, severity=Severity.ERROR)
def parent_wrong(site: VhdxSite) -> Outcome:
    """Another disk lies under the parent's name (same size; place 1: another block size too)."""
    spec = direct_parent(site).spec
    block = spec.block_size if site.place == 0 else 4 * MIB
    count = spec.virtual_size // block
    plans = blocks_of(count, full=(0, 1, 5, -1), block_size=block)
    other = replace(spec, seed=555, block_size=block, blocks=plans)
    return outcome(site, _rebuild(site, other))


@vhdx_damage("parent-smaller", "X25", bases=CHILD, severity=Severity.INFO, places=(0,))
def parent_smaller(site: VhdxSite) -> Outcome:
    """The parent has the right GUID but half the virtual size; a grown child would look the same."""
    spec = direct_parent(site).spec
    half = spec.virtual_size // 2
    mark = _rebuild(site, replace(spec, virtual_size=half))
    upper = Span(half, spec.virtual_size - half)
    lost = [part for piece in below(site, 1) if (part := piece.clip(upper)) is not None]
    return Outcome((*site.mark(item_data(site, "locator")), mark), tuple(lost))


@vhdx_damage("parent-larger", "X25", bases=CHILD, severity=Severity.WARNING, places=(0,))
def parent_larger(site: VhdxSite) -> Outcome:
    """The parent has the right GUID but twice the virtual size: it was grown after the snapshot."""
    spec = direct_parent(site).spec
    mark = _rebuild(site, replace(spec, virtual_size=spec.virtual_size * 2))
    return Outcome((*site.mark(item_data(site, "locator")), mark), recovery=Recovery.INTACT)


@vhdx_damage("parent-sector-size", "X25", bases=CHILD, severity=Severity.ERROR, places=(0,))
def parent_sector_size(site: VhdxSite) -> Outcome:
    """The parent has the right GUID but 4096-byte logical sectors."""
    return outcome(site, _rebuild(site, replace(direct_parent(site).spec, logical=4096)))


@vhdx_damage("parent-is-vhd", "X23", "X25", bases=CHILD, severity=Severity.ERROR, places=(0,))
def parent_is_vhd(site: VhdxSite) -> Outcome:
    """The file under the parent's name is a VHD; a VHDX may stand on a VHDX only."""
    target = direct_parent(site)
    target.path.unlink()
    full = blocks_of(32, full=(0, 3), block_size=2 * MIB)
    other = build_vhd(VhdSpec(name=target.path.name, seed=556, blocks=full), target.path.parent)
    return outcome(site, Mark(other.path, Span(0, 512)))


@vhdx_damage("parent-headers-lost", "X3", "X23", bases=CHILD, severity=Severity.ERROR)
def parent_headers_lost(site: VhdxSite) -> Outcome:
    """Both headers of the parent are lost, so its DataWriteGuid is unknown."""
    target = direct_parent(site)
    spans = [Span(at, HEADER_SIZE) for at in HEADER_OFFSETS]
    with Editor(target.path) as edit:
        for span in spans:
            if site.place == 0:
                edit.zero(span)
            else:
                edit.flip(span.offset + 8, 0)
    marks = tuple(Mark(target.path, span) for span in spans)
    return outcome(site, *marks, recovery=Recovery.RESTORABLE)


@vhdx_damage("parent-bat-duplicate", "X18", bases=CHILD, severity=Severity.ERROR)
def parent_bat_duplicate(site: VhdxSite) -> Outcome:
    """Two entries of the parent's BAT name the same place: the child shows the damage too."""
    target = direct_parent(site)
    blocks = [p.index for p in target.layout.plans if p.state is State.FULL]
    first, second = (blocks[0], blocks[1]) if site.place == 0 else (blocks[-1], blocks[-2])
    with Editor(target.path) as edit:
        edit.write(target.block_entry(first).offset, edit.read(target.block_entry(second)))
    hit = [target.guest(first), target.guest(second)]
    seen = [part for piece in below(site, 1) for whole in hit if (part := piece.clip(whole)) is not None]
    marks = tuple(Mark(target.path, target.block_entry(b)) for b in (first, second))
    return Outcome(marks, merge(seen))
