"""Damaged and healthy disks with known truth, shown to hvrescue and to other tools: who sees what, who lies.

    python -m benchmarks.corruption_matrix [--quick] [--peers] [--format vhdx|vhd] [--markdown]

from the project's folder, or ``scripts/bench matrix``. The disks come from ``tests/strangers``, which knows nothing
of the product. Writes nothing but what it prints; the disks live in a temporary folder, one at a time.
``benchmarks/results/corruption-matrix.md`` is what ``--quick --peers --markdown`` prints.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from benchmarks.answers import scratch, tools, version
from benchmarks.matrix_text import markdown, plain
from benchmarks.rows import Row, chosen, collect


def main(argv: list[str]) -> int:
    """Ask, then print. What is asserted stands in tests/matrix; here it is only shown."""
    parser = argparse.ArgumentParser(prog="corruption_matrix", description="Damages told, and lies, tool by tool.")
    parser.add_argument("--quick", action="store_true", help="one variant of each damage")
    parser.add_argument("--peers", action="store_true", help="ask qemu-img, libvhdi, dissect and 7-Zip too")
    parser.add_argument("--format", choices=["vhdx", "vhd"], default="", help="disks of one format only")
    parser.add_argument("--markdown", action="store_true", help="as Markdown, for benchmarks/results")
    wish = parser.parse_args(argv)
    asked = tools(wish.peers)
    plans = list(chosen(wish.quick, wish.format))
    with scratch() as folder:
        rows = list(_watched(collect(plans, asked, Path(folder))))
    print("\n".join((markdown if wish.markdown else plain)(rows, [version(tool) for tool in asked])))
    return 0


def _watched(rows: Iterable[Row]) -> Iterator[Row]:
    """A line on standard error now and then: with peers and all variants this takes long."""
    shown = time.monotonic()
    for count, row in enumerate(rows, 1):
        if time.monotonic() > shown + 10:
            shown = time.monotonic()
            print(f"{count} rows, at {row.format} {row.name}", file=sys.stderr, flush=True)
        yield row


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
