"""Every metric that the documentation of `report` says is known is one that a check or a picture reads."""

import re

import numpy as np
import pytest

from tasks.analyze.checks.pipeline.training_fit import TRAIN_ACCURACY, TRAIN_ERROR
from tasks.analyze.study.curves import LEARNING_RATE, TRAIN_LOSS, VALID_LOSS
from tasks.analyze.study.gradients import CLIPPED, FIRST, LARGEST, NORM, P90
from tasks.report.plots.gradients import QUANTILES, THRESHOLD, norms_of
from tasks.trials.running import RunningTrial
from tasks.trials.trial import Curve
from tests.report.example_records import example
from tests.scope.example_scopes import ROOT

READ = {
    *TRAIN_LOSS, *VALID_LOSS, *LEARNING_RATE, *TRAIN_ERROR, *TRAIN_ACCURACY, *NORM, *CLIPPED, THRESHOLD,
    *(f"{name}{suffix}" for name in NORM for suffix in (LARGEST, FIRST, P90, *(f"_q{q}" for q in QUANTILES))),
}  # fmt: skip


def told(text: str) -> set[str]:
    """The metrics that a text names, `_q25` after `grad_norm_q10` spelt out."""
    names = re.findall(r"`(_?[a-z][a-z0-9_]+)`", text)
    return {f"grad_norm{n}" if n.startswith("_") else n for n in names}


@pytest.mark.playbook("I1", case="shows")
def test_report_and_the_readme_name_what_is_read_and_nothing_else() -> None:
    readme = (ROOT / "README.md").read_text()
    table = readme[readme.index("| report | which gives |") :].partition("\n\n")[0]
    wanted = {"grad_norm", "grad_norm_max", "grad_norm_first", "grad_norm_p90", "clipped", "clip_norm", "train_error"}
    wanted |= {f"grad_norm_q{q}" for q in QUANTILES}
    for text in (RunningTrial.report.__doc__ or "", table):
        assert wanted <= told(text) <= READ


@pytest.mark.playbook("I1", case="shows")
def test_what_is_documented_draws_the_norm_and_its_histogram() -> None:
    names = ["grad_norm", "grad_norm_max", "grad_norm_p90", "clip_norm", *(f"grad_norm_q{q}" for q in QUANTILES)]
    curve = Curve(steps=np.array([10, 20]), metrics={name: np.array([1.0, 2.0]) for name in names})
    found = norms_of(example("promote").trials[0], curve)
    assert found is not None
    assert found.quantiles is not None
    assert (found.typical, found.threshold) == (2.0, 2.0)
