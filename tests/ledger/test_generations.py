"""Incumbents in a real SQLite ledger: numbered without gap, promoted by compare-and-swap."""

from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import Ledger, LedgerError, open_ledger


def promote(ledger: Ledger, expected: int, round_id: str, workload: str = "digits", **more: Any) -> bool:
    said: dict[str, Any] = {
        "point": {"learning_rate": 0.1, "optimizer": "adam"},
        "source": f"round {round_id}",
        "evidence": {"gain": 0.5, "accepted_by": "the gate", "caveats": ["one seed"], "changed": ["optimizer"]},
        "created": "2026-01-01",
    }
    return ledger.promote(workload=workload, expected=expected, round_id=round_id, **(said | more))


@pytest.mark.playbook("G9", case="shows")
def test_a_promotion_is_the_next_baseline_with_its_evidence(ledger: Ledger) -> None:
    assert ledger.incumbent("digits") is None
    assert promote(ledger, 0, "r1")
    assert promote(ledger, 1, "r2", point={"learning_rate": 0.2})
    newest = ledger.incumbent("digits")
    assert newest is not None
    assert (newest.generation, newest.point, newest.round_id) == (2, {"learning_rate": 0.2}, "r2")
    first = ledger.generations("digits")[0]
    assert (first.generation, first.source) == (1, "round r1")
    assert first.evidence == {
        "gain": 0.5,
        "accepted_by": "the gate",
        "caveats": ["one seed"],
        "changed": ["optimizer"],
    }
    assert ledger.workloads() == ["digits"]


@pytest.mark.playbook("G9", case="fires")
def test_a_promotion_without_evidence_is_refused(ledger: Ledger) -> None:
    with pytest.raises(LedgerError, match="without evidence"):
        promote(ledger, 0, "r1", evidence={})
    assert ledger.incumbent("digits") is None


def test_a_promotion_over_another_incumbent_than_was_gated_is_refused(ledger: Ledger) -> None:
    assert not promote(ledger, 1, "r0")
    assert promote(ledger, 0, "r1")
    assert not promote(ledger, 0, "r2")
    assert promote(ledger, 1, "r2")
    assert [g.generation for g in ledger.generations("digits")] == [1, 2]


def test_a_round_that_promotes_again_is_told_yes_and_adds_nothing(ledger: Ledger) -> None:
    assert promote(ledger, 0, "r1")
    assert promote(ledger, 0, "r1")
    assert promote(ledger, 1, "r2")
    assert promote(ledger, 0, "r1")
    assert [g.round_id for g in ledger.generations("digits")] == ["r1", "r2"]


def test_workloads_have_incumbents_of_their_own(ledger: Ledger) -> None:
    assert promote(ledger, 0, "r1")
    assert promote(ledger, 0, "r2", workload="other")
    assert ledger.workloads() == ["digits", "other"]
    assert ledger.generations("third") == []


def test_an_incumbent_from_another_clone_is_adopted_only_if_it_is_ahead(ledger: Ledger) -> None:
    assert ledger.adopt("digits", 3, {"width": 64}, "conf/incumbent/digits.yaml")
    assert not ledger.adopt("digits", 3, {"width": 32}, "another file")
    assert not ledger.adopt("digits", 2, {"width": 32}, "an old file")
    newest = ledger.incumbent("digits")
    assert newest is not None
    assert (newest.generation, newest.point, newest.round_id) == (3, {"width": 64}, None)
    assert promote(ledger, 3, "r1")
    assert ledger.adopt("digits", 7, {"width": 16}, "a newer file")
    assert not promote(ledger, 4, "r2")
    assert promote(ledger, 7, "r2")
    with pytest.raises(LedgerError, match="generation 0"):
        ledger.adopt("fresh", 0, {}, "a file")


def test_of_two_rounds_that_promote_at_once_exactly_one_wins(
    tmp_path: Path, processes: ForkServerContext, child: Callable[..., ForkServerProcess]
) -> None:
    pairs = 20
    open_ledger(tmp_path).close()
    together = processes.Barrier(2)
    pipes = {name: processes.Pipe() for name in ("a", "b")}
    for name, (_, told) in pipes.items():
        child("promotes", tmp_path, together, name, pairs, told)
    winners = sorted((pair, name) for name, (heard, _) in pipes.items() for pair in heard.recv())
    assert [pair for pair, _ in winners] == list(range(pairs))
    with open_ledger(tmp_path) as ledger:
        stored = ledger.generations("digits")
    assert [g.generation for g in stored] == list(range(1, pairs + 1))
    assert [g.round_id for g in stored] == [f"{name}{pair}" for pair, name in winners]
