"""Whole processes measured in turn: A B A B. Time by the clock, memory as the system counted it.

This module and its caller import nothing large: on Linux a child's highest resident size is at least what its
parent held at the start, so a parent of hundreds of MiB would hide it.
"""

from __future__ import annotations

import os
import shlex
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

NOISY = 1.5
"""The slowest run of the baseline by its fastest, from which on the machine was not quiet."""


class Failed(Exception):
    """A command ended otherwise than it should."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is run. ``clean`` removes what the command writes, before each run and after the last."""

    argv: tuple[str, ...]
    writes: Path | None = None

    def __str__(self) -> str:
        return shlex.join(self.argv)

    def clean(self) -> None:
        """Remove the target."""
        if self.writes is not None:
            self.writes.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Run:
    """Seconds by the clock, KiB at the highest."""

    seconds: float
    kib: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The runs of ours and of the baseline, in the order in which they took turns."""

    ours: tuple[Run, ...]
    theirs: tuple[Run, ...]

    def ratio(self, of: Callable[[Run], float]) -> tuple[float, float, float]:
        """Median by median; lowest and highest of the runs that stood side by side."""
        each = [of(a) / of(b) for a, b in zip(self.ours, self.theirs, strict=True)]
        return median(self.ours, of) / median(self.theirs, of), min(each), max(each)

    @property
    def noise(self) -> float:
        """How far the baseline's own runs are apart."""
        times = [run.seconds for run in self.theirs]
        return max(times) / min(times)


def median(runs: Sequence[Run], of: Callable[[Run], float]) -> float:
    """The middle one."""
    return statistics.median(of(run) for run in runs)


def seconds(run: Run) -> float:
    """By the clock."""
    return run.seconds


def memory(run: Run) -> float:
    """KiB."""
    return float(run.kib)


def once(command: Command) -> Run:
    """One process from start to end; its exit code must be 0."""
    command.clean()
    began = time.perf_counter()
    with subprocess.Popen(command.argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        said = process.stderr.read()
        _pid, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise Failed(f"{command}: exit {process.returncode}: {said.decode(errors='replace').strip()[-300:]}")
    return Run(took, usage.ru_maxrss)


def in_turn(ours: Command, theirs: Command, times: int) -> Pair:
    """Both once to warm up, then in turn."""
    for command in (ours, theirs):
        once(command)
    runs = [(once(ours), once(theirs)) for _ in range(times)]
    for command in (ours, theirs):
        command.clean()
    return Pair(tuple(a for a, _ in runs), tuple(b for _, b in runs))
