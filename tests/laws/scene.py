"""A small host with a bit of everything wrong, and its fingerprint."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from hvrescue.images.vhdx.write import LogKind
from hvrescue.lab.damages import damage
from hvrescue.lab.guests import write_base, write_child
from tests.hostile.deep import guid, linked, write_tiny
from tests.strangers.vhd_bases import vhd_base

MIB = 1 << 20
SIZE = 8 * MIB


@dataclass(frozen=True)
class Scene:
    """Names tell what each file is."""

    root: Path
    healthy: Path
    child: Path
    pending: Path
    damaged: Path
    orphan: Path
    refused: Path
    vhd: Path
    raw: Path
    none: Path

    @property
    def files(self) -> dict[str, Path]:
        names = ("healthy", "child", "pending", "damaged", "orphan", "refused", "vhd", "raw", "none")
        return {name: getattr(self, name) for name in names}


def build(root: Path) -> Scene:
    """About 30 MiB, mostly holes."""
    healthy, child, damaged = root / "healthy.vhdx", root / "child.avhdx", root / "damaged.vhdx"
    pending, refused = root / "pending.vhdx", root / "refused.vhdx"
    link = write_base(healthy, "healthy", SIZE, (0, 1))
    write_child(child, "child", healthy, link, SIZE, (1, 2))
    write_base(pending, "pending", SIZE, (0, 2), log=LogKind.PENDING)
    write_base(damaged, "damaged", SIZE, (0, 1, 3), log=LogKind.EMPTY)
    damage("overlap").plant(damaged)
    write_base(refused, "refused", SIZE, (0,))
    damage("zeros").plant(refused)
    orphan = write_tiny(root / "orphan.avhdx", guid(1), linked(guid(2), "gone.vhdx"))
    (root / "old").mkdir()
    vhd = vhd_base("vhd-child").build(0, root / "old").path
    raw, none = root / "disk.img", root / "readme.txt"
    raw.write_bytes((bytes(446) + b"\x80\0\0\0\x07" + bytes(59) + b"\x55\xaa").ljust(MIB, b"\0"))
    none.write_text("nothing\n" * 300, encoding="utf-8")
    (root / "link.vhdx").symlink_to("healthy.vhdx")
    return Scene(root, healthy, child, pending, damaged, orphan, refused, vhd, raw, none)


def fingerprint(root: Path) -> dict[str, tuple[object, ...]]:
    """Everything below a folder: names, kinds, modes, owners, sizes, times, content."""
    out: dict[str, tuple[object, ...]] = {}
    for path in sorted([root, *root.rglob("*")]):
        status = path.lstat()
        content = ""
        if path.is_symlink():
            content = str(path.readlink())
        elif path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        stamp = (status.st_mode, status.st_uid, status.st_size, status.st_mtime_ns, status.st_nlink, status.st_ino)
        out[os.fsdecode(path)] = (*stamp, content)
    return out
