"""Training curves, and the steps at which trials were at their best."""

import pytest

from tasks.record import Record
from tasks.report.plots import all as plots
from tests.report.example_records import LAST, curves_of, example
from tests.report.plots.drawings import groups, marks, texts


@pytest.mark.playbook("F1", case="shows")
def test_training_curves_show_three_trials_a_study_with_both_metrics_and_their_best_steps() -> None:
    record = example()
    svg = plots.training_curves(record, curves_of(record))
    assert len(groups(svg, "curve")) == 2 * 2 * 3
    assert len(marks(svg, "best-step")) == 2 * 3
    assert {"valid_error", "train_loss"} <= set(texts(svg))


@pytest.mark.playbook("F1", case="shows")
def test_without_a_training_loss_the_objective_stands_alone() -> None:
    record = example()
    bare = {}
    for id, curve in curves_of(record).items():
        bare[id] = type(curve)(steps=curve.steps, metrics={"valid_error": curve.metrics["valid_error"]})
    svg = plots.training_curves(record, bare)
    assert len(groups(svg, "curve")) == 2 * 3
    assert plots.training_curves(record, {}) == ""


@pytest.mark.playbook("H3", case="shows")
@pytest.mark.prose
def test_best_steps_counts_the_trials_in_each_zone_of_the_steps() -> None:
    record = example()
    svg = plots.best_steps_plot(record)
    for study in record.studies:
        steps = [t.best_step for t in record.trials if t.study == study.id and t.best_step is not None]
        early, late = sum(s <= 0.1 * LAST for s in steps), sum(s >= 0.75 * LAST for s in steps)
        assert f"{early} of {len(steps)} in the first 10 %, {late} in the last 25 %" in texts(svg)
    assert len(groups(svg, "late")) == 2


@pytest.mark.playbook("H3", case="shows")
@pytest.mark.prose
def test_the_caption_of_the_best_steps_says_what_the_finding_says() -> None:
    def caption(record: Record) -> str:
        return next(p.caption for p in plots.pictures(record, {}) if p.name == "best-steps")

    record = example()
    at = next(i for i, f in enumerate(record.findings) if f.row == "H3")
    others = record.findings[:at] + record.findings[at + 1 :]
    calm = record.findings[at].model_copy(update={"level": "ok"})
    assert caption(record).endswith("Here H3 warns of optimizer = adam.")
    assert caption(record.model_copy(update={"findings": (*others, calm)})).endswith("Here H3 asks for neither.")
    assert caption(record.model_copy(update={"findings": others})).endswith("gained there.")
    assert not any("train longer" in t for t in texts(plots.best_steps_plot(record)))


def test_the_counts_of_best_steps_have_round_ticks() -> None:
    shown = texts(plots.best_steps_plot(crowded()))
    assert "100" in shown
    assert "108" not in shown


def crowded() -> Record:
    """`example()`, with 108 trials of adam at their best at one step."""
    record = example()
    one = next(t for t in record.trials if t.study == "s-adam" and t.best_step is not None)
    many = tuple(one.model_copy(update={"id": f"m{i}", "best_step": 1000}) for i in range(108))
    others = tuple(t for t in record.trials if t.study != "s-adam")
    return record.model_copy(update={"trials": (*others, *many)})
