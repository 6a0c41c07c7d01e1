"""Names for the kinds of numpy arrays in use (``numpy.typing`` is slow to import), and a set without hashing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Bools = npt.NDArray[np.bool_]
    I64 = npt.NDArray[np.int64]
    U8 = npt.NDArray[np.uint8]
    U16 = npt.NDArray[np.uint16]
    U32 = npt.NDArray[np.uint32]
    U64 = npt.NDArray[np.uint64]
else:
    Bools = I64 = U8 = U16 = U32 = U64 = Any


def distinct(values: I64) -> I64:
    """Sorted, each once. ``np.unique`` hashes, which takes seconds for millions of entries, and imports more."""
    ordered: I64 = np.sort(values)
    return ordered[np.append(True, np.diff(ordered) > 0)] if ordered.size else ordered
