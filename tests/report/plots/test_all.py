"""All plots: made without being asked, well formed, drawn the same twice, and loading nothing."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

from tasks.record import Record
from tasks.report.plots import all as plots
from tests.report.example_records import curves_of, example
from tests.report.odd_records import hostile

PLOTS: dict[str, Callable[[Record], str]] = {
    "axis": plots.axis_plot,
    "isolation": plots.isolation_plot,
    "best-of-n": plots.best_of_n_plot,
    "best-steps": plots.best_steps_plot,
    "retrains": plots.retrains_plot,
    "curves": lambda record: plots.training_curves(record, curves_of(record)),
    "gradient-norms": lambda record: plots.gradient_norms_plot(record, curves_of(record)),
    "gradient-histogram": lambda record: plots.gradient_histogram_plot(record, curves_of(record)),
}


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
