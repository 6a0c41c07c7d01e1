"""Which blocks of a disk cannot be known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hvrescue.byteio.arrays import I64, Bools


@dataclass
class Doubt:
    """Blocks whose content cannot be known. No memory is taken while there are none."""

    blocks: int
    mask: Bools | None = None

    def add(self, blocks: I64) -> None:
        """These blocks are doubted."""
        if blocks.size:
            if self.mask is None:
                self.mask = np.zeros(self.blocks, np.bool_)
            self.mask[blocks[blocks < self.blocks]] = True

    def within(self, first: int, count: int) -> Bools | None:
        """The doubts about a run of blocks; None when there are none at all."""
        return None if self.mask is None else self.mask[first : first + count]
