"""Prove the generator: other people's tools must read its healthy files as the truth says.

Marked ``oracle`` because the tests need qemu-img, 7-Zip, libvhdi and dissect; what is missing is
skipped.  QEMU cannot open differencing VHDX, libvhdi takes ZERO blocks from the parent and misreads
bitmap runs (field notes), so chains are left to 7-Zip and dissect.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .cases import Case, Plan, plans
from .peers import Answer, Peer, Question, ask, dissect, libvhdi, qemu, repair, seven_zip
from .replay import replay

pytestmark = pytest.mark.oracle

ALL = {plan.name: plan for plan in plans()}
HEALTHY = [name for name, plan in ALL.items() if plan.healthy]
PENDING = [name for name in HEALTHY if "pending" in name]
CHAINS = ("child", "grand", "deep", "parent-")


def _chain(name: str) -> bool:
    return any(word in name for word in CHAINS)


VHDX_BASE = [n for n in HEALTHY if n.startswith("vhdx") and n not in PENDING and not _chain(n)]
VHDX_CHAIN = [n for n in HEALTHY if n.startswith("vhdx") and n not in PENDING and _chain(n)]
VHD_BASE = [n for n in HEALTHY if n.startswith("vhd-") and not _chain(n)]
VHD_CHAIN = [n for n in HEALTHY if n.startswith("vhd-") and _chain(n)]

NOT_FOR_QEMU = {"vhdx-healthy-sectors-4096": "QEMU supports 512-byte sectors only"}
NOT_FOR_QEMU_REPLAY = {
    "vhdx-healthy-pending-wrapped": "QEMU compares the first sequence number of a run, not its head",
    "vhdx-healthy-pending-wrapped-2m": "the same",
    "vhdx-healthy-pending-extend": "QEMU 7.2 extends the file only for sizes that are no multiple of 1 MiB",
}
NOT_FOR_DISSECT = {
    "vhdx-healthy-optional-item": "KeyError on unknown optional items (spec 1.2)",
    "vhdx-healthy-user-item": "the same",
    "vhdx-healthy-empty-item": "the same",
    "vhdx-healthy-deep": "wrong on stacked partial blocks; 7-Zip and libvhdi agree with the truth",
    "vhdx-healthy-child-grown": "no peer reads past the end of a smaller parent",
}
NOT_FOR_LIBVHDI = {
    "vhdx-healthy-empty-item": "refuses items of length 0",
    "vhd-healthy-short-footer": "refuses 511-byte footers",
    "vhd-healthy-fixed-short-footer": "the same",
}
NOT_FOR_7ZIP = {
    "vhdx-healthy-child-linkage2": "knows parent_linkage only",
    "vhdx-healthy-child-grown": "no peer reads past the end of a smaller parent",
    "vhd-healthy-child-absolute-only": "wants a relative locator",
    "vhd-healthy-child-no-locators": "wants a relative locator",
}


def _judge(plan: Plan, peer: Peer, tmp_path: Path) -> None:
    """The peer must deliver exactly the truth, or not be able to be asked at all."""
    case = plan.build(tmp_path)
    verdict = ask(peer, Question.of(case))
    case.discard()
    if verdict.answer in (Answer.ABSENT, Answer.TOO_LARGE):
        pytest.skip(str(verdict))
    assert verdict.answer is Answer.RIGHT, f"{verdict} {verdict.message}"


@pytest.mark.parametrize("name", [n for n in VHDX_BASE if n not in NOT_FOR_QEMU])
def test_qemu_reads_vhdx(name: str, tmp_path: Path) -> None:
    """Base disks with a clean log: qemu-img check is silent and convert gives the truth."""
    _judge(ALL[name], qemu, tmp_path)


@pytest.mark.parametrize("name", [n for n in VHDX_BASE if n not in NOT_FOR_LIBVHDI])
def test_libvhdi_reads_vhdx(name: str, tmp_path: Path) -> None:
    """Base disks, the huge ones included, by libvhdi."""
    _judge(ALL[name], libvhdi, tmp_path)


@pytest.mark.parametrize("name", [n for n in VHDX_BASE + VHDX_CHAIN if n not in NOT_FOR_DISSECT])
def test_dissect_reads_vhdx(name: str, tmp_path: Path) -> None:
    """Base disks and chains by dissect, aligned reads."""
    _judge(ALL[name], dissect, tmp_path)


@pytest.mark.parametrize("name", [n for n in VHDX_CHAIN + VHD_CHAIN if n not in NOT_FOR_7ZIP])
def test_seven_zip_reads_chains(name: str, tmp_path: Path) -> None:
    """Differencing disks of both formats by 7-Zip, which checks the identifiers."""
    _judge(ALL[name], seven_zip, tmp_path)


@pytest.mark.parametrize("name", [n for n in PENDING if not _chain(n) and n not in NOT_FOR_QEMU_REPLAY])
def test_qemu_replays(name: str, tmp_path: Path) -> None:
    """Pending logs: the truth appears after ``qemu-img check -r all`` on a copy."""
    _judge(ALL[name], repair, tmp_path)


@pytest.mark.parametrize("name", PENDING)
def test_naive_replay(name: str, tmp_path: Path) -> None:
    """All pending logs, wrapped ones too: a second implementation of spec 1.4, then dissect."""
    case = ALL[name].build(tmp_path)
    assert _wrong(case), "a reader that ignores the log must notice that it matters"
    assert sum(replay(path) for path in case.files) > 0
    verdict = ask(dissect, Question.of(case))
    if verdict.answer is Answer.ABSENT:
        pytest.skip(str(verdict))
    assert verdict.answer is Answer.RIGHT, f"{verdict} {verdict.message}"


def _wrong(case: Case) -> bool:
    """True when dissect, which ignores logs, is wrong before the replay (or is not installed)."""
    return ask(dissect, Question.of(case)).answer in (Answer.WRONG, Answer.ABSENT)


@pytest.mark.parametrize("name", VHD_BASE)
def test_qemu_reads_vhd(name: str, tmp_path: Path) -> None:
    """Fixed and dynamic VHD by qemu-img, creators that count cylinders included."""
    _judge(ALL[name], qemu, tmp_path)


@pytest.mark.parametrize("name", [n for n in VHD_BASE if n not in NOT_FOR_LIBVHDI])
def test_libvhdi_reads_vhd(name: str, tmp_path: Path) -> None:
    """Fixed and dynamic VHD by libvhdi."""
    _judge(ALL[name], libvhdi, tmp_path)


def test_cases_are_repeatable(tmp_path: Path) -> None:
    """The same name gives the same bytes, whatever the directory."""
    names = HEALTHY[:3] + [n for n in ALL if "bat-duplicate" in n][:2]
    for name in names:
        first = ALL[name].build(tmp_path / "a")
        second = ALL[name].build(tmp_path / "b")
        assert [p.name for p in first.files] == [p.name for p in second.files]
        for one, two in zip(first.files, second.files, strict=True):
            assert one.read_bytes() == two.read_bytes(), name
        first.discard()
        second.discard()


def test_every_damage_changes_something(tmp_path: Path) -> None:
    """A damaged case says where, names an invariant, and differs from its healthy base."""
    seen: set[str] = set()
    for plan in plans():
        if plan.healthy:
            continue
        case = plan.build(tmp_path / "damaged")
        assert case.invariants, case.name
        assert case.expect.where, case.name
        assert case.expect.detectable or case.expect.reason, case.name
        for span in (*case.expect.lost, *case.truth.undefined):
            assert 0 <= span.offset < span.end <= case.truth.virtual_size, case.name
        seen.update(case.invariants)
        case.discard()
    wanted = {f"X{n}" for n in (*range(1, 26), 27, 28)} | {f"V{n}" for n in range(1, 14)}
    assert wanted <= seen, sorted(wanted - seen)
    shutil.rmtree(tmp_path / "damaged", ignore_errors=True)
