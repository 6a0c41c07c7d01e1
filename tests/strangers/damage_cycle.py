"""Chains without end, or without measure (spec X25)."""

from __future__ import annotations

import shutil
from dataclasses import replace

from .damage import Outcome, VhdxSite, vhdx_damage
from .damage_chain import CHILD, below, direct_parent, outcome
from .damage_locator import put_locator
from .expect import Mark, Recovery, Severity
from .model import MIB
from .vhdx_bases import EMPTY
from .vhdx_bytes import build_vhdx
from .vhdx_spec import Kind, VhdxSpec, blocks_of


@vhdx_damage("cycle-self", "X25", bases=CHILD, severity=Severity.ERROR)
def cycle_self(site: VhdxSite) -> Outcome:
    """The child names itself as its parent: by a matching, or by a stale GUID."""
    own = site.image.header.data_guid if site.place == 0 else direct_parent(site).header.data_guid
    pairs = (("parent_linkage", "{" + str(own) + "}"), ("relative_path", f".\\{site.image.path.name}"))
    put_locator(site, pairs)
    direct_parent(site).path.unlink()
    return outcome(site)


@vhdx_damage("cycle-two", "X25", bases=CHILD, severity=Severity.ERROR)
def cycle_two(site: VhdxSite) -> Outcome:
    """The parent is replaced by a differencing disk that names the child (place 1: with stale GUIDs)."""
    target = direct_parent(site)
    seed = target.spec.seed if site.place == 0 else 557
    target.path.unlink()
    spec = VhdxSpec(
        name=target.path.name,
        kind=Kind.DIFFERENCING,
        block_size=2 * MIB,
        blocks=blocks_of(32, full=(0,), zero=(2,), block_size=2 * MIB),
        log=EMPTY,
        seed=seed,
    )
    other = build_vhdx(spec, target.path.parent, site.image)
    return outcome(site, Mark(other.path, other.structures["metadata.item.locator"]))


@vhdx_damage("parent-is-copy", "X24", "X25", bases=CHILD, severity=Severity.ERROR, places=(0,))
def parent_is_copy(site: VhdxSite) -> Outcome:
    """A copy of the child lies under the parent's name: it names itself."""
    target = direct_parent(site)
    target.path.unlink()
    shutil.copyfile(site.image.path, target.path)
    return outcome(site)


@vhdx_damage("chain-too-deep", "X25", bases=("tiny",), severity=Severity.WARNING, places=(0,))
def chain_too_deep(site: VhdxSite) -> Outcome:
    """A chain of 258 files, every link right (spec X25: sane up to 256)."""
    target = direct_parent(site)
    layer = target
    for step in range(256):
        spec = VhdxSpec(f"layer{step:03}.avhdx", Kind.DIFFERENCING, log=EMPTY, seed=600 + step, layer=0)
        layer = build_vhdx(spec, target.path.parent, layer)
    leaf = build_vhdx(replace(site.image.spec, name="leaf.avhdx"), target.path.parent, layer)
    site.image.path.unlink()
    marks = (Mark(leaf.path, leaf.structures["metadata.item.locator"]),)
    return Outcome(marks, below(site, 1), leaf=leaf.path, recovery=Recovery.INTACT)
