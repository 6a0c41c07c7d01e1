"""What every test may ask for: the corpus, and Hypothesis set up for people and for machines."""

from __future__ import annotations

import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parents[1]
OPENERS: dict[str, Callable[[Path], gzip.GzipFile | lzma.LZMAFile]] = {
    ".gz": gzip.GzipFile,
    ".xz": lzma.LZMAFile,
}

# How fast an example runs says more about the machine than about the code.
# "ci" repeats the same examples on every run.
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("dev"), derandomize=True, database=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real files written by others; tests that ask for it carry the mark ``corpus``."""
    named = os.environ.get("HVRESCUE_CORPUS")
    folder = Path(named) if named else ROOT.parent / "shared" / "corpus"
    if folder.is_dir():
        return folder
    if named:
        pytest.fail("HVRESCUE_CORPUS names no folder")
    pytest.skip("no corpus here: HVRESCUE_CORPUS is not set")


@pytest.fixture(scope="session")
def unpacked(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``unpacked("disks/x.vhdx.gz")``: the file without its compression, once per session.

    Read it; change a copy.
    """
    folder = tmp_path_factory.mktemp("corpus")

    def unpack(name: str) -> Path:
        packed = corpus / name
        if packed.suffix not in OPENERS:
            return packed
        plain = folder / Path(name).with_suffix("")
        if not plain.exists():
            plain.parent.mkdir(parents=True, exist_ok=True)
            part = plain.with_name(plain.name + ".part")
            with OPENERS[packed.suffix](packed) as source, part.open("wb") as target:
                _copy_sparse(source, target)
            part.chmod(0o444)
            part.replace(plain)
        return plain

    return unpack


def _copy_sparse(source: gzip.GzipFile | lzma.LZMAFile, target: BinaryIO) -> None:
    """Copy, leaving holes where the disk holds nothing: some images are mostly that."""
    while block := source.read(1 << 20):
        if block.count(0) == len(block):
            target.seek(len(block), os.SEEK_CUR)
        else:
            target.write(block)
    target.truncate()
