"""What each harness does with an input. Whatever is raised but a RescueError is a bug; so is slowness."""

from __future__ import annotations

import json
import os
import struct
import sys
import tempfile
from functools import cache
from pathlib import Path
from uuid import UUID

import google_crc32c
import pytest

from hvrescue.byteio.overlay import OverlaySource
from hvrescue.byteio.source import MemorySource
from hvrescue.core.context import QUIET
from hvrescue.core.errors import RescueError, Unreadable
from hvrescue.core.limits import DEFAULT_LIMITS, MIB
from hvrescue.core.words import MAX_SAMPLES, Finding
from hvrescue.images import formats
from hvrescue.images.chain import Chain, open_chain, resolve
from hvrescue.images.identity import Alone, Neighbours
from hvrescue.images.survey import Survey
from hvrescue.images.vhdx import encode
from hvrescue.images.vhdx.layout import (
    BAT_REGION,
    HEADER_OFFSETS,
    METADATA_REGION,
    NO_GUID,
    REGION_TABLE_OFFSETS,
    Header,
    Parameters,
)
from hvrescue.images.vhdx.log import active_sequence, patchwork
from hvrescue.images.vhdx.log_entries import LogRing, scan_log
from hvrescue.sources.folder import Folder
from tests.fuzz.patches import Target, patched
from tests.properties.thin import Thin

if sys.platform == "win32":
    pytest.skip("files and calls of Unix", allow_module_level=True)

_READ = 70_000


def vhdx(data: bytes) -> None:
    """Survey, chain, open and read a VHDX that was tampered with."""
    source, shelf = patched("vhdx", data)
    _all_of(source, shelf)


def vhd(data: bytes) -> None:
    """The same for a VHD."""
    source, shelf = patched("vhd", data)
    _all_of(source, shelf)


def _all_of(source: Thin | MemorySource, near: Neighbours) -> None:
    survey = formats.survey_image(source, QUIET)
    _presentable(survey)
    chain = resolve(survey, near, QUIET)
    _read(chain)


def _presentable(survey: Survey[object]) -> None:
    """Every finding can be shown: places inside what a file can have, arguments that JSON knows."""
    formats.describe(survey)
    findings: tuple[Finding, ...] = survey.findings
    for finding in findings:
        assert 1 <= len(finding.where) <= MAX_SAMPLES
        json.dumps(dict(finding.args), allow_nan=False)
        for where in finding.where:
            assert where.offset is None or isinstance(where.offset, int)
            json.dumps([where.offset, where.size])
    assert survey.refusal is not None or survey.identity is not None


def _read(chain: Chain) -> None:
    try:
        disk = open_chain(chain, allow_damaged=True)
    except RescueError:
        return
    for offset in (0, disk.size // 2 - 1000, disk.size - _READ):
        at = max(0, offset)
        try:
            disk.pread(at, min(_READ, disk.size - at))
        except Unreadable:
            continue


def log(data: bytes) -> None:
    """A ring of log entries: descriptors come from the input, checksums are right."""
    ring_bytes = bytearray(64 * 1024)
    position, at = 0, 0
    guid = UUID(int=7)
    while at + 12 <= len(data) and position < len(ring_bytes):
        sequence, count, tail, kind, step, length = struct.unpack_from("<HHHBBI", data, at)
        at += 12
        entry = bytearray(4096 * (1 + (length & 3)))
        size = len(entry) if kind & 1 else length
        last = MIB << (kind >> 3)
        place = tail << 4 if kind & 2 else tail * 4096 % 65536
        number = count if kind & 4 else min(count, 4)
        head = (b"loge", 0, size & 0xFFFFFFFF, place, sequence, number, 0, guid.bytes_le, MIB, last)
        struct.pack_into("<4sIIIQII16sQQ", entry, 0, *head)
        body = data[at : at + 32 * (step & 7)]
        at += len(body)
        entry[64 : 64 + len(body)] = body
        for n in range(len(body) // 32):
            struct.pack_into("<Q", entry, 64 + 32 * n + 24, sequence)
        for sector in range(4096, len(entry), 4096):
            struct.pack_into("<4sI", entry, sector, b"data", 0)
            struct.pack_into("<I", entry, sector + 4092, sequence)
        crc = google_crc32c.value(bytes(entry[:4]) + bytes(4) + bytes(entry[8:]))
        struct.pack_into("<I", entry, 4, crc)
        end = min(len(ring_bytes), position + len(entry))
        ring_bytes[position:end] = entry[: end - position]
        position += 4096 * (1 + step % 5)
    ring = LogRing(MemorySource("log", bytes(ring_bytes)), 0, len(ring_bytes))
    scan = scan_log(ring, DEFAULT_LIMITS)
    run = active_sequence(scan.entries, ring.length)
    over = patchwork(ring, run)
    base = MemorySource("file", bytes(65536))
    size = max([base.size, *(end for _, end in over.zeros), *(at + 4096 for at in over.pages)])
    content = OverlaySource(base, over, size)
    content.pread(0, 8192)
    content.pread(size - 100, 100)


def locator(data: bytes) -> None:
    """A child whose parent locator is the input."""
    _all_of(child_of(data), Alone())


def child_of(locator: bytes) -> Thin:
    """A tiny VHDX in memory that carries these bytes as its parent locator."""
    locator = locator[: MIB - 65536 - 4096]
    parameters = Parameters(MIB, False, True, 3 * MIB, 512, 4096, UUID(int=9))
    meta = encode.metadata(parameters, locator or b"\0")
    source = Thin("child.avhdx", 3 * MIB, {})
    header = encode.header(Header(0, 0, 1, UUID(int=1), UUID(int=2), NO_GUID, 0, 1, 0, 0, b""))
    regions = encode.region_table([(METADATA_REGION, MIB, MIB), (BAT_REGION, 2 * MIB, MIB)])
    for offset, part in (
        (0, encode.identifier("fuzz")),
        *((at, header) for at in HEADER_OFFSETS),
        *((at, regions) for at in REGION_TABLE_OFFSETS),
        (MIB, meta),
    ):
        source.write(offset, part.rstrip(b"\0"))
    return source


_NAMES = ("a.vhdx", "a.avhdx", "a.vhd", "a.img", "a.avhd", "a")


def recognise(data: bytes) -> None:
    """Any bytes under any name, also repeated to make a larger file."""
    name = _NAMES[data[0] % len(_NAMES)] if data else "a"
    body = data[1:] * (1 + (data[0] >> 4) * 40 if data else 1)
    _all_of(MemorySource(name, body), Alone())


@cache
def tree() -> Path:
    """A folder with what a recorded path could be tempted by."""
    root = Path(tempfile.mkdtemp(prefix="hvrescue-fuzz-"))
    inside = root / "host" / "VMs" / "Disks"
    inside.mkdir(parents=True)
    (inside / "base.vhdx").write_bytes(b"x")
    (inside / "child.avhdx").write_bytes(b"x")
    (root / "secret.vhdx").write_bytes(b"x")
    (inside / "out.vhdx").symlink_to(root / "secret.vhdx")
    (inside / "up").symlink_to(root)
    (inside / "loop").symlink_to(inside)
    os.mkfifo(inside / "pipe.vhdx")
    return root


_WORDS = ("\\", "..", ".", "/", "D:", "\\\\?\\", "UNC", "base.vhdx", "VMs", "Disks", "up", "loop", "out.vhdx",
          "secret.vhdx", "host", "pipe.vhdx", "child.avhdx", "\\\\?\\Volume{11111111-1111-1111-1111-111111111111}\\",
          "Base.VHDX", " ")  # fmt: skip


def find(data: bytes) -> None:
    """A recorded path made of tempting words and of anything else; what is found lies inside the source."""
    parts: list[str] = []
    at = 0
    while at < len(data):
        if data[at] < 0x80:
            parts.append(_WORDS[data[at] % len(_WORDS)])
            at += 1
        else:
            size = data[at] & 0x7F
            text = data[at + 1 : at + 1 + size]
            parts += [chr(int.from_bytes(text[n : n + 2], "little")) for n in range(0, len(text), 2)]
            at += 1 + size
    host = tree() / "host"
    source = Folder(host, {"D:": host / "VMs"})
    try:
        found = source.find("".join(parts), str(host / "VMs" / "Disks" / "child.avhdx"))
    except RescueError:
        return
    if found is not None:
        assert Path(found.name).resolve().is_relative_to(host.resolve()), found.name


TARGETS: dict[str, Target] = {
    "vhdx": vhdx, "vhd": vhd, "log": log, "locator": locator, "recognise": recognise, "find": find,
}  # fmt: skip
