"""The stranger's cases against our survey and reader: found, in the right place, and never a wrong byte unsaid.

What is not met is listed here by name with its reason, and nothing else may be missed.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from hvrescue.core.words import Severity
from tests.matrix.judge import Judgement, judge, wanted
from tests.strangers.cases import Case, Plan, first_of_each, plans

ALARM_ON_PURPOSE = {
    "vhdx-healthy-child-grown": "a parent cut smaller looks the same; Windows speaks of a size mismatch (0xC03A0017)",
}


QUICK = list(first_of_each())


def check(case: Case, result: Judgement) -> None:
    if case.healthy:
        if case.name not in ALARM_ON_PURPOSE:
            assert not result.detected, f"false alarm: {result.codes}"
        assert result.wrong == 0
        assert result.refused == 0 or case.name in ALARM_ON_PURPOSE
        return
    if wanted(case):
        assert result.detected, f"not found: {case.description}"
        assert result.located, f"found elsewhere: {result.codes}; wanted {case.expect.where}"
    if case.expect.detectable:
        assert result.wrong == 0, f"{result.wrong} wrong bytes outside of what was lost: {result.codes}"
        assert result.wrong_silent == 0 or case.expect.severity <= 1, (
            f"{result.wrong_silent} wrong bytes, nothing said"
        )


@pytest.mark.parametrize("plan", QUICK, ids=[plan.name for plan in QUICK])
def test_each_damage_once(plan: Plan, tmp_path: Path) -> None:
    case = plan.build(tmp_path)
    check(case, judge(case))
    case.discard()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_whole_matrix(tmp_path: Path) -> None:
    failed = []
    for plan in plans():
        case = plan.build(tmp_path)
        try:
            check(case, judge(case))
        except AssertionError as error:
            failed.append(f"{case.name}: {error}")
        case.discard()
    assert not failed, "\n".join(failed)


def test_severities_are_not_all_the_same(tmp_path: Path) -> None:
    """The judge itself can fail: an undamaged file judged as a damaged one is not found."""
    healthy = next(plan for plan in QUICK if plan.healthy)
    case = healthy.build(tmp_path)
    assert all(f.severity < Severity.WARNING for f in judge(case).findings)
