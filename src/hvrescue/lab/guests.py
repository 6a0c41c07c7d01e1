"""Guest content that notices being mixed up: a partition table, and sectors that say where they belong."""

from __future__ import annotations

import hashlib
import struct
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from hvrescue.core.limits import KIB, MIB
from hvrescue.images.vhdx.write import LogKind, VhdxSpec, VhdxWriter

_PIECE = 64 * KIB


def boot_sector(size: int) -> bytes:
    """An MBR with one NTFS partition from 1 MiB on."""
    entry = struct.pack("<B3sB3sII", 0x80, b"\x20\x21\x00", 7, b"\xfe\xff\xff", 2048, max(1, size // 512 - 2048))
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def piece(label: str, offset: int) -> bytes:
    """64 KiB of the guest at ``offset``: every sector begins with its label and address."""
    sectors = [f"{label} {offset + at:016x} ".encode().ljust(512, b".") for at in range(0, _PIECE, 512)]
    return b"".join(sectors)


def write_base(path: Path, label: str, size: int, blocks: tuple[int, ...], *, log: LogKind = LogKind.CLEAN) -> UUID:
    """A dynamic VHDX of 2 MiB blocks with these blocks filled at their beginning; gives its DataWriteGuid."""
    spec = _named(VhdxSpec(size, 2 * MIB, log=log), label)
    with VhdxWriter(path, spec) as writer:
        for block in blocks:
            writer.write(block * spec.block_size, piece(label, block * spec.block_size))
        if 0 in blocks:
            writer.write(0, boot_sector(size))
    return spec.data_write


def write_child(path: Path, label: str, parent: Path, linkage: UUID, size: int, blocks: tuple[int, ...]) -> UUID:
    """A checkpoint's AVHDX over ``parent`` in the same folder, or one folder up."""
    folder = ".\\" if parent.parent == path.parent else "..\\"
    pairs = {
        "parent_linkage": f"{{{linkage}}}".upper(),
        "relative_path": folder + parent.name,
        "absolute_win32_path": f"D:\\VMs\\{parent.parent.name}\\{parent.name}",
    }
    spec = _named(VhdxSpec(size, 2 * MIB, parent=pairs), label)
    with VhdxWriter(path, spec) as writer:
        for block in blocks:
            at = block * spec.block_size + _PIECE
            writer.write(at, piece(label, at))
    return spec.data_write


def _named(spec: VhdxSpec, label: str) -> VhdxSpec:
    """The same GUIDs for the same label, so that a lab is the same every time."""
    guids = [UUID(bytes=hashlib.sha256(f"{label}/{n}".encode()).digest()[:16], version=4) for n in range(4)]
    return replace(spec, disk_id=guids[0], data_write=guids[1], file_write=guids[2], session=guids[3])
