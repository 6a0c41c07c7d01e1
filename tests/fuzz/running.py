"""Runs one target under atheris: ``python tests/fuzz/fuzz_<target>.py [libFuzzer options]``."""

from __future__ import annotations

import sys
import time

import atheris

with atheris.instrument_imports(include=["hvrescue"]):
    from hvrescue.images import formats
    from tests.fuzz.targets import TARGETS

    _DOORS = [one.doors for one in formats.FORMATS]  # imported now: what is imported later is not watched

_SECONDS = 4.0
"""Of the processor, for one input; instrumented code runs a few times slower than it is."""
_MEMORY = 8 << 30


class TooSlow(Exception):
    """An input of a few bytes took seconds."""


def main(name: str) -> None:
    """Fuzz for as long as the options say."""
    target = TARGETS[name]
    target(b"")  # templates are built before the clock runs
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))

    def run(data: bytes) -> None:
        start = time.process_time()
        target(data)
        if time.process_time() - start > _SECONDS:
            raise TooSlow(f"{time.process_time() - start:.1f} s")

    atheris.Setup(sys.argv, run)
    atheris.Fuzz()
