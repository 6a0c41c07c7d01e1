"""Runs in a child process: read ranges of a disk through a Python library and write them to a file.

Usage: ``python peer_child.py LIBRARY OUTPUT FILE [PARENT ...] < ranges`` with one "offset size" per
line.  The output is the concatenation of the ranges.  Exit code 3 means the library is not there.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

STEP = 1 << 16
"""Aligned pieces of 64 KiB: dissect is wrong on reads that cross a block's end (spec 5.2)."""


def vhdi(paths: list[str]) -> Callable[[int, int], bytes]:
    """libvhdi; the caller must hand over the parents."""
    module: Any = importlib.import_module("pyvhdi")
    below: Any = None
    for path in reversed(paths):
        disk: Any = module.file()
        disk.open(path)
        if below is not None:
            disk.set_parent(below)
        below = disk

    def read(offset: int, size: int) -> bytes:
        return bytes(below.read_buffer_at_offset(size, offset))

    return read


def dissect(paths: list[str]) -> Callable[[int, int], bytes]:
    """dissect.hypervisor; finds VHDX parents itself."""
    name = "vhdx" if Path(paths[0]).read_bytes()[:8] == b"vhdxfile" else "vhd"
    module: Any = importlib.import_module(f"dissect.hypervisor.disk.{name}")
    source = Path(paths[0])
    disk: Any = module.VHDX(source) if name == "vhdx" else module.VHD(source.open("rb"))

    def read(offset: int, size: int) -> bytes:
        disk.seek(offset)
        return bytes(disk.read(size))

    return read


def main(library: str, output: str, *paths: str) -> int:
    """Copy the ranges named on standard input."""
    try:
        read = {"vhdi": vhdi, "dissect": dissect}[library](list(paths))
    except ModuleNotFoundError:
        return 3
    with Path(output).open("wb") as stream:
        for line in sys.stdin:
            offset, size = (int(word) for word in line.split())
            for low in range(offset, offset + size, STEP):
                want = min(STEP, offset + size - low)
                data = read(low, want)
                stream.write(data)
                if len(data) < want:
                    return 0
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
