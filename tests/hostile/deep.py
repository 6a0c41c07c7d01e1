"""Chains of very many tiny children, written with nothing but the bytes they need."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from hvrescue.byteio.copying import write_all
from hvrescue.core.limits import MIB
from hvrescue.images.vhdx import encode
from hvrescue.images.vhdx.layout import (
    BAT_REGION,
    HEADER_OFFSETS,
    METADATA_REGION,
    METADATA_TABLE_SIZE,
    NO_GUID,
    REGION_TABLE_OFFSETS,
    Header,
    Parameters,
)

SIZE = 3 * MIB
_METADATA, _BAT, _END = 1 * MIB, 2 * MIB, 3 * MIB
_REGIONS = encode.region_table([(METADATA_REGION, _METADATA, MIB), (BAT_REGION, _BAT, MIB)]).rstrip(b"\0")
_IDENTIFIER = encode.identifier("deep").rstrip(b"\0")


def guid(number: int) -> UUID:
    return UUID(int=(0xD1CE << 64) + number + 1)


def linked(parent: UUID, name: str) -> dict[str, str]:
    return {"parent_linkage": f"{{{parent}}}", "relative_path": f".\\{name}"}


def write_tiny(path: Path, identity: UUID, locator: Mapping[str, str] | bytes | None = None) -> Path:
    """A VHDX without blocks and without log: with a locator it is a child."""
    raw = locator if isinstance(locator, bytes) else encode.parent_locator(locator) if locator else b""
    parameters = Parameters(MIB, False, bool(raw), SIZE, 512, 4096, guid(0))
    meta = encode.metadata(parameters, raw)
    header = Header(0, 0, 1, identity, identity, NO_GUID, 0, 1, 0, 0, b"")
    fd = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0) | os.O_CREAT | os.O_EXCL, 0o644)
    try:
        os.ftruncate(fd, _END)
        write_all(fd, 0, _IDENTIFIER)
        for at in HEADER_OFFSETS:
            write_all(fd, at, encode.header(header).rstrip(b"\0"))
        for at in REGION_TABLE_OFFSETS:
            write_all(fd, at, _REGIONS)
        write_all(fd, _METADATA, meta[:METADATA_TABLE_SIZE].rstrip(b"\0"))
        write_all(fd, _METADATA + METADATA_TABLE_SIZE, meta[METADATA_TABLE_SIZE:])
    finally:
        os.close(fd)
    return path


def write_chain(folder: Path, depth: int) -> Path:
    """``depth`` files, each the child of the one before; gives the leaf."""
    leaf = write_tiny(folder / "00000.vhdx", guid(0))
    for n in range(1, depth):
        leaf = write_tiny(folder / f"{n:05}.avhdx", guid(n), linked(guid(n - 1), leaf.name))
    return leaf
