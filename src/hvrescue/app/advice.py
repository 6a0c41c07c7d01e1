"""What to do first, and what not: in an order that cannot make it worse."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hvrescue.core import units
from hvrescue.core.language import _
from hvrescue.core.words import Severity, Verdict
from hvrescue.diagnosis.judgement import known_amount
from hvrescue.diagnosis.storage import Disk, Storage, medium_fails
from hvrescue.rules.catalogue import shell_quoted

_READS = "reads"
_MOST_DISKS = 8
_SLASH = "\\" if sys.platform == "win32" else "/"
_ELSEWHERE = "X:\\" if sys.platform == "win32" else "/ANOTHER/DRIVE/"
"""Stands for a drive of the user's; a command pasted unchanged fails instead of filling this one."""


@dataclass(frozen=True, slots=True)
class Advice:
    """A step; ``command`` is empty when it is not one of this tool's."""

    text: str
    command: str = ""
    risk: str = _READS


def summary(storage: Storage) -> str:
    """The whole situation in one or two sentences."""
    total, bad = len(storage.disks), broken(storage)
    if not total:
        return _("No virtual disk was found here.")
    if not bad:
        unknown = sum(d.verdict == Verdict.UNKNOWN for d in storage.disks)
        if unknown:
            text = _("{unknown} of {total} virtual disks could not be judged; nothing was found against the others.")
            return text.format(unknown=units.number(unknown), total=units.number(total))
        text = _("Virtual disks found: {total}. All are whole in their structure.")
        return text.format(total=units.number(total))
    names = ", ".join(units.printable(disk.entry.path.name) for disk in bad[:_MOST_DISKS])
    names += ", …" if len(bad) > _MOST_DISKS else ""
    text = _("Damaged or incomplete: {bad} of {total} virtual disks ({names}). Do not start a VM from them.")
    return text.format(bad=units.number(len(bad)), total=units.number(total), names=names)


def broken(storage: Storage) -> list[Disk]:
    """Disks something is wrong with: those that cannot be read at all first."""
    order = {Verdict.UNREADABLE: 0, Verdict.DAMAGED: 1}
    found = [disk for disk in storage.disks if disk.verdict in order]
    return sorted(found, key=lambda d: (order[d.verdict], d.name))


def first_steps(storage: Storage, sources: Sequence[str]) -> list[Advice]:
    """In this order. None of them changes anything on the disks looked at."""
    return list(_steps(storage, sources))


def _steps(storage: Storage, sources: Sequence[str]) -> Iterator[Advice]:
    bad = broken(storage)
    if medium_fails(storage):
        yield Advice(
            _("The medium gives read errors. Stop everything that reads from it and copy it with a rescue tool "
              "(ddrescue) first; then diagnose the copy.")
        )  # fmt: skip
    for disk in storage.disks:
        if disk.alone:
            yield Advice(_("Only this file was looked at. Whether other disks depend on it shows its folder:"),
                         f"hvrescue diagnose {shell_quoted(str(disk.entry.path.parent))}")  # fmt: skip
    if not bad:
        if storage.disks:
            yield Advice(_("Nothing in the disks' structures keeps the VMs from starting. Look for the cause "
                           "elsewhere: event logs, permissions, services, free space."))  # fmt: skip
        return
    yield Advice(_("Is any VM of this host still running? Do not stop or restart it yet. Back it up from inside the "
                   "guest first, one on a damaged disk before all others; it may be the last good copy. Then shut "
                   "it down."))  # fmt: skip
    if not medium_fails(storage):
        yield Advice(_("When no VM uses the files any more, copy the whole folder, every VHDX, AVHDX and VMCX in "
                       "it, to another drive (put its path in the command). From then on change nothing but the "
                       "copy."),
                     _copy_command(sources[0]))  # fmt: skip
    yield Advice(_("Look for other copies of the damaged disks before you repair anything: backups, replicas, shadow "
                   "copies. Check each with hvrescue disk check before you trust it."))  # fmt: skip
    orphans = [d for d in bad if d.chain.broken is not None and d.survey.parent is not None]
    for disk in orphans[:_MOST_DISKS]:
        yield _find_the_parent(disk)
    lost = [d for d in bad if d.survey.refusal is not None or d.survey.identity is None]
    if lost:
        names = ", ".join(units.printable(d.entry.path.name) for d in lost[:_MOST_DISKS])
        text = _("Keep {names} unchanged: nothing in it can be known for certain without a repair, so a conversion "
                 "would be refused.")  # fmt: skip
        yield Advice(text.format(names=names))
    for disk in [d for d in bad if d not in lost][:_MOST_DISKS]:
        yield _get_out(disk)


def _find_the_parent(disk: Disk) -> Advice:
    link = disk.survey.parent
    recorded = units.printable(link.paths[0][1]) if link and link.paths else "?"
    identity = str(link.accepted[0]) if link else "?"
    text = _("Look for the parent that {disk} was made from: recorded as {recorded}, identity {identity}. Put what "
             "you find and a copy of {disk} together into an empty folder, and look there whether they "
             "fit:")  # fmt: skip
    name = units.printable(disk.entry.path.name)
    return Advice(
        text.format(disk=name, recorded=recorded, identity=identity),
        f"hvrescue disk chain {shell_quoted(_ELSEWHERE + 'EMPTY' + _SLASH + disk.entry.path.name)}",
    )


def _get_out(disk: Disk) -> Advice:
    """Convert into a new file: strictly where every byte is known."""
    name, out = units.printable(disk.entry.path.name), _ELSEWHERE + disk.entry.path.stem
    command = f"hvrescue disk convert {shell_quoted(disk.name)} {shell_quoted(out + '.new.vhdx')}"
    if not disk.chain.doubtful:
        text = _("All of {disk} can still be read. Get it into a new file on another drive:")
        return Advice(text.format(disk=name), command)
    if disk.chain.broken is not None:
        text = _("Without its parent, only what {disk} holds itself can be got out, and no VM can start from that:")
    elif (amount := known_amount(disk)) is not None and amount.start_unknown:
        text = _("Get what is readable of {disk} into a new file on another drive. Its beginning with the partition "
                 "table is lost: look for files in the copy with a recovery program, and initialise nothing. The "
                 "hole map lists what cannot be known:")  # fmt: skip
    else:
        text = _("Get what is readable of {disk} into a new file on another drive, attach that read-only and copy "
                 "the files out. The hole map lists what cannot be known:")  # fmt: skip
    holes = shell_quoted(out + ".holes.json")
    return Advice(text.format(disk=name), f"{command} --allow-damaged --hole-map {holes}")


def _copy_command(folder: str) -> str:
    """The system's own copy, without endless retries and with holes kept. The target is the user's to name."""
    if sys.platform == "win32":
        return f'robocopy "{units.printable(folder, 1000)}" "{_ELSEWHERE}COPY" /E /R:1 /W:1'
    return f"cp -a --sparse=always {shell_quoted(folder)} {_ELSEWHERE}"


def avoid(storage: Storage) -> tuple[str, ...]:
    """What must not be done now; the general ones first, then what the findings forbid."""
    return tuple(dict.fromkeys(_avoid(storage)))


def _avoid(storage: Storage) -> Iterator[str]:
    bad = broken(storage)
    if not bad:
        return
    names = ", ".join(units.printable(d.entry.path.name) for d in storage.disks if d in bad or d.estranged)
    text = _("Do not start any VM from these, and do not attach or mount them for writing: {names}.")
    yield text.format(names=names)
    codes = {f.code for disk in bad for f in disk.findings if f.severity >= Severity.WARNING}
    if any(disk.survey.is_child for disk in storage.disks):
        yield _("Do not delete any AVHDX or AVHD file, and do not merge or apply checkpoints: without the chain the "
                "data since the checkpoint is gone.")  # fmt: skip
        yield _("Do not start or mount a parent disk by itself: one write to it breaks every child.")
    if "CHAIN-002" in codes:
        yield _("Do not use Set-VHD -IgnoreIdMismatch to silence the mismatch: it joins two states that do not "
                "belong together.")  # fmt: skip
    yield _("Do not run chkdsk or a repair inside the guest, and do not initialise the disk if Windows offers it.")
    if "IMG-002" in codes:
        yield _("Do not connect this storage to other machines: files that look encrypted may mean ransomware.")
