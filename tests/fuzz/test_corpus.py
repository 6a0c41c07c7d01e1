"""Inputs that once were, or could be, trouble: replayed quickly, and without a fuzzer."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

HERE = Path(__file__).resolve().parent
_SECONDS = 2.0
"""Of the processor, for one input of a few bytes."""


@pytest.mark.parametrize("name", TARGETS)
def test_replay(name: str) -> None:
    """Nothing but a RescueError is raised, and nothing takes long."""
    inputs = sorted((HERE / "corpus" / name).iterdir())
    assert inputs
    target = TARGETS[name]
    target(b"")
    for path in inputs:
        start = time.process_time()
        try:
            target(path.read_bytes())
        except Exception as error:
            raise AssertionError(f"{path.name}: {error!r}") from error
        assert time.process_time() - start < _SECONDS, path.name


@pytest.mark.fuzz
@pytest.mark.timeout(120)
@pytest.mark.parametrize("turn", (1, 2))
@pytest.mark.parametrize("name", TARGETS)
def test_look_for_more(name: str, turn: int, tmp_path: Path) -> None:
    """Half a minute of each, three minutes in all, in two processes since coverage takes memory.

    What is found is worth a file in ``corpus``.
    """
    if importlib.util.find_spec("atheris") is None:
        pytest.skip("atheris has no wheel for this machine")
    known = HERE / "corpus" / name
    options = ["-max_total_time=15", "-timeout=20", "-rss_limit_mb=4096", "-len_control=0", "-max_len=600"]
    command = [sys.executable, f"tests/fuzz/fuzz_{name}.py", *options, f"-artifact_prefix={tmp_path}/"]
    (tmp_path / "corpus").mkdir()
    done = subprocess.run(
        [*command, str(tmp_path / "corpus"), str(known)],
        cwd=HERE.parents[1], env={"PYTHONPATH": ".", "PATH": "/usr/bin:/bin"}, capture_output=True, check=False,
    )  # fmt: skip
    found = [path.name for path in tmp_path.iterdir() if path.is_file()]
    assert done.returncode == 0 and not found, (found, done.stderr[-3000:])
