"""A diagnosis as ``--json`` prints it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hvrescue.app import pieces
from hvrescue.app.advice import avoid, first_steps, summary
from hvrescue.core.words import Finding
from hvrescue.diagnosis.judgement import may_start, onset
from hvrescue.diagnosis.storage import Disk, Storage


def diagnosis_data(storage: Storage, sources: Sequence[str]) -> dict[str, Any]:
    """Machines, causes and time line are empty until what they need is read; ``not_looked`` says so."""
    earliest = [o for disk in storage.disks if (o := onset(disk)) is not None]
    return {
        "complete": False,
        "sources": list(sources),
        "summary": summary(storage),
        "onset": {
            "after": _iso(min((o.after for o in earliest if o.after), default=None)),
            "before": _iso(min((o.before for o in earliest if o.before), default=None)),
        },
        "machines": [],
        "disks": [disk_data(disk) for disk in storage.disks],
        "findings": [pieces.finding_data(f) for f in distinct_findings(storage)],
        "causes": [],
        "steps": [{"text": s.text, "command": s.command, "risk": s.risk} for s in first_steps(storage, sources)],
        "avoid": list(avoid(storage)),
        "timeline": [],
        "not_looked": pieces.not_looked_data((*storage.not_looked, *pieces.beyond_disks(sources))),
    }


def disk_data(disk: Disk) -> dict[str, Any]:
    """One disk with its place in the forest."""
    since = onset(disk)
    links = disk.chain.links
    return {
        "path": disk.name,
        "format": disk.survey.format,
        "verdict": disk.verdict.value,
        "may_start": may_start(disk).value,
        "onset": {"after": _iso(since.after), "before": _iso(since.before), "basis": since.basis.value}
        if since
        else None,
        "disk": pieces.identity_data(disk.survey.identity),
        "parent": links[1].source.name if len(links) > 1 else None,
        "children": [child.name for child in disk.children],
        "estranged": [child.name for child in disk.estranged],
        "orphan": disk.survey.is_child and disk.chain.broken is not None,
        "findings": [f.code for f in disk.findings],
    }


def distinct_findings(storage: Storage) -> list[Finding]:
    """Every disk's findings, the worst first."""
    found = [finding for disk in storage.disks for finding in disk.findings]
    return sorted(found, key=lambda f: (-f.severity, f.where[0].path, f.code))


def _iso(time: datetime | None) -> str | None:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ") if time else None
