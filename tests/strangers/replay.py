"""A second, naive reading of spec 1.4: find the active sequence and replay it.

It shares nothing with the code that writes logs, and serves as a witness for pending logs that no
installed tool can replay (wrapped ones, and those that extend the file).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from pathlib import Path

from .model import Span
from .sparse import Editor
from .vhdx_codec import HEADER_OFFSETS, HEADER_SIZE, ZERO_GUID, Header, sign

SECTOR = 4096


@dataclass(frozen=True)
class Found:
    """A valid entry: its place in the log, its length, and its bytes unwrapped."""

    start: int
    sequence: int
    tail: int
    flushed: int
    last: int
    raw: bytes


def _entry(log: bytes, start: int, wanted: bytes) -> Found | None:
    """The entry at ``start`` if it is valid by the list in spec 1.4."""
    around = log[start:] + log[:start]
    signature, _, length, tail, sequence, count, _ = struct.unpack_from("<4sIIIQII", around, 0)
    if signature != b"loge" or length % SECTOR or not 0 < length < len(log) or tail % SECTOR:
        return None
    raw = around[:length]
    if raw[32:48] != wanted or sequence == 0 or sign(raw) != raw:
        return None
    data = 0
    if 64 + 32 * count > length:
        return None
    for at in range(64, 64 + 32 * count, 32):
        kind = raw[at : at + 4]
        if kind not in (b"zero", b"desc") or struct.unpack_from("<Q", raw, at + 24)[0] != sequence:
            return None
        data += kind == b"desc"
    head = -(-(64 + 32 * count) // SECTOR) * SECTOR
    if length != head + SECTOR * data:
        return None
    for at in range(head, length, SECTOR):
        high = struct.unpack_from("<4sI", raw, at)
        low = struct.unpack_from("<I", raw, at + 4092)[0]
        if high[0] != b"data" or high[1] << 32 | low != sequence:
            return None
    flushed, last = struct.unpack_from("<QQ", raw, 48)
    return Found(start, sequence, tail, flushed, last, raw)


def _active(log: bytes, wanted: bytes) -> list[Found]:
    """The candidate with the greatest head sequence, or nothing."""
    best: list[Found] = []
    for start in range(0, len(log), SECTOR):
        run: list[Found] = []
        position = start
        while len(run) <= len(log) // SECTOR:
            entry = _entry(log, position, wanted)
            if entry is None or (run and entry.sequence != run[-1].sequence + 1):
                break
            run.append(entry)
            position = (position + len(entry.raw)) % len(log)
        candidate = run and any(e.start == run[-1].tail for e in run)
        if candidate and (not best or run[-1].sequence > best[-1].sequence):
            best = run
    return best


def replay(path: Path) -> int:
    """Replay the log of a VHDX in place and mark it clean; returns the number of entries replayed."""
    with Editor(path) as edit:
        found = [Header.parse(edit.read(Span(at, HEADER_SIZE))) for at in HEADER_OFFSETS]
        header = max(found, key=lambda h: h.sequence)
        if header.log_guid == ZERO_GUID:
            return 0
        log = edit.read(Span(header.log_offset, header.log_length))
        run = _active(log, header.log_guid.bytes_le)
        if not run or edit.size < run[-1].flushed:
            raise ValueError("no active sequence, or the file lost its tail")
        first = next(n for n, entry in enumerate(run) if entry.start == run[-1].tail)
        for entry in run[first:]:
            _apply(edit, entry.raw)
        edit.grow(max(edit.size, run[-1].last))
        for step, at in enumerate(HEADER_OFFSETS):
            clean = replace(header, sequence=header.sequence + 1 + step, log_guid=ZERO_GUID)
            edit.write(at, clean.pack())
        return len(run) - first


def _apply(edit: Editor, raw: bytes) -> None:
    """Write the pages of one entry: leading 8 bytes, 4084 bytes, trailing 4 bytes."""
    count = struct.unpack_from("<I", raw, 24)[0]
    sector = -(-(64 + 32 * count) // SECTOR) * SECTOR
    for at in range(64, 64 + 32 * count, 32):
        target = struct.unpack_from("<Q", raw, at + 16)[0]
        if raw[at : at + 4] == b"zero":
            edit.write(target, bytes(struct.unpack_from("<Q", raw, at + 8)[0]))
            continue
        body = raw[sector + 8 : sector + 4092]
        edit.write(target, raw[at + 8 : at + 16] + body + raw[at + 4 : at + 8])
        sector += SECTOR
