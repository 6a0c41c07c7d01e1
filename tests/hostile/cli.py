"""The command line, run here or in a child with limits."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from hvrescue.cli.main import cli
from hvrescue.cli.running import run
from hvrescue.core.language import speak

ROOT = Path(__file__).resolve().parents[2]

if sys.platform == "win32":
    pytest.skip("limits and pipes of Unix", allow_module_level=True)

import resource  # noqa: E402 - Windows has none

_CONTROLS = frozenset({*range(0x20), 0x7F, *range(0x80, 0xA0)} - {0x0A})
_MARKS = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True)
class Ran:
    """What came of it."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output as the one JSON document it must be."""
        return json.loads(self.out)

    @property
    def both(self) -> str:
        return self.out + self.err


def hv(*words: str | Path) -> Ran:
    """In this process, in English. Output as strict as a terminal's: what cannot be encoded is an error."""
    speak("en")
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n", write_through=True) for _ in range(2))
    with mock.patch.object(sys, "stdout", out), mock.patch.object(sys, "stderr", err):
        code = run(cli, [str(word) for word in words])
    return Ran(code, _text(out), _text(err))


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    raw = stream.buffer
    assert isinstance(raw, io.BytesIO)
    return raw.getvalue().decode("utf-8", "backslashreplace")


def child(
    *words: str | Path,
    memory: int = 2 << 30,
    seconds: int = 20,
    files: int = 256,
    env: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> Ran:
    """In a process of its own with little memory, time of the processor, and few handles."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        if before is not None:
            before()

    environment = {**os.environ, "HVRESCUE_LANG": "en", "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-m", "hvrescue", *map(os.fsencode, map(str, words))],
        capture_output=True, check=False, timeout=50, env={**environment, **(env or {})}, preexec_fn=limit,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"))


def forked(*words: str | Path, memory: int = 1 << 30, seconds: int = 10, user: int | None = None) -> Ran:
    """In a fork of this process, which starts at once: so much more memory, and time of the processor."""
    inward, outward = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the other threads are idle pools of numpy
        pid = os.fork()
    if pid == 0:
        os.close(inward)
        try:
            most = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + memory
            resource.setrlimit(resource.RLIMIT_AS, (most, most))
            resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
            if user is not None:
                os.setgroups([])
                os.setgid(user)
                os.setuid(user)
            ran = hv(*words)
            answer = json.dumps([ran.code, ran.out, ran.err])
        except BaseException as error:
            answer = json.dumps([-1, "", repr(error)])
        with os.fdopen(outward, "wb") as answers:
            answers.write(answer.encode())
        os._exit(0)
    os.close(outward)
    with os.fdopen(inward, "rb") as answers:
        told = answers.read()
    _, status = os.waitpid(pid, 0)
    assert told, f"killed: {os.waitstatus_to_exitcode(status)}"
    code, out, err = json.loads(told)
    assert code >= 0, err
    return Ran(code, out, err)


def calm(text: str) -> None:
    """Nothing that steers a terminal or turns its direction."""
    bad = sorted({c for c in text if ord(c) in _CONTROLS or c in _MARKS or 0xD800 <= ord(c) < 0xE000})
    assert not bad, f"{bad!r} in {text[:2000]!r}"


def tidy(ran: Ran) -> Ran:
    """No stack trace, no mistake of ours, nothing unescaped."""
    assert "Traceback" not in ran.both, ran.both
    assert "mistake in hvrescue" not in ran.both, ran.both
    calm(ran.out)
    calm(ran.err)
    return ran
