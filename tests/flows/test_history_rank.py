"""A round's trials ranked by another objective, from its record and its curves alone."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.history import main
from tasks.design.study import Planned
from tasks.ledger import open_ledger
from tasks.record import Record
from tasks.scope.goal import Objective
from tasks.trials.stored import write_curves
from tasks.trials.trial import Curve, Trial, ended
from tests.flows.test_history import begin, record, refused

Shell = Callable[..., tuple[int, str, str]]
OBJECTIVE = Objective(metric="valid_error", direction="minimize")
CURVES: Mapping[str, Mapping[str, list[float]]] = {
    "dips": {"valid_error": [0.5, 0.1, 0.4], "train_loss": [1.0, 0.9, 0.8], "odd": [1.0, 1.0, 1.0]},
    "holds": {"valid_error": [0.5, 0.3, 0.2], "train_loss": [1.0, 0.9, 0.7], "odd": [3.0, 2.0, 1.5]},
    "learns": {"valid_error": [0.5, 0.4, 0.3], "train_loss": [1.0, 0.5, 0.1], "odd": [2.0, 2.0, 2.0]},
}


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    def call(*words: str) -> tuple[int, str, str]:
        code = main(words)
        said = capsys.readouterr()
        return code, said.out, said.err

    return call


def trial(name: str, index: int, curve: Mapping[str, list[float]], status: Any = "complete") -> Trial:
    planned = Planned(
        id=name,
        study="s-1",
        purpose="search",
        index=index,
        point={"lr": 0.1},
        seed=index,
        max_train_steps=30,
        eval_every_steps=10,
    )
    metrics = {m: np.array(v) for m, v in curve.items()}
    return ended(planned, Curve(steps=np.array([10, 20, 30]), metrics=metrics), OBJECTIVE, status, "x" * (index == 3))


def concluded(root: Path, sampler: str = "halton") -> None:
    """A finished round of three trials and an infeasible one."""
    trials = [trial(name, i, curve) for i, (name, curve) in enumerate(CURVES.items())]
    trials.append(trial("lost", 3, {"valid_error": [0.0, 0.0, 0.0]}, "infeasible"))
    study = {
        "id": "s-1",
        "scientific": {},
        "space": {},
        "sampler": sampler,
        "seed": 0,
        "trials": [t.id for t in trials],
    }
    tree = record("r-1").model_dump(by_alias=True) | {"studies": [study], "trials": [t.row() for t in trials]}
    with open_ledger(root) as ledger:
        begin(ledger, "r-1", "dropout")
        begin(ledger, "open-2", "dropout")
        text = Record.model_validate(tree).model_dump_json(by_alias=True)
        ledger.conclude("r-1", text, "d", "2026-01-01T10:01:00+00:00")
        ledger.folder("r-1").mkdir(parents=True, exist_ok=True)
        write_curves(ledger.folder("r-1") / "curves.parquet", trials)


@pytest.mark.playbook("D15", case="shows")
@pytest.mark.parametrize(
    ("objective", "order"),
    [
        ("best", ["dips", "holds", "learns"]),
        ("final", ["holds", "learns", "dips"]),
        ("valid_error", ["dips", "holds", "learns"]),
        ("train_loss", ["learns", "holds", "dips"]),
    ],
)
@pytest.mark.prose
def test_the_trials_are_ranked_by_another_objective(
    shell: Shell, tmp_path: Path, objective: str, order: list[str]
) -> None:
    concluded(tmp_path)
    code, out, error = shell("rank", "r-1", f"objective={objective}", f"tracking.root={tmp_path}")
    rows = [line.split() for line in out.splitlines()]
    assert (code, error) == (0, "")
    assert [row[4] for row in rows[1:4]] == order
    assert [row[0] for row in rows[1:4]] == ["1", "2", "3"]
    assert [row[1] for row in rows[1:4]] == [str(["dips", "holds", "learns"].index(n) + 1) for n in order]
    assert ("the same trial is best" in out) == (order[0] == "dips")
    assert "lost" not in out


@pytest.mark.playbook("D15", case="shows")
@pytest.mark.prose
def test_a_ranking_names_its_row_and_says_how_many_trials_lack_the_metric(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = {**CURVES, "dips": {"valid_error": [0.5, 0.1, 0.4]}}
    monkeypatch.setattr("tests.flows.test_history_rank.CURVES", some)
    concluded(tmp_path)
    _, out, _ = shell("rank", "r-1", "objective=train_loss", f"tracking.root={tmp_path}")
    assert "1 complete trial without it left out; " in out
    assert out.rstrip().endswith("(D15)")
    _, out, _ = shell("rank", "r-1", "objective=final", f"tracking.root={tmp_path}")
    assert "left out" not in out


@pytest.mark.prose
def test_a_metric_that_no_trial_has_is_not_asked_for_its_direction(shell: Shell, tmp_path: Path) -> None:
    concluded(tmp_path)
    said = refused(shell("rank", "r-1", "objective=FINAL", f"tracking.root={tmp_path}"))
    assert "has 'FINAL'; they have odd, train_loss, valid_error." in said


@pytest.mark.playbook("D15", case="shows")
@pytest.mark.prose
def test_a_search_that_adapted_to_its_objective_is_not_ranked_by_another(shell: Shell, tmp_path: Path) -> None:
    concluded(tmp_path, sampler="tpe")
    said = refused(shell("rank", "r-1", "objective=final", f"tracking.root={tmp_path}"))
    assert "searched by tpe" in said


@pytest.mark.prose
def test_what_cannot_be_ranked_is_one_sentence(shell: Shell, tmp_path: Path) -> None:
    concluded(tmp_path)
    at = f"tracking.root={tmp_path}"
    assert "have odd, train_loss, valid_error" in refused(shell("rank", "r-1", "objective=f1", at))
    assert "say direction=" in refused(shell("rank", "r-1", "objective=odd", at))
    assert "'up' will not do" in refused(shell("rank", "r-1", "objective=odd", "direction=up", at))
    assert "sealed" in refused(shell("rank", "r-1", "objective=test_error", at))
    assert "objective: missing" in refused(shell("rank", "r-1", at))
    assert "'goal' cannot be set here" in refused(shell("rank", "r-1", "goal=dropout", at))
    assert "there is no round 'r-9'" in refused(shell("rank", "r-9", "objective=final", at))
    assert "has not ended" in refused(shell("rank", "open-2", "objective=final", at))
    (tmp_path / "records" / "r-1" / "curves.parquet").unlink()
    assert "the curves of round r-1 are not at" in refused(shell("rank", "r-1", "objective=final", at))


def test_a_direction_that_is_said_is_the_one_that_counts(shell: Shell, tmp_path: Path) -> None:
    concluded(tmp_path)
    said = [
        shell("rank", "r-1", "objective=odd", f"direction={d}", f"tracking.root={tmp_path}")[1]
        for d in ("minimize", "maximize")
    ]
    assert [out.splitlines()[1].split()[4] for out in said] == ["dips", "holds"]


@pytest.mark.playbook("H11", case="shows")
@pytest.mark.prose
def test_two_rounds_of_different_length_are_compared_point_by_point(shell: Shell, tmp_path: Path) -> None:
    concluded(tmp_path)
    assert "both ran 0 steps" in refused(shell("lengths", "r-1", "r-1", f"tracking.root={tmp_path}"))
    assert "has not ended" in refused(shell("lengths", "r-1", "open-2", f"tracking.root={tmp_path}"))
    trials = [trial(f"t{i}", i, {"valid_error": [0.5, 0.1 + i / 100, 0.4]}).row() for i in range(6)]
    points = [t.model_copy(update={"point": {"lr": float(i)}}) for i, t in enumerate(trials)]
    with open_ledger(tmp_path) as ledger:
        for name, steps in (("short-3", 30), ("long-4", 300)):
            tree = record(name).model_dump(by_alias=True) | {"trials": points, "budget": {"max_train_steps": steps}}
            begin(ledger, name, "dropout")
            ledger.conclude(name, Record.model_validate(tree).model_dump_json(by_alias=True), "d", "2026-01-01T10:01")
    code, out, _ = shell("lengths", "long-4", "short-3", f"tracking.root={tmp_path}")
    assert code == 0
    assert out.startswith("ok H11: What 30 steps said holds at 300: the order of 6 points is the same up to noise.")


@pytest.mark.prose
def test_designs_that_only_their_seeds_tell_apart_show_the_luck_of_the_search(shell: Shell, tmp_path: Path) -> None:
    concluded(tmp_path)
    assert "two rounds or more" in refused(shell("designs", "r-1", f"tracking.root={tmp_path}"))
    with open_ledger(tmp_path) as ledger:
        for seed, bests in ((3, (0.2, 0.3)), (4, (0.22, 0.36))):
            rows = [
                {"parameter": "optimizer", "value": v, "best_trial": "t", "best_value": b, "band": [b - 0.02, b + 0.02]}
                for v, b in zip(("adam", "sgd"), bests, strict=True)
            ]
            tree = record(f"s-{seed}").model_dump(by_alias=True) | {"seed": seed, "isolation": rows}
            begin(ledger, f"s-{seed}", "optimizer")
            whole = Record.model_validate(tree).model_dump_json(by_alias=True)
            ledger.conclude(f"s-{seed}", whole, "d", "2026-01-01T10:01")
    code, out, _ = shell("designs", "s-3", "s-4", f"tracking.root={tmp_path}")
    assert code == 0
    assert out.splitlines()[1].split()[:5] == ["optimizer", "=", "adam", "0.2", "0.22"]
    assert "optimizer = adam is ahead of optimizer = sgd in 2 of 2 designs" in out
