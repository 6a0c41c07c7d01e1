"""Self-describing payload: every 512-byte unit names its layer, block, position and seed.

A reader that returns the right bytes from the wrong place is therefore always caught, and a wrong
answer can be explained (:func:`describe`).
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from .model import UNIT

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.int64]

MAGIC = int.from_bytes(b"STRANGER", "little")
POISON = 0x8000
"""Added to the layer number: bytes that are in the file but must never reach the guest."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_WORDS = UNIT // 8
GROUP = 128
"""Units per 64 KiB; the first and last unit of each group are always written."""


def units(seed: int, layer: int, block: int, numbers: Numbers) -> Bytes:
    """Bytes of the given units (their numbers count from the start of the block), one row each."""
    words = np.empty((len(numbers), _WORDS), dtype=np.uint64)
    words[:, 0] = np.uint64(MAGIC)
    words[:, 1] = np.uint64((layer << 48) | block)
    words[:, 2] = numbers.astype(np.uint64)
    words[:, 3] = np.uint64(seed)
    shift = np.uint64(seed * int(_GOLDEN) & 0xFFFFFFFFFFFFFFFF)
    key = _mix(words[:, 1] * _GOLDEN ^ _mix(words[:, 2] + shift))
    steps = np.arange(_WORDS - 4, dtype=np.uint64) * _GOLDEN
    words[:, 4:] = _mix(key[:, None] + steps[None, :])
    return words.view(np.uint8)


def _mix(value: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finisher of splitmix64: one changed bit changes half of the result."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def written(block: int, numbers: Numbers, run_first: int, run_last: int) -> NDArray[np.bool_]:
    """Which units of a run [run_first, run_last] hold a pattern; the others are zero.

    Not everything is written, to keep real bytes few: the edges of each 64 KiB, one dense 64 KiB in
    every third block, the edges of the run, and short runs entirely.
    """
    mask: NDArray[np.bool_] = (numbers % GROUP == 0) | (numbers % GROUP == GROUP - 1)
    if block % 3 == 1:
        mask |= numbers // GROUP == (run_first // GROUP + run_last // GROUP) // 2
    if run_last - run_first < 256:
        mask[:] = True
    else:
        mask |= (numbers < run_first + 16) | (numbers > run_last - 16)
    return mask


def describe(data: bytes) -> str:
    """Say in words what a 512-byte unit claims to be (to explain a wrong answer)."""
    if not any(data):
        return "zeros"
    magic, place, number, seed = struct.unpack_from("<4Q", data)
    if magic != MAGIC:
        return "foreign bytes"
    layer, block = place >> 48, place & 0xFFFFFFFFFFFF
    name = f"poison of layer {layer - POISON}" if layer & POISON else f"layer {layer}"
    return f"{name}, block {block}, unit {number}, seed {seed}"
