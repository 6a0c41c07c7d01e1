"""What a piece of work is given from outside: progress, limits, workers."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

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
    deal_out(work, iter(items), workers if len(items) >= _WORTH_IT else 1)


def deal_out(work: Callable[[Item], None], items: Iterator[Item], workers: int) -> None:
    """Threads take items one by one until there are none or one fails; the first error is raised."""
    if workers < 2:
        for item in items:
            work(item)
        return
    from threading import Lock, Thread

    lock, errors = Lock(), list[BaseException]()

    def take() -> None:
        while not errors:
            try:
                with lock:
                    item = next(items, _NO_MORE)
                if item is _NO_MORE:
                    return
                work(cast("Item", item))
            except BaseException as error:
                errors.append(error)

    threads = [Thread(target=take, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt as stop:
        errors.append(stop)
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


_NO_MORE = object()
