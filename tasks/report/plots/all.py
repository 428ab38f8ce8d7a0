"""All plots of a round, with their captions."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.record import Record
from tasks.report.plots.axis import axis_plot
from tasks.report.plots.curves import best_steps_plot, training_curves
from tasks.report.plots.gradients import gradient_histogram_plot, gradient_norms_plot
from tasks.report.plots.isolation import isolation_plot
from tasks.report.plots.noise import best_of_n_plot
from tasks.report.plots.predictions import predictions_plot
from tasks.report.plots.retrains import retrains_plot
from tasks.report.trials import never_learned, study_label
from tasks.scope.arms import listing
from tasks.trials.trial import Curve

__all__ = [
    "Picture",
    "axis_plot",
    "best_of_n_plot",
    "best_steps_plot",
    "gradient_histogram_plot",
    "gradient_norms_plot",
    "isolation_plot",
    "pictures",
    "predictions_plot",
    "retrains_plot",
    "training_curves",
]


OF_SEARCHES = ("best-of-n", "best-steps")


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One plot: `name` is safe as the stem of a file, `caption` says what to look for, `rows` whom it serves."""

    name: str
    title: str
    caption: str
    rows: tuple[str, ...]
    svg: str


def pictures(record: Record, curves: Mapping[str, Curve]) -> tuple[Picture, ...]:
    """Every plot that the record has something for, in the order in which a reader needs them.

    Playbook: F15
    """
    worse = "top" if record.objective.direction == "minimize" else "bottom"
    every = (
        Picture(
            name="isolation",
            title="The best of each scientific value",
            caption="Compare the bars, and mind the bands: where they overlap, luck may be the difference.",
            rows=("F11", "F12", "F14"),
            svg=isolation_plot(record),
        ),
        Picture(
            name="axis",
            title="Each hyperparameter on its own axis",
            caption="The best trial should lie well inside its bounds with other good ones around it. Against a "
            f"bound, the space is too narrow there. Crosses at the {worse} are infeasible; where only crosses are, "
            f"training breaks.{_of_those_that_never_learned(record)}",
            rows=("E2", "E3", "E5", "E7", "E8", "E13"),
            svg=axis_plot(record),
        ),
        Picture(
            name="curves",
            title="Training curves of the best trials",
            caption="Worse again after the dot is overfitting; still getting better at the end asks for more steps.",
            rows=("F1", "F2", "F8", "F10"),
            svg=training_curves(record, curves),
        ),
        Picture(
            name="retrains",
            title="The gate: retrains on fresh seeds",
            caption="Only these decide a promotion; the trials that selected the points do not count here.",
            rows=("G2", "G3"),
            svg=retrains_plot(record),
        ),
        Picture(
            name="best-of-n",
            title="What fewer trials would have found",
            caption="A curve still moving at its end asks for more trials. The band resamples the trials that were "
            "run, so it cannot show a value better than the best found: the luck of another search is more than that, "
            "and stands with D12 and in the band around the best of each value (F14).",
            rows=("D13",),
            svg=best_of_n_plot(record),
        ),
        Picture(
            name="best-steps",
            title="When the trials were at their best",
            caption="All in the first zone: far too many steps. Mostly in the last: train longer and retune the decay, "
            f"if the best trials still gained there.{_found_of_best_steps(record)}",
            rows=("H3",),
            svg=best_steps_plot(record),
        ),
        _of_predictions(record),
        *_of_gradients(record, curves),
    )
    return tuple(p for p in every if p.svg and (_searched(record) or p.name not in OF_SEARCHES))


def _of_predictions(record: Record) -> Picture:
    """What the best trial made of a few fixed examples."""
    return Picture(
        name="predictions",
        title="Predictions for a few fixed validation examples",
        caption="What the best trial made of them at each evaluation, the most often missed first. A sure "
        "mistake that stays to the end asks for a look at the example and its label.",
        rows=("J7",),
        svg=predictions_plot(record),
    )


def _of_gradients(record: Record, curves: Mapping[str, Curve]) -> tuple[Picture, ...]:
    """Both pictures of the gradient's norm."""
    return (
        Picture(
            name="gradient-norms",
            title="The norm of the gradient",
            caption="Before clipping. A peak that stands out from its surroundings is an instability: early on try "
            "warmup, later clipping. A norm that falls by decades is training going well.",
            rows=("I1", "E11"),
            svg=gradient_norms_plot(record, curves),
        ),
        Picture(
            name="gradient-histogram",
            title="How large the gradient was, over all steps",
            caption="Clipping begins well at the 90th percentile (I12); above half of the steps it only lowers the "
            "learning rate (I14). Drawn from what each evaluation reports of the steps before it: five quantiles and "
            "the largest norm where there are any, else one number that stands for them all.",
            rows=("I1", "I12", "I14"),
            svg=gradient_histogram_plot(record, curves),
        ),
    )


def _searched(record: Record) -> bool:
    """Whether a search was run; a probe that chooses its own lengths says nothing of luck or of the best step."""
    return any(t.purpose == "search" for t in record.trials)


def _of_those_that_never_learned(record: Record) -> str:
    """What the upright crosses are, where there are any."""
    told = " Upright crosses have a value, but never learned: they stayed at chance or blew up."
    return told if never_learned(record) else ""


def _found_of_best_steps(record: Record) -> str:
    """What H3 made of the zones in this round: the picture alone cannot tell whether the best trials gained there."""
    asked = [f for f in record.findings if f.row == "H3" and f.level != "na"]
    labels = {s.id: study_label(record, s) for s in record.studies}
    warned = [labels.get(f.where.study or "", "this round") for f in asked if f.level in ("warn", "fail")]
    if warned:
        return f" Here H3 warns of {listing(warned)}."
    return " Here H3 asks for neither." if asked else ""
