"""What to do first, and what not: in an order that cannot make it worse."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hvrescue.core import units
from hvrescue.core.language import _
from hvrescue.core.words import Severity, Verdict
from hvrescue.diagnosis.storage import Disk, Storage, medium_fails

_READS = "reads"
_MOST_DISKS = 5
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
    text = _("{bad} of {total} virtual disks are damaged or incomplete. Do not start a VM from them.")
    return text.format(bad=units.number(len(bad)), total=units.number(total))


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
    if not bad:
        if storage.disks:
            yield Advice(_("Nothing in the disks' structures keeps the VMs from starting. Look for the cause "
                           "elsewhere: event logs, permissions, services, free space."))  # fmt: skip
        return
    yield Advice(_("Does any VM of this host still run? Leave it running and back it up from inside the guest, "
                   "before anything is stopped or restarted: it may be the last good copy."))  # fmt: skip
    if not medium_fails(storage):
        yield Advice(_("Copy the whole folder, every VHDX, AVHDX and VMCX in it, to another drive. Everything after "
                       "this is done on the copy."), _copy_command(sources[0]))  # fmt: skip
    yield Advice(_("Look for other copies of the disks named above, before you repair anything: backups, replicas, "
                   "shadow copies. The time under \"not whole since\" says how old they must be."))  # fmt: skip
    readable = [d for d in bad if d.survey.refusal is None and d.survey.identity is not None]
    for disk in readable[:_MOST_DISKS]:
        yield _get_out(disk)


def _get_out(disk: Disk) -> Advice:
    """Convert into a new file: strictly where every byte is known."""
    name, out = units.printable(disk.entry.path.name), _ELSEWHERE + disk.entry.path.stem
    command = f"hvrescue disk convert {quoted(disk.name)} {quoted(out + '.raw')}"
    if not disk.chain.doubtful:
        text = _("All of {disk} can still be read. Get it into a new file on another drive:")
        return Advice(text.format(disk=name), command)
    text = _(
        "Get what is readable of {disk} into a new file on another drive; the hole map lists what cannot be known:"
    )
    return Advice(text.format(disk=name), f"{command} --allow-damaged --hole-map {quoted(out + '.holes.json')}")


def _copy_command(folder: str) -> str:
    """The system's own copy, without endless retries and with holes kept. The target is the user's to name."""
    if sys.platform == "win32":
        return f'robocopy "{units.printable(folder, 1000)}" "{_ELSEWHERE}COPY" /E /R:1 /W:1'
    return f"cp -a --sparse=always {quoted(folder)} {_ELSEWHERE}"


def quoted(text: str) -> str:
    """An argument as a shell takes it, with anything unprintable made harmless."""
    return shlex.quote(units.printable(text, 1000))


def avoid(storage: Storage) -> tuple[str, ...]:
    """What must not be done now; the general ones first, then what the findings forbid."""
    return tuple(dict.fromkeys(_avoid(storage)))


def _avoid(storage: Storage) -> Iterator[str]:
    bad = broken(storage)
    if not bad:
        return
    yield _("Do not start any VM from the disks named above, and do not attach or mount them for writing.")
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
