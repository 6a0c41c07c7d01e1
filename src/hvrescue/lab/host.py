"""A host's storage as an emergency leaves it: made-up machines, damages planted and written down."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hvrescue.core.limits import MIB
from hvrescue.images.vhdx.write import LogKind
from hvrescue.lab.damages import damage
from hvrescue.lab.guests import write_base, write_child

_SIZE = 96 * MIB
_BLOCKS = tuple(range(0, 40, 3))


@dataclass(frozen=True, slots=True)
class Story:
    """What was done to one disk, in both languages; ``harmless`` when a diagnosis must not raise an alarm."""

    path: Path
    told: dict[str, str]
    harmless: bool = False


def build_host(root: Path) -> list[Story]:
    """Write the storage tree below ``root`` (about 200 MiB, mostly holes) and tell what was done to it."""
    stories: list[Story] = []

    def tell(path: Path, en: str, de: str, day: int, hour: int, *, harmless: bool = False) -> None:
        when = datetime(2026, 11, day, hour, 12, tzinfo=UTC).timestamp()
        os.utime(path, (when, when))
        stories.append(Story(path, {"en": en, "de": de}, harmless))

    def folder(name: str) -> Path:
        (root / name).mkdir(parents=True, exist_ok=True)
        return root / name

    vm = folder("DC01")
    write_base(vm / "DC01.vhdx", "dc01", _SIZE, _BLOCKS, log=LogKind.PENDING)
    tell(
        vm / "DC01.vhdx",
        "was in use when the host crashed; its log waits to be applied",
        "war beim Absturz des Hosts in Benutzung; sein Log wartet darauf, eingespielt zu werden",
        20,
        2,
        harmless=True,
    )

    vm = folder("FILES01")
    link = write_base(vm / "FILES01.vhdx", "files01", _SIZE, _BLOCKS)
    child = vm / "FILES01_5F0C2A7E-1D44-4B8E-9A55-0B7B3C1F2D10.avhdx"
    write_child(child, "files01-a", vm / "FILES01.vhdx", link, _SIZE, (1, 3, 7))
    tell(vm / "FILES01.vhdx", "whole", "in Ordnung", 14, 18, harmless=True)
    tell(child, "whole, a checkpoint of it", "in Ordnung, ein Prüfpunkt davon", 20, 2, harmless=True)

    vm = folder("ERP01")
    link = write_base(vm / "ERP01.vhdx", "erp01", _SIZE, _BLOCKS)
    child = vm / "ERP01_A3D9E0B4-77C1-4E07-8C6D-2E9F4B6A1C33.avhdx"
    write_child(child, "erp01-a", vm / "ERP01.vhdx", link, _SIZE, (0, 4, 5, 20))
    (vm / "ERP01.vhdx").unlink()
    write_base(vm / "ERP01.vhdx", "erp01-written-to", _SIZE, _BLOCKS)
    tell(
        vm / "ERP01.vhdx",
        "attached by a person and written to, although a checkpoint depends on it",
        "von einem Menschen angefügt und beschrieben, obwohl ein Prüfpunkt an ihm hängt",
        20,
        6,
        harmless=True,
    )
    tell(
        child,
        "its parent was written to after the checkpoint was made",
        "sein übergeordneter Datenträger wurde nach dem Prüfpunkt beschrieben",
        20,
        2,
    )

    vm = folder("WEB01")
    link = write_base(vm / "WEB01.vhdx", "web01", _SIZE, _BLOCKS)
    child = vm / "WEB01_C0FFEE00-2B5D-4F9A-B1E7-5D8A9C3E4F21.avhdx"
    write_child(child, "web01-a", vm / "WEB01.vhdx", link, _SIZE, (2, 6))
    (vm / "WEB01.vhdx").unlink()
    tell(child, "its parent was deleted", "sein übergeordneter Datenträger wurde gelöscht", 20, 2)

    for name, kind, log in (
        ("MAIL01", "overlap", LogKind.EMPTY),
        ("SQL01", "truncated", LogKind.CLEAN),
        ("APP01", "header-copy", LogKind.CLEAN),
        ("PRINT01", "lost-log", LogKind.PENDING),
        ("TEST01", "zeros", LogKind.CLEAN),
    ):
        vm = folder(name)
        path = vm / f"{name}.vhdx"
        write_base(path, name.lower(), _SIZE, _BLOCKS, log=log)
        damage(kind).plant(path)
        tell(path, damage(kind).english, damage(kind).german, 20, 3)
    (folder("ISO") / "readme.txt").write_text("Installation media were here.\n", encoding="utf-8")
    return stories
