"""Files that are named like a virtual disk but are none: which of several misfortunes it is.

Each has a different advice: all zero (lost writes, TRIM), high entropy (encrypted: isolate the host), another
format, one member of a RAID set.
"""

from __future__ import annotations

import numpy as np

from hvrescue.byteio.source import ByteSource
from hvrescue.core.errors import FormatError, Unreadable
from hvrescue.core.limits import KIB, MIB
from hvrescue.core.words import Severity
from hvrescue.images.survey import Book, Survey

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"KDMV", "VMware VMDK"),
    (0, b"# Disk DescriptorFile", "VMware VMDK"),
    (0, b"COWD", "VMware VMDK"),
    (0, b"QFI\xfb", "QEMU QCOW"),
    (0x40, b"\x7f\x10\xda\xbe", "VirtualBox VDI"),
    (0x8001, b"CD001", "ISO 9660"),
    (0, b"PK\x03\x04", "ZIP"),
    (0, b"7z\xbc\xaf\x27\x1c", "7-Zip"),
    (0, b"Rar!\x1a\x07", "RAR"),
    (0, b"\x1f\x8b\x08", "gzip"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "Zstandard"),
    (0, b"MSWIM\x00\x00\x00", "Windows image (WIM)"),
    (0, b"EVF\x09\x0d\x0a\xff\x00", "EnCase E01"),
    (0, b"ElfFile\x00", "Windows event log"),
    (0, b"regf", "registry hive"),
    (0, b"%PDF-", "PDF"),
    (0, b"MZ", "program (EXE)"),
    (0, b"\x14\x20\x28\x01", "Hyper-V configuration (VMCX)"),
    (0, b"<?xml", "XML"),
    (0, b"<\x00?\x00x\x00", "XML"),
    (0, b"\xff\xfe<\x00?\x00", "XML"),
)
_BOOT_SECTORS: tuple[tuple[int, bytes], ...] = (
    (3, b"NTFS    "),
    (3, b"ReFS\x00"),
    (3, b"EXFAT   "),
    (3, b"-FVE-FS-"),
    (54, b"FAT1"),
    (82, b"FAT32"),
    (512, b"EFI PART"),
    (4096, b"EFI PART"),
    (0x438, b"\x53\xef"),
    (0, b"XFSB"),
    (512, b"LABELONE"),
    (0x10040, b"_BHRfS_M"),
)
_SAMPLE = 64 * KIB
_HIGH_ENTROPY = 7.99
"""Bits a byte over 64 KiB; compressed media files stay below in most places, ciphertext does not."""
_DDF = b"\xde\x11\xde\x11"
_DDF_TAIL = MIB


def looks_like_a_disk(source: ByteSource) -> bool:
    """Whether a partition table or a file system's boot sector stands where a raw disk has it."""
    head = _read(source, 0, 0x10048)
    if any(head[at : at + len(mark)] == mark for at, mark in _BOOT_SECTORS):
        return True
    return head[510:512] == b"\x55\xaa" and _partitions_fit(head[446:510])


def _partitions_fit(table: bytes) -> bool:
    """Each of the four entries is empty or has a status and a type that exist."""
    entries = [table[n : n + 16] for n in range(0, 64, 16)]
    used = [e for e in entries if any(e)]
    return bool(used) and all(e[0] in (0, 0x80) and e[4] != 0 for e in used)


def survey_of_no_disk(source: ByteSource, named_like_one: bool) -> Survey[None]:
    """What this file is instead. Named like a disk, that is a loss; otherwise just no disk."""
    book = Book(source)
    where = book.where("file", 0, min(source.size, MIB))
    severity = Severity.FATAL if named_like_one else Severity.WARNING
    try:
        code, args = _what_it_is(source)
    except Unreadable as error:
        return survey_of_unreadable(source, error)
    book.refuse(code, where, args, severity=severity)
    return book.close("none", None)


def survey_of_unreadable(source: ByteSource, error: Unreadable) -> Survey[None]:
    """The medium does not give what would tell: that is not known, and no finding against the file."""
    book = Book(source)
    book.could_not_read(error, "file", 0, min(source.size, MIB))
    book.refusal = FormatError(error.finding)
    return book.close("none", None)


def _what_it_is(source: ByteSource) -> tuple[str, dict[str, str | int | float | bool | None]]:
    if source.size == 0:
        return "IMG-006", {}
    if _is_raid_member(source):
        return "IMG-004", {}
    samples = list(_samples(source))
    if not any(any(s) for s in samples):
        return "IMG-001", {"file_size": source.size, "looked_at": sum(len(s) for s in samples)}
    head = samples[0]
    for at, mark, name in _SIGNATURES:
        if head[at : at + len(mark)] == mark:
            return "IMG-003", {"format": name}
    if looks_like_a_disk(source):
        return "IMG-003", {"format": "raw disk"}
    entropies = [entropy(s) for s in samples if len(s) >= 4 * KIB]
    if entropies and min(entropies) >= _HIGH_ENTROPY * _expected(min(len(s) for s in samples)):
        return "IMG-002", {"entropy": round(min(entropies), 2)}
    if not any(head):
        return "IMG-008", {"zeros": len(head)}
    return "IMG-005", {}


def _samples(source: ByteSource) -> list[bytes]:
    """64 KiB at the head, at the end and at seven places between, ascending (law 6: few, and forward)."""
    last = max(0, source.size - _SAMPLE)
    places = sorted({last * n // 8 // 512 * 512 for n in range(8)} | {last})
    return [_read(source, at, _SAMPLE) for at in places]


def _expected(size: int) -> float:
    """Random bytes reach a little less than 8 bits when there are few of them."""
    return 1.0 if size >= _SAMPLE else 0.985


def entropy(data: bytes) -> float:
    """Shannon entropy in bits a byte."""
    counts = np.bincount(np.frombuffer(data, np.uint8), minlength=256)
    share = counts[counts > 0] / len(data)
    return abs(float((share * np.log2(share)).sum()))


def _is_raid_member(source: ByteSource) -> bool:
    """The anchor of a DDF set in the last sector, or of its copies shortly before."""
    low = max(0, source.size - _DDF_TAIL) // 512 * 512
    tail = _read(source, low, source.size - low)
    return any(tail[at : at + 4] == _DDF for at in range(0, len(tail), 512))


def _read(source: ByteSource, offset: int, size: int) -> bytes:
    return source.pread(offset, max(0, min(size, source.size - offset)))
