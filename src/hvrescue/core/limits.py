"""Caps on what hostile input may make us do, in one place, each with its reason."""

from __future__ import annotations

from dataclasses import dataclass

KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30
TIB = 1 << 40


@dataclass(frozen=True, slots=True)
class Limits:
    """Caps. Sizes in bytes."""

    chain_depth: int = 256
    """Layers of a chain; Hyper-V stops far earlier, and a loop of files must end."""
    read_errors: int = 3
    """Read errors of one medium after which it is left alone (law 6)."""
    log_bytes: int = 256 * MIB
    """A VHDX log looked at; Windows and QEMU write 1 MiB."""
    log_entries: int = 65_536
    """Log entries validated; a full 256 MiB log of 8 KiB entries has half as many."""
    log_descriptors: int = 262_144
    """Pages and zeroed ranges described in a log; a full 256 MiB log has room for 65,536 pages."""
    log_work: int = 4 * GIB
    """Bytes checksummed over all log entries, since entries of hostile files may overlap."""
    file_size: int = 80 * TIB
    """A VHDX holds 64 TiB at most; with bitmaps and BAT it stays below this."""
    bat_page: int = 512 * KIB
    """A BAT is read in pages of about this size."""
    walk_entries: int = 200_000
    """Files and folders looked at below one source."""
    walk_depth: int = 64
    """Folders within folders."""
    disks: int = 20_000
    """Virtual disks surveyed in one run."""


DEFAULT_LIMITS = Limits()
