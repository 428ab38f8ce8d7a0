"""Ledgers of earlier versions, whose records have schema 1: shown, projected, and their retrains count again."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from flows.compose.compose import from_overrides
from flows.history import main as history
from flows.session.generations import RoundIncumbents
from flows.session.projection import projection_of
from flows.session.session import Session
from tasks.ledger import Ledger, open_ledger
from tasks.record import SCHEMA
from tasks.scope.goal import Incumbent
from tests.ledger.test_schema import RELEASED, restored

OLD = RELEASED[:3]  # until ledger schema 3 records had schema 1


def begun(ledger: Ledger, root: Path, old: str) -> Session:
    """A round of this version that counts the retrains of an old one again."""
    config = from_overrides(["workload=synthetic", "goal=synthetic", f"tracking.root={root}"])
    frozen: dict[str, Any] = {"schema": SCHEMA, "kept": [old], "config": config.model_dump(mode="json")}
    ledger.begin("new", "synthetic", "synthetic", frozen, "0" * 64, "2026-12-01")
    return Session(
        round_id="new",
        config=config,
        incumbent=Incumbent(generation=0, point={}, source="the baseline"),
        ledger=ledger,
        folder=root,
        created="2026-12-01",
        resumed=False,
        parent=None,
        parts={},
    )


@pytest.mark.parametrize("dump", OLD, ids=lambda p: p.stem)
def test_its_round_is_shown_and_projected_with_its_gate(
    tmp_path: Path, dump: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = restored(tmp_path, dump)
    with closing(open_ledger(root)) as ledger:
        (real,) = ledger.rounds("synthetic")
        picture = projection_of(ledger, real.round_id)
    assert picture.record is not None
    assert picture.record.schema_ == SCHEMA
    assert picture.record.digest == real.digest
    assert (picture.record.gate is not None) == any(t.purpose == "retrain" for t, _, _ in picture.trials)
    assert {t.max_train_steps for t, _, _ in picture.trials} == {10}
    assert history(["show", real.round_id, f"tracking.root={root}"]) == 0
    assert real.outcome is not None
    assert real.outcome in capsys.readouterr().out
    assert history(["list", f"tracking.root={root}"]) == 0
    assert real.round_id in capsys.readouterr().out


@pytest.mark.parametrize("dump", RELEASED[2:], ids=lambda p: p.stem)  # the rounds before had no retrains
def test_its_retrains_count_again_as_they_were(tmp_path: Path, dump: Path) -> None:
    root = restored(tmp_path, dump)
    with closing(open_ledger(root)) as ledger:
        (real,) = ledger.rounds("synthetic")
        kept = RoundIncumbents(begun(ledger, root, real.round_id)).earlier_retrains()
        plans = {p["id"]: p for p in ledger.planned(real.round_id) if p["purpose"] == "retrain"}
    assert len(kept) >= 6
    assert {t.id for t in kept} == set(plans)
    for trial in kept:
        assert trial.feasible
        assert trial.planned.point == plans[trial.id]["point"]
        assert trial.planned.seed == plans[trial.id]["seed"]
        assert (trial.planned.max_train_steps, trial.planned.eval_every_steps) == (10, 5)
        assert trial.planned.settings == {}
