"""A mark that is a trial says which trial it is; colours can be read in both modes."""

import re
import xml.etree.ElementTree as ElementTree

import pytest

from tasks.record import Record
from tasks.report.plots import all as plots
from tasks.report.plots.axis import FEW
from tasks.report.plots.canvas import PALETTE
from tasks.report.plots.marks import named, tag
from tasks.report.retrains import counted_values, retrain_arms
from tasks.verdict import CountedRow
from tests.report.example_records import curves_of, example
from tests.report.odd_records import hostile, with_arm, with_kept
from tests.report.plots.drawings import SVG, groups, marks, told
from tests.typed import arm_of


@pytest.mark.playbook("E8", "E13", case="shows")
def test_every_mark_of_the_axis_plot_names_its_trial_with_value_and_hyperparameters() -> None:
    record = example()
    svg = plots.axis_plot(record)
    for kind in ("feasible", "beyond", "infeasible", "best"):
        assert all(told(marks(svg, kind)))
    trial = next(t for t in record.trials if t.status == "complete")
    mine = [use for use in marks(svg, "feasible") if use.get("data-t") == trial.id]
    assert len(mine) == 4  # once in the panel of each of its study's parameters
    (said,) = set(told(mine))
    assert said.splitlines()[0] == f"trial {trial.id}"
    assert f"valid_error {trial.best_value:.4g} at step" in said
    assert f"optimizer = {trial.point['optimizer']}" in said
    assert "layers = " in said
    lost = next(t for t in record.trials if t.status == "infeasible")
    assert any(f"trial {lost.id}\ninfeasible: {lost.reason}" in text for text in told(marks(svg, "infeasible")))


def test_each_mark_stands_where_its_own_trial_belongs() -> None:
    record = example()
    values = {t.id: t.best_value or 0.0 for t in record.trials}
    uses = [u for u in marks(plots.axis_plot(record), "feasible") if u.get("data-t", "").startswith("n")]
    first = uses[: len({u.get("data-t") for u in uses})]  # the first panel of the first study
    down = sorted(first, key=lambda u: float(u.get("y", "nan")))  # y grows downward, and so does the error upward
    assert [values[u.get("data-t", "")] for u in down] == sorted(values[str(u.get("data-t"))] for u in first)[::-1]


@pytest.mark.playbook("F1", case="shows")
def test_every_training_curve_names_its_trial_and_can_be_pointed_at() -> None:
    record = example()
    curves = groups(plots.training_curves(record, curves_of(record)), "curve")
    assert all(str(g.findtext(f"{SVG}title")).startswith("trial ") for g in curves)
    assert {g.get("tabindex") for g in curves} == {"0"}
    assert all([use.get("class") for use in g.iter(f"{SVG}use")] == ["wide"] for g in curves)


@pytest.mark.playbook("G6", case="shows")
@pytest.mark.prose
def test_retrains_of_earlier_rounds_are_hollow_dots_that_count_in_the_mean() -> None:
    record = with_kept(example("promote"))
    svg = plots.retrains_plot(record)
    assert len(marks(svg, "kept")) == 4
    assert all("fill-opacity: 0" in str(g.get("style")) for g in groups(svg, "kept"))
    assert all("of the incumbent, of an earlier round" in text for text in told(marks(svg, "kept")))
    texts = " ".join("".join(t.itertext()) for t in ElementTree.fromstring(svg).iter(f"{SVG}text"))
    assert "(13 retrains)" in texts
    assert "of an earlier round" in texts
    assert "of an earlier round" not in plots.retrains_plot(example("promote"))


@pytest.mark.playbook("G6", case="shows")
def test_an_incumbent_that_is_known_well_enough_is_an_arm_without_fresh_retrains() -> None:
    record = with_arm(with_kept(example("promote")), "incumbent", trials=())
    fewer = tuple(t for t in record.trials if t.study != "retrain-incumbent")
    arms = retrain_arms(record.model_copy(update={"trials": fewer}))
    assert [(a.name, len(a.trials), len(a.kept)) for a in arms][-1] == ("incumbent", 0, 4)
    assert len(marks(plots.retrains_plot(record.model_copy(update={"trials": fewer})), "kept")) == 4


def test_a_retrain_stands_where_the_gate_counted_it_and_says_so() -> None:
    record = example("promote")
    trial = next(t for t in record.trials if t.id == "retrain-finalist-0")
    others = arm_of(record, "finalist").trials[1:]
    judged = with_arm(record, "finalist", trials=(CountedRow(trial=trial.id, value=0.0555), *others))
    assert counted_values(record)[trial.id] == trial.best_value
    assert counted_values(judged)[trial.id] == 0.0555
    (use,) = [u for u in marks(plots.retrains_plot(judged), "retrain") if u.get("data-t") == trial.id]
    assert "counts as 0.0555" in told([use])[0]


def test_a_panel_of_many_trials_is_a_picture_in_which_the_best_few_keep_their_names() -> None:
    record = example("promote", count=450)
    svg = plots.axis_plot(record)
    assert "data:image/png" in svg
    named_trials = {str(u.get("data-t")) for u in marks(svg, "feasible")}
    for study in record.studies:
        own = sorted((t.best_value, t.id) for t in record.trials if t.study == study.id and t.best_value is not None)
        assert {id for _, id in own[:FEW]} == {id for id in named_trials if id in study.trials}


def test_marks_that_do_not_agree_in_number_stay_nameless() -> None:
    use = '<use xlink:href="#m" x="1" y="2" style="fill: red"/>'
    svg = f'<g id="{tag("feasible", ["a", "b"])}">\n    {use}\n   </g>'
    assert "data-t" not in named(svg, str)
    assert named(svg.replace(use, use + use), str).count("data-t") == 2


@pytest.mark.parametrize("id", ["a|b", '"><script>', "&amp;", "x y", "ü~%7C", "]]>"])
def test_any_id_survives_its_way_through_the_picture(id: str) -> None:
    record = example()
    trial = record.trials[0].model_copy(update={"id": id})
    svg = plots.axis_plot(record.model_copy(update={"trials": (trial, *record.trials[1:])}))
    everything = [u for kind in ("feasible", "beyond", "infeasible") for u in marks(svg, kind)]
    assert [u.get("data-t") for u in everything].count(id) == 4
    assert sum(text.startswith(f"trial {id}\n") for text in told(everything)) == 4


def test_the_names_of_hostile_trials_are_text() -> None:
    record = hostile()
    root = ElementTree.fromstring(plots.axis_plot(record))
    assert not [node for node in root.iter() if "script" in node.tag]
    assert any("<script>" in str(t.text) for t in root.iter(f"{SVG}title"))


def luminance(colour: str) -> float:
    """The relative luminance of `#rrggbb`, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Their contrast, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_words_have_a_contrast_of_four_and_a_half_and_marks_of_three(mode: int) -> None:
    surface = PALETTE["surface"][mode]
    for name in ("ink", "muted", "infeasible", "warn"):
        assert contrast(PALETTE[name][mode], surface) >= 4.5, name
    for name in (n for n in PALETTE if n.startswith("arm")):
        assert contrast(PALETTE[name][mode], surface) >= 3.0, name


def test_a_picture_is_light_on_paper() -> None:
    svg = plots.axis_plot(example())
    assert re.findall(r"@media[^{]*", svg) == ["@media screen and (prefers-color-scheme:dark)"]


def test_twelve_scientific_values_are_drawn() -> None:
    record: Record = example()
    first = record.studies[0]
    arms = tuple(first.model_copy(update={"id": f"s{i}", "scientific": {"optimizer": f"o{i}"}}) for i in range(12))
    trials = tuple(t.model_copy(update={"study": f"s{i % 12}"}) for i, t in enumerate(record.trials))
    rows = tuple(record.isolation[0].model_copy(update={"value": f"o{i}"}) for i in range(12))
    wide = record.model_copy(update={"studies": arms, "trials": trials, "isolation": rows})
    assert len(groups(plots.isolation_plot(wide), "isolated")) == 12
    assert len(groups(plots.axis_plot(wide), "panel")) == 48
