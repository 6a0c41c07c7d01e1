"""What a VHDX should look like: the parameters of the builder."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from .model import MIB, Span, number


class Kind(enum.Enum):
    """Spec 1.2, File Parameters: LeaveBlocksAllocated and HasParent."""

    FIXED = "fixed"
    DYNAMIC = "dynamic"
    DIFFERENCING = "differencing"


class Style(enum.Enum):
    """Who wrote the file (spec 1.1, observed placement)."""

    WINDOWS = "windows"
    QEMU = "qemu"
    DISK2VHD = "disk2vhd"


class State(enum.IntEnum):
    """Payload block states (spec 1.3)."""

    NOT_PRESENT = 0
    UNDEFINED = 1
    ZERO = 2
    UNMAPPED = 3
    FULL = 6
    PARTIAL = 7


class LogKind(enum.Enum):
    """How the log looks (spec 1.4)."""

    EMPTY = "empty"
    CLEAN_STALE = "clean-stale"
    PENDING = "pending"
    PENDING_WRAPPED = "pending-wrapped"
    PENDING_TORN = "pending-torn"

    @property
    def pending(self) -> bool:
        """True when the header names a log session, so that replay is mandatory."""
        return self.value.startswith("pending")


@dataclass(frozen=True)
class BlockPlan:
    """One block: ``runs`` are the own bytes of state 7, ``anchored`` keeps an offset in states 1, 2, 3."""

    index: int
    state: State
    runs: tuple[Span, ...] = ()
    anchored: bool = False


@dataclass(frozen=True)
class LogPlan:
    """The log: its kind and the details of its sessions."""

    kind: LogKind = LogKind.EMPTY
    length: int = MIB
    versions: int = 4
    """Write steps in the newest session; step n holds n/versions of all allocations."""
    disk_version: int = 1
    """Pending logs: the step whose pages are still on disk."""
    older_session: bool = True
    guid_per_entry: bool = False
    """QEMU: a new GUID for each entry, sequence numbers go on (spec 1.4, facts (d))."""
    old_size: int = 0
    """Virtual size before the newest step (0 = unchanged); makes the metadata page part of the log."""
    log_metadata: bool = False
    """Keep a copy of the metadata pages in the first entry."""
    beyond: int = 0
    """Stale entries claim a file size this much larger than the file (spec 1.4, facts (c))."""
    extend: int = 0
    """Pending logs: the file still lacks this many bytes at its end; LastFileOffset asks for them."""
    one_header: bool = False
    """Pending logs: only the current header names the session; the other one is one session older."""
    half_closed: bool = False
    """Clean logs: the older header still names the session (the close wrote one header, not yet both)."""
    zero_pages: bool = True
    """Pending logs: let BAT pages without entries be dirty on disk and cleaned by a zero descriptor."""


@dataclass(frozen=True)
class LinkPlan:
    """Parent locator (spec 1.2)."""

    folder: str = "C:\\VMs\\Virtual Hard Disks"
    volume: str = "\\\\?\\Volume{6e9b2a1c-58d3-4c0e-9a51-8c5d2f0b7a11}\\VMs\\Virtual Hard Disks"
    relative: bool = True
    volume_path: bool = True
    absolute: bool = True
    second_linkage: bool = False
    """The real parent is named by ``parent_linkage2`` only (spec 1.2, keys)."""


@dataclass(frozen=True)
class VhdxSpec:
    """All parameters of one file."""

    name: str = "disk.vhdx"
    kind: Kind = Kind.DYNAMIC
    style: Style = Style.WINDOWS
    virtual_size: int = 64 * MIB
    block_size: int = MIB
    logical: int = 512
    physical: int = 4096
    blocks: tuple[BlockPlan, ...] = ()
    log: LogPlan = field(default_factory=LogPlan)
    link: LinkPlan = field(default_factory=LinkPlan)
    seed: int = 1
    layer: int = 0
    shuffle: bool = True
    orphans: int = 0
    """Unowned gaps of one block each, spread over the payload area (spec X19)."""
    surplus_tail: int = 0
    """Bytes behind the last structure; need not be a multiple of 1 MiB (spec X2)."""
    current_slot: int = 1
    """Which header copy is the current one."""
    equal_headers: bool | None = None
    required_flag: bool | None = None
    page83_seed: int | None = None


def blocks_of(
    count: int,
    *,
    full: tuple[int, ...] = (),
    zero: tuple[int, ...] = (),
    unmapped: tuple[int, ...] = (),
    undefined: tuple[int, ...] = (),
    partial: tuple[int, ...] = (),
    anchored: bool = False,
    block_size: int = MIB,
    logical: int = 512,
    seed: int = 1,
) -> tuple[BlockPlan, ...]:
    """A block map from lists of block numbers; negative numbers count from the end."""
    plans: dict[int, BlockPlan] = {}
    for state, wanted in (
        (State.FULL, full),
        (State.ZERO, zero),
        (State.UNMAPPED, unmapped),
        (State.UNDEFINED, undefined),
    ):
        soft = anchored and state is not State.FULL
        for index in wanted:
            plans[index % count] = BlockPlan(index % count, state, anchored=soft)
    for index in partial:
        runs = odd_runs(block_size, logical, seed * 1000003 + index % count)
        plans[index % count] = BlockPlan(index % count, State.PARTIAL, runs)
    return tuple(plans[index] for index in sorted(plans))


def odd_runs(block_size: int, logical: int, seed: int) -> tuple[Span, ...]:
    """Own ranges of a PARTIAL block, never starting on a byte of the bitmap (spec 5.2, test ideas)."""
    sectors = block_size // logical
    runs: list[Span] = []
    position = 1 + number(seed, "first", 6)
    for step in range(7):
        length = 1 + 2 * number(seed, f"length{step}", max(sectors // 40, 2))
        if position % 8 == 0:
            position += 3
        if position + length >= sectors:
            break
        runs.append(Span(position * logical, length * logical))
        position += length + 1 + number(seed, f"gap{step}", max(sectors // 10, 2))
    return tuple(runs)
