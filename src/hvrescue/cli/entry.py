"""Where the program starts: choose the language, then import the command line in it."""

from __future__ import annotations

import gc
import os
import sys

from hvrescue.core.language import speak, wanted_language

_COLLECT_SELDOM = 50_000
"""Imports make thousands of objects that all stay: looking for garbage among them takes a tenth of the start."""


def main() -> None:
    """Run ``hvrescue`` and leave with its exit code."""
    gc.set_threshold(_COLLECT_SELDOM)
    speak(wanted_language(sys.argv[1:]))
    from hvrescue.cli.main import cli
    from hvrescue.cli.running import run

    code = run(cli, sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        pass  # the reader of our output has gone
    # Nothing is left to be done: taking the process apart object by object would only take time.
    os._exit(code)
