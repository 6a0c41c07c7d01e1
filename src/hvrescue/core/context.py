"""What a piece of work is given from outside: progress, limits, workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from hvrescue.core.limits import DEFAULT_LIMITS, Limits
from hvrescue.core.progress import Progress, Silent


def _cores() -> int:
    return min(8, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Context:
    """Handed down from the skin to every room."""

    progress: Progress = field(default_factory=Silent)
    limits: Limits = DEFAULT_LIMITS
    workers: int = field(default_factory=_cores)

    def with_workers(self, workers: int) -> Context:
        """The same, with so many threads."""
        return replace(self, workers=workers)


QUIET = Context()

Item = TypeVar("Item")
_WORTH_IT = 64
"""Fewer items than this are done sooner than threads are started."""


def in_parallel(work: Callable[[Item], None], items: Sequence[Item], workers: int) -> None:
    """Do the work for every item, on several threads where that pays; the first error is raised."""
    if workers < 2 or len(items) < _WORTH_IT:
        for item in items:
            work(item)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, items))
