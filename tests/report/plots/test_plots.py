"""The plots: everything varied is shown, infeasible trials are red crosses, and what must be marked is marked."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import numpy as np
import pytest

from tasks.record import Record
from tasks.report.plots import all as plots
from tasks.report.plots.retrains import mean_interval
from tasks.report.plots.rulers import category_ruler, linear_ticks, log_ticks, objective_ruler, parameter_ruler
from tasks.report.retrains import retrain_arms
from tasks.scope.space import Parameter
from tests.report.example_records import LAST, curves_of, example, hostile, joint

SVG = "{http://www.w3.org/2000/svg}"
PLOTS: dict[str, Callable[[Record], str]] = {
    "axis": plots.axis_plot,
    "isolation": plots.isolation_plot,
    "best-of-n": plots.best_of_n_plot,
    "best-steps": plots.best_steps_plot,
    "retrains": plots.retrains_plot,
    "curves": lambda record: plots.training_curves(record, curves_of(record)),
}


def groups(svg: str, kind: str) -> list[ElementTree.Element]:
    """Everything of that kind that the picture shows, one group for each call that drew some."""
    root = ElementTree.fromstring(svg)
    return [g for g in root.iter(f"{SVG}g") if g.get("class") == kind]


def marks(svg: str, kind: str) -> list[ElementTree.Element]:
    """The marks of that kind."""
    return [use for group in groups(svg, kind) for use in group.iter(f"{SVG}use")]


def heights(uses: list[ElementTree.Element]) -> list[float]:
    """The y of each mark, in points from the top."""
    return [float(use.get("y", "nan")) for use in uses]


def told(uses: list[ElementTree.Element]) -> list[str]:
    """What each mark says when it is pointed at."""
    return [use.findtext(f"{SVG}title", "") for use in uses]


def texts(svg: str) -> list[str]:
    """Every text of the picture, as a reader sees it."""
    root = ElementTree.fromstring(svg)
    return ["".join(node.itertext()) for node in root.iter(f"{SVG}text")]


def without_the_lost(record: Record) -> Record:
    """The same round, had every trial come to something."""
    kept = tuple(t for t in record.trials if t.status == "complete")
    return record.model_copy(update={"trials": kept})


@pytest.mark.playbook("E13", case="shows")
def test_every_varied_parameter_of_every_study_has_a_panel() -> None:
    record = example()
    svg = plots.axis_plot(record)
    names = [name for study in record.studies for name in study.space]
    assert len(names) == 8
    assert len(groups(svg, "panel")) == len(names)
    shown = texts(svg)
    assert all(shown.count(name) == names.count(name) for name in names)


def test_a_parameter_with_one_possible_value_has_no_panel() -> None:
    record = example()
    pinned = record.studies[0].model_copy(
        update={"space": {**record.studies[0].space, "pin": {"low": 2.0, "high": 2.0}}}
    )
    svg = plots.axis_plot(record.model_copy(update={"studies": (pinned, record.studies[1])}))
    assert len(groups(svg, "panel")) == 8
    assert "pin" not in texts(svg)


@pytest.mark.playbook("E8", case="shows")
def test_each_infeasible_trial_is_a_red_cross_in_every_panel_of_its_study() -> None:
    record = example()
    svg = plots.axis_plot(record)
    lost = [t for t in record.trials if t.status != "complete"]
    crosses = marks(svg, "infeasible")
    assert len(crosses) == 4 * len(lost) > 0
    assert all("var(--plot-infeasible)" in str(g.get("style")) for g in groups(svg, "infeasible"))
    red = re.findall(r"--plot-infeasible:(#[0-9a-f]{6})", svg)
    assert all(int(c[1:3], 16) > 180 and int(c[3:5], 16) < 120 and int(c[5:], 16) < 120 for c in red)


@pytest.mark.playbook("E8", case="shows")
def test_without_an_infeasible_trial_there_is_no_red_mark_at_all() -> None:
    svg = plots.axis_plot(without_the_lost(example("promote")))
    assert marks(svg, "feasible")
    assert not marks(svg, "infeasible")
    assert "var(--plot-infeasible)" not in svg


@pytest.mark.playbook("E8", case="shows")
@pytest.mark.parametrize(("direction", "worse_is_up"), [("minimize", True), ("maximize", False)])
def test_crosses_stand_at_the_worse_end_of_the_axis(direction: str, worse_is_up: bool) -> None:
    record = example(direction=direction)
    svg = plots.axis_plot(record.model_copy(update={"studies": record.studies[:1]}))
    crosses, dots = (heights(marks(svg, gid)) for gid in ("infeasible", "feasible"))
    gap = min(dots) - max(crosses) if worse_is_up else min(crosses) - max(dots)  # y grows downward in an SVG
    assert gap > 6  # points: a strip of their own


def test_a_conditional_parameter_shows_only_the_trials_in_which_it_exists() -> None:
    record = example()
    trial = record.trials[0]
    orphan = trial.model_copy(update={"point": {k: v for k, v in trial.point.items() if k != "nesterov.learning_rate"}})
    whole, less = (
        sum(len(marks(svg, gid)) for svg in [plots.axis_plot(r)] for gid in ("feasible", "beyond"))
        for r in (record, record.model_copy(update={"trials": (orphan, *record.trials[1:])}))
    )
    assert whole - less == 1


def test_the_best_trial_of_each_study_is_ringed_once_a_panel() -> None:
    assert len(marks(plots.axis_plot(example()), "best")) == 8
    assert not marks(plots.axis_plot(example(feasible=False)), "best")


@pytest.mark.playbook("E13", case="shows")
def test_a_finding_stands_over_the_panel_it_speaks_of() -> None:
    assert "fail E2" in texts(plots.axis_plot(example("redesign")))
    assert "fail E2" not in texts(plots.axis_plot(example("promote")))


def test_one_outlier_becomes_a_caret_and_does_not_squeeze_the_others() -> None:
    values = np.append(np.linspace(0.10, 0.12, 30), 50.0)
    axis = objective_ruler(values, minimize=True, strip=False)
    shown, clipped = axis.shown(values)
    assert clipped.tolist() == [False] * 29 + [True] * 2 or clipped.tolist() == [False] * 30 + [True]
    assert axis.ruler.limits[1] < 0.2
    assert shown[-1] <= axis.ruler.limits[1]


def test_values_without_an_outlier_are_all_in_sight() -> None:
    values = np.linspace(0.1, 0.2, 40)
    for minimize in (True, False):
        assert not objective_ruler(values, minimize=minimize, strip=True).shown(values)[1].any()


@pytest.mark.parametrize("value", [0.0, -3.0, 1e-12, 1e9])
def test_equal_values_make_an_axis_with_a_width(value: float) -> None:
    axis = objective_ruler([value] * 10, minimize=True, strip=True)
    assert axis.ruler.limits[0] < axis.ruler.limits[1]
    assert axis.ruler.ticks


def test_the_axis_of_a_log_parameter_is_a_log_axis_with_its_bounds() -> None:
    axis = parameter_ruler(Parameter(name="lr", low=1e-4, high=1e-1, scale="log"), [1e-3])
    assert axis.bounds == (-4.0, -1.0)
    assert axis.labels == ("10⁻⁴", "10⁻³", "10⁻²", "10⁻¹")
    assert axis.at([1e-3]).tolist() == [-3.0]


def test_a_trial_outside_the_bounds_is_in_sight() -> None:
    axis = parameter_ruler(Parameter(name="x", low=0.0, high=1.0), [0.5, 3.0])
    assert axis.limits[1] > 3.0
    assert axis.bounds == (0.0, 1.0)


def test_listed_values_have_a_place_each_and_one_and_true_are_two() -> None:
    axis = category_ruler([1, True, "1", 1.0])
    assert len(axis.categories) == 3
    assert [axis.cell(v) for v in (1, True, "1", "x")] == [0, 1, 2, None]


@pytest.mark.parametrize(("low", "high"), [(-6.2, 2.1), (-1.1, -0.4), (0.301, 0.398), (-3.0, -1.2)])
def test_log_ticks_lie_inside_and_are_at_least_two(low: float, high: float) -> None:
    ticks, labels = log_ticks(low, high)
    assert 2 <= len(ticks) <= 8
    assert all(low - 1e-6 <= t <= high + 1e-6 for t in ticks)
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.0431, 0.0437), (-5, 1e6), (1e-9, 3e-9), (100.0, 100.1)])
def test_linear_ticks_lie_inside_and_can_be_told_apart(low: float, high: float) -> None:
    ticks, labels = linear_ticks(low, high, 4)
    assert 2 <= len(ticks) <= 8
    assert len(set(labels)) == len(labels)
    assert all(low - 1e-9 <= t <= high * (1 + 1e-9) for t in ticks)


@pytest.mark.playbook("F11", "F14", case="shows")
def test_isolation_shows_the_best_of_each_value_with_its_number_and_band() -> None:
    record = example()
    svg = plots.isolation_plot(record)
    shown = texts(svg)
    assert {"nesterov", "adam", "optimizer"} <= set(shown)
    assert all(f"{row.best_value:.4g}" in shown for row in record.isolation)
    assert len(groups(svg, "band")) == 2
    bare = tuple(row.model_copy(update={"band": None}) for row in record.isolation)
    assert not groups(plots.isolation_plot(record.model_copy(update={"isolation": bare})), "band")


@pytest.mark.playbook("F12", case="shows")
def test_isolation_of_a_continuous_parameter_has_a_bar_for_each_bucket() -> None:
    svg = plots.isolation_plot(joint())
    assert len(groups(svg, "isolated")) == 5
    assert len(groups(svg, "band")) == 5


def test_isolation_shows_the_mean_of_the_retrains_where_there_are_any() -> None:
    assert len(marks(plots.isolation_plot(example("promote")), "retrained")) == 2
    assert not marks(plots.isolation_plot(example("redesign")), "retrained")


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


@pytest.mark.playbook("D13", case="shows")
def test_best_of_n_has_a_median_and_a_band_for_every_study() -> None:
    record = example()
    svg = plots.best_of_n_plot(record)
    assert len(groups(svg, "median")) == len(groups(svg, "band")) == 2
    assert {"optimizer = nesterov", "optimizer = adam"} <= set(texts(svg))


def test_the_band_of_fewer_trials_says_that_it_is_resampled_and_not_the_luck_of_another_search() -> None:
    (picture,) = [p for p in plots.pictures(example(), {}) if p.name == "best-of-n"]
    assert "cannot show a value better than the best found" in picture.caption
    assert "5 to 95 % of searches resampled from these trials" in texts(picture.svg)


@pytest.mark.playbook("H3", case="shows")
def test_best_steps_counts_the_trials_in_each_zone_of_the_steps() -> None:
    record = example()
    svg = plots.best_steps_plot(record)
    for study in record.studies:
        steps = [t.best_step for t in record.trials if t.study == study.id and t.best_step is not None]
        early, late = sum(s <= 0.1 * LAST for s in steps), sum(s >= 0.75 * LAST for s in steps)
        assert f"{early} of {len(steps)} in the first 10 %, {late} in the last 25 %" in texts(svg)
    assert len(groups(svg, "late")) == 2


@pytest.mark.playbook("H3", case="shows")
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


@pytest.mark.playbook("G2", case="shows")
def test_retrains_show_every_arm_with_a_dot_each_a_mean_and_an_interval() -> None:
    svg = plots.retrains_plot(example("promote"))
    assert len(marks(svg, "retrain")) == 27
    assert len(marks(svg, "mean")) == len(groups(svg, "interval")) == 3
    assert {"finalist", "baseline", "incumbent"} <= set(texts(svg))


@pytest.mark.playbook("G2", case="shows")
def test_without_retrains_there_is_no_picture_of_the_gate() -> None:
    assert plots.retrains_plot(example("redesign")) == ""


def test_arms_of_equal_points_are_one_arm_under_both_names() -> None:
    record = example("promote")
    point = next(t.point for t in record.trials if t.study == "retrain-baseline")
    same = tuple(t.model_copy(update={"point": point}) if t.study == "retrain-incumbent" else t for t in record.trials)
    arms = retrain_arms(record.model_copy(update={"trials": same}))
    assert [(arm.name, len(arm.trials)) for arm in arms] == [("finalist", 9), ("baseline = incumbent", 18)]


def test_the_interval_of_the_mean_is_students() -> None:
    mean, half = mean_interval(np.array([1.0, 2.0, 3.0]))
    assert mean == 2.0
    assert half == pytest.approx(4.30265 / np.sqrt(3), rel=1e-4)  # t of 2 degrees of freedom at 97.5 %, sd 1
    assert np.isnan(mean_interval(np.array([1.0]))[1])


@pytest.mark.playbook("F15", case="shows")
def test_every_generic_plot_is_made_without_being_asked() -> None:
    record = example("promote")
    assert {p.name for p in plots.pictures(record, curves_of(record))} == set(PLOTS)


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_is_well_formed_follows_dark_mode_and_loads_nothing(name: str) -> None:
    for record in (example("promote"), hostile()):
        svg = PLOTS[name](record)
        if not svg:
            assert name == "retrains"
            continue
        root = ElementTree.fromstring(svg)
        assert {node.tag.rpartition("}")[2] for node in root.iter()} <= {
            "svg", "style", "g", "path", "use", "defs", "clipPath", "rect", "text", "tspan", "image", "title",
        }  # fmt: skip
        assert "(prefers-color-scheme:dark)" in svg
        links = re.findall(r'(?:href|src)\s*=\s*"([^"]*)"', svg)
        assert all(link.startswith(("#", "data:image/png")) for link in links)


@pytest.mark.parametrize("name", PLOTS)
def test_the_same_record_is_drawn_the_same_twice(name: str) -> None:
    record = example("promote")
    assert PLOTS[name](record) == PLOTS[name](record)


@pytest.mark.parametrize("name", PLOTS)
def test_a_round_in_which_every_trial_was_lost_is_drawn_or_left_out(name: str) -> None:
    svg = PLOTS[name](example(feasible=False))
    assert (svg != "") == (name == "axis")


def test_ids_of_two_plots_do_not_meet_in_one_page() -> None:
    record = example("promote")
    seen: set[str] = set()
    for picture in plots.pictures(record, curves_of(record)):
        own = set(re.findall(r'\bid="([^"]*)"', picture.svg))
        assert not own & seen
        seen |= own


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
