"""E8 on the page: finite trials that count as infeasible are told apart from feasible ones wherever trials stand."""

import pytest

from tasks.analyze.checks.search.infeasible import infeasible
from tasks.record import Record
from tasks.report.page.page import page
from tasks.report.plots import all as plots
from tasks.report.terminal import text
from tasks.report.trials import STUCK, counted, never_learned, ranked
from tasks.scope.goal import Objective
from tests.analyze.planted import planned_round, scored
from tests.report.example_records import curves_of, example
from tests.report.odd_records import planted_stuck
from tests.report.plots.drawings import groups, marks, texts, told

LR = {"learning_rate": {"low": 1e-4, "high": 1.0, "scale": "log"}}


def stuck_in(record: Record) -> list[str]:
    """The ids of the planted trials, from the finding itself."""
    return [id for f in record.findings if f.reason == STUCK for id in f.trials]


@pytest.mark.playbook("E8", case="fires")
def test_the_finding_names_the_trials_that_never_learned_and_no_other() -> None:
    objective = Objective(metric="loss", direction="maximize", chance=0.1)
    planned = planned_round(LR, 0, objective=objective)
    evidence = scored(planned, lambda p, i: 0.1 if float(p["learning_rate"]) > 1e-2 else 0.9)
    found = next(f for f in infeasible(evidence) if f.row == "E8")
    assert found.reason == STUCK
    assert set(found.trials) == {id for id, t in evidence.trials.items() if t.best_value == 0.1}


@pytest.mark.playbook("E8", case="silent")
def test_where_every_trial_learned_the_finding_names_none() -> None:
    found = infeasible(scored(planned_round(LR, 0), lambda p, i: 0.9 - 0.001 * i))
    assert STUCK not in {f.reason for f in found}
    assert never_learned(example()) == frozenset()


@pytest.mark.playbook("E8", case="fires")
def test_they_are_dull_upright_crosses_in_every_panel_and_no_dots() -> None:
    record = planted_stuck()
    svg = plots.axis_plot(record)
    crosses = marks(svg, "stuck")
    assert len(crosses) == 4 * len(stuck_in(record)) > 0
    assert all("var(--plot-stuck)" in str(g.get("style")) for g in groups(svg, "stuck"))
    assert not {c.get("data-t") for c in crosses} & {d.get("data-t") for d in marks(svg, "feasible")}
    assert all("never learned" in words for words in told(crosses))
    assert any("never learned" in t for t in texts(svg))
    dots = {d.get("data-t") for d in marks(plots.isolation_plot(record), "feasible")}
    assert dots
    assert not dots & set(stuck_in(record))


@pytest.mark.playbook("E8", case="silent")
def test_where_every_trial_learned_there_is_no_such_mark() -> None:
    svg = plots.axis_plot(example())
    assert not marks(svg, "stuck")
    assert not any("never learned" in t for t in texts(svg))
    assert "Upright crosses" not in "".join(p.caption for p in plots.pictures(example(), {}))


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.prose
def test_header_studies_tables_and_terminal_count_them_apart() -> None:
    record = planted_stuck()
    many = len(stuck_in(record))
    searched = [t for t in record.trials if t.purpose != "retrain"]
    assert counted(record, searched).endswith(f"failed, {many} more never learned")
    assert counted(record, [t for t in searched if t.status == "complete"]).endswith(f"trials, {many} never learned")
    assert f"{many} more never learned" in text(record)
    shown = page(record, curves_of(record))
    assert shown.count(f"{many} more never learned") == 3  # the header, the axis plot and the table of studies
    assert shown.count("<td class=why>never learned") == many
    assert "never learned" not in page(example(), curves_of(example()))


def test_the_best_trial_is_never_one_of_them() -> None:
    record = planted_stuck()
    assert ranked(record, record.trials)[0].id not in stuck_in(record)
