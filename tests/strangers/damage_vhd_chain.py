"""Damages to VHD chains (spec V11)."""

from __future__ import annotations

import uuid
from dataclasses import replace

from .damage import Outcome, VhdSite, vhd_damage
from .expect import Mark, Recovery, Severity
from .model import Span, merge
from .sparse import Editor
from .vhd_bytes import VhdImage, build_vhd

CHILD = ("vhd-child",)


def _parent(site: VhdSite) -> VhdImage:
    parent = site.image.parent
    assert parent is not None
    return parent


def _chain(site: VhdSite, *marks: Mark, recovery: Recovery = Recovery.PARTIAL) -> Outcome:
    own = Mark(site.image.path, site.image.structures["header"])
    return Outcome((own, *marks), site.image.truth.from_parents, recovery=recovery)


@vhd_damage("vhd-parent-missing", "V11", bases=CHILD, severity=Severity.ERROR, places=(0,))
def vhd_parent_missing(site: VhdSite) -> Outcome:
    """The parent is gone."""
    _parent(site).path.unlink()
    return _chain(site)


@vhd_damage("vhd-parent-renamed", "V11", bases=CHILD, severity=Severity.WARNING, places=(0,))
def vhd_parent_renamed(site: VhdSite) -> Outcome:
    """The parent lies beside the child under another name; its UniqueId still matches."""
    path = _parent(site).path
    path.rename(path.with_name("renamed disk.vhd"))
    return Outcome(site.mark(site.image.structures["header"]), recovery=Recovery.INTACT)


@vhd_damage("vhd-parent-id", "V11", bases=CHILD, severity=Severity.ERROR)
def vhd_parent_id(site: VhdSite) -> Outcome:
    """UniqueId of the parent is another one (signed): only the number, or another disk altogether."""
    parent = _parent(site)
    if site.place == 0:
        changed = replace(parent.footer, unique=uuid.UUID(int=4711)).pack()
        with Editor(parent.path) as edit:
            spans = (edit.write(0, changed), edit.write(parent.structures["footer"].offset, changed))
        known = Recovery.RESTORABLE
    else:
        parent.path.unlink()
        other = build_vhd(replace(parent.spec, seed=888), parent.path.parent)
        spans, known = (other.structures["copy"], other.structures["footer"]), Recovery.PARTIAL
    return _chain(site, *(Mark(parent.path, span) for span in spans), recovery=known)


@vhd_damage("vhd-parent-size", "V11", bases=CHILD, severity=Severity.WARNING)
def vhd_parent_size(site: VhdSite) -> Outcome:
    """The parent has the right UniqueId but half, or twice, the size."""
    parent = _parent(site)
    parent.path.unlink()
    size = (parent.spec.virtual_size // 1024 * 512, parent.spec.virtual_size * 2)[site.place]
    count = -(-size // parent.spec.block_size)
    kept = tuple(plan for plan in parent.spec.blocks if plan.index < count)
    other = build_vhd(replace(parent.spec, virtual_size=size, blocks=kept), parent.path.parent)
    upper = Span(size, max(parent.spec.virtual_size - size, 0))
    lost = [part for piece in site.image.truth.from_parents if (part := piece.clip(upper)) is not None]
    own = Mark(site.image.path, site.image.structures["header"])
    return Outcome((own, Mark(other.path, other.structures["footer"])), tuple(lost))


@vhd_damage("vhd-cycle", "V11", bases=CHILD, severity=Severity.ERROR, places=(0,))
def vhd_cycle(site: VhdSite) -> Outcome:
    """The child lies under its parent's name too: a chain without end."""
    parent = _parent(site)
    header = site.image.header
    assert header is not None
    name = f"{site.image.spec.folder}\\{site.image.path.name}"
    own = replace(header, parent=site.image.footer.unique, parent_name=name)
    site.edit.write(512, own.pack())
    for item in header.locators:
        text = item.text.decode("utf-16-le").replace(parent.path.name, site.image.path.name)
        data = text.encode("utf-16-le")
        site.edit.write(item.offset, data.ljust(len(item.text), b"\0"))
    parent.path.unlink()
    return _chain(site)


@vhd_damage("vhd-locator-damaged", "V11", bases=CHILD, severity=Severity.WARNING)
def vhd_locator_damaged(site: VhdSite) -> Outcome:
    """Locator texts are zeros, or lie behind the end of the file; ParentName still names the file."""
    header = site.image.header
    assert header is not None
    spans = [Span(item.offset, len(item.text)) for item in header.locators]
    if site.place == 0:
        for span in spans:
            site.edit.zero(span)
    else:
        far = tuple(replace(item, offset=site.image.size + 4096) for item in header.locators)
        site.edit.write(512, replace(header, locators=far).pack())
        spans = [site.image.structures["header"]]
    return Outcome(site.mark(*merge(spans)), recovery=Recovery.RESTORABLE)
