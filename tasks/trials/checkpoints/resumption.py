"""The audit behind `check=resume`: a trial run straight, and one killed and resumed, compared."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from tasks.design.study import Planned
from tasks.scope.error import InputError
from tasks.trials.checkpoints.checkpoints import Checkpoints
from tasks.trials.checkpoints.likeness import Gap, gap, unlike
from tasks.trials.command.check import ADDRESS
from tasks.trials.command.metrics import rows_in
from tasks.trials.command.program import METRICS
from tasks.trials.local.child import CHECKPOINTS, WORK
from tasks.trials.settings import Execution
from tasks.trials.trial import Trial
from tasks.trials.workloads.cut_off import WORDS

CUT_OFF = "tasks.trials.workloads.cut_off.cut_off"
# Of a rehearsal, half of them before the cut. A program that saves after it has reported has surely saved once when it
# has reported twice; and what is missing in a checkpoint may show in the second evaluation only, or in a new epoch.
EVALUATIONS = 4
# Of the way that a metric goes. Rounding in 32 bits begins at 1e-7 of it and grows while training goes on; what is
# forgotten begins at a batch's worth. Our choice, and the numbers are always shown.
TOLERANCE = 1e-3
SPREADS = 10.0  # times what equal runs differ by: a few such differences tell their order of magnitude, and no more
LIKELY = (
    "the random generators (dropout, augmentation), the optimizer (momentum, moments), the learning-rate schedule, "
    "the place in the data and its order, or buffers (of batch norm)"
)

Run = Callable[[Planned, Execution, Path], Trial]
Outcome = Literal["identical", "close", "broken", "uncut"]


@dataclass(frozen=True, kw_only=True)
class Resumption:
    """What came of cutting a trial of `steps` steps off, and of going on with it; `cut` says where, in words."""

    outcome: Outcome
    steps: int
    cut: str
    evidence: str


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """A trial that was rehearsed, and what the last of its processes said: (report | save | resume, step), in order.

    `begins`: the first step that this process reported or saved; infinite where there was none.
    """

    trial: Trial
    words: tuple[tuple[str, int], ...]
    begins: float

    def steps_of(self, word: str) -> list[int]:
        """The steps of the words of that kind."""
        return [step for said, step in self.words if said == word]

    @cached_property
    def state(self) -> Any:
        """Its last checkpoint; None where there is none."""
        return Checkpoints(Path(self.trial.folder) / CHECKPOINTS, self.trial.id).last()[1]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where one trial is rehearsed again and again; `run` runs it in a folder, and all folders are in `folder`."""

    planned: Planned
    execution: Execution
    folder: Path
    run: Run

    def rehearse(self, name: str, steps: int, after: str = "", at: int = 0) -> Rehearsal:
        """The trial with so many steps; killed right `after` its first report or save of step `at` or later.

        It goes on with what an earlier rehearsal of that name left.
        """
        workload = self.execution.workload
        arguments = {"program": {"_target_": workload.target, **workload.arguments}, "after": after, "at": at}
        execution = self.execution.model_copy(
            update={"workload": workload.model_copy(update={"target": CUT_OFF, "arguments": arguments})}
        )
        planned = self.planned.model_copy(update={"max_train_steps": steps})
        trial = self.run(planned, execution, self.folder / f"{name}{steps}")
        words = _last_words(Path(trial.folder) / WORDS)
        said = [step for word, step in words if word != "resume"]
        if workload.target == ADDRESS:  # what its earlier processes reported is reported again on its behalf
            said = [step for step, _ in rows_in(Path(trial.folder) / WORK / METRICS)]
        return Rehearsal(trial=trial, words=tuple(words), begins=min(said, default=math.inf))


def audit_resumption(stage: Stage) -> Resumption:
    """What becomes of a trial that is cut off in the middle and gone on with by another process.

    It is run straight; then once more, killed right after a checkpoint (or a report, where a program keeps its
    checkpoints to itself) and gone on with; and a last time straight, since what straight runs differ by is no fault
    of the resumption. Each has `EVALUATIONS` evaluations, or the whole budget where it saves too seldom for that.

    `identical`: reports and last checkpoint are equal bit for bit. `close`: the reports differ by less than `TOLERANCE`
    of the way that the metric goes, or, where straight runs differ too, by less than `SPREADS` times as much as these.
    `broken`: anything else. `uncut`: it was over before it could be cut off.

    Raises:
        InputError: the trial itself fails or is infeasible.

    Playbook: J12
    """
    program, most = stage.execution.workload.target == ADDRESS, stage.planned.max_train_steps
    for steps in dict.fromkeys((min(EVALUATIONS * stage.planned.eval_every_steps, most), most)):
        straight = stage.rehearse("straight", steps)
        if not straight.trial.feasible:
            raise InputError(f"check=resume: the trial is {straight.trial.status}: {straight.trial.reason}.")
        after, at = _cut(straight, steps)
        if steps < most and after == "report" and not program:
            continue  # it may save later
        cut = stage.rehearse("cut", steps, after, at)
        resumed = stage.rehearse("cut", steps)
        if after == "save" or straight.begins < resumed.begins < math.inf:
            break
    twin = stage.rehearse("twin", steps)
    outcome: Outcome
    if cut.trial.feasible or (program and resumed.begins == math.inf and not _lost(straight, resumed)):
        outcome, evidence = "uncut", "it was over before it could be cut off"
    elif said := _broken(straight, resumed, after, program):
        outcome, evidence = "broken", said
    else:
        outcome, evidence = _compared(straight, twin, resumed, stage.execution.workload.objective.metric)
    place = f"right after the {'checkpoint' if after == 'save' else 'report'} of step {at}"
    return Resumption(outcome=outcome, steps=steps, cut=place, evidence=evidence)


def _last_words(path: Path) -> list[tuple[str, int]]:
    """What the last process said; nothing where the program could not even be called."""
    words = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    begins = [i for i, (word, _) in enumerate(words) if word == "begin"]
    return [(word, step) for word, step in words[begins[-1] + 1 :]] if begins else []


def _cut(straight: Rehearsal, steps: int) -> tuple[str, int]:
    """Where to cut: in the middle, after the last save there, or the first of all; a report follows in either case."""
    reports = straight.steps_of("report")
    saves = [step for step in straight.steps_of("save") if step < reports[-1]]
    if saves:
        return "save", max((step for step in saves if step <= steps // 2), default=saves[0])
    return "report", reports[(len(reports) - 1) // 2]


def _broken(straight: Rehearsal, resumed: Rehearsal, after: str, program: bool) -> str:
    """What is wrong before any number is compared, in words; empty where nothing is."""
    if resumed.begins <= straight.begins:
        return _anew(straight, resumed, after, program)
    if not resumed.trial.feasible:
        return f"gone on with, it is {resumed.trial.status}: {resumed.trial.reason}"
    if lost := _lost(straight, resumed):
        return (
            f"gone on with, it lacks the evaluations of steps {', '.join(map(str, lost))}; report a step before you "
            "save it, and go on with the step that follows"
        )
    return ""


def _anew(straight: Rehearsal, resumed: Rehearsal, after: str, program: bool) -> str:
    if program:
        left = any((Path(resumed.trial.folder) / WORK / CHECKPOINTS).iterdir())
        why = "does not go on from what it left" if left else "leaves nothing"
        return (
            f"it {why} in the folder of TUNEBOOK_CHECKPOINTS, and begins anew; save there (write a new file, then "
            "rename it), and read it where TUNEBOOK_RESUMED is 1"
        )
    if after == "report":  # no save that a report follows
        seldom = "calls trial.save at its end alone" if straight.steps_of("save") else "never calls trial.save"
        return (
            f"there is nothing to resume from: it {seldom}, so a trial that is cut off starts anew; call "
            "trial.save(step, state) after trial.report, and begin with step, state = trial.resume()"
        )
    if not resumed.steps_of("resume"):
        return "it saves, but never resumes: it starts at step 0 again; begin with step, state = trial.resume()"
    return (
        "it calls trial.resume(), and starts at step 0 again all the same; go on with the step and the state that "
        "trial.resume() returns"
    )


def _lost(straight: Rehearsal, resumed: Rehearsal) -> list[int]:
    return sorted({*straight.trial.curve.steps.tolist()} - {*resumed.trial.curve.steps.tolist()})


def _compared(straight: Rehearsal, twin: Rehearsal, resumed: Rehearsal, objective: str) -> tuple[Outcome, str]:
    """The outcome and its evidence, from the numbers.

    A metric that straight runs differ in (seconds, say) is left out, unless it is the objective.
    """
    curve, other, since = straight.trial.curve, resumed.trial.curve, resumed.begins
    spread = {
        metric: max(gap(curve, twin.trial.curve, metric), gap(curve, other, metric, until=since), key=lambda g: g.size)
        for metric in curve.metrics
    }
    if spread[objective].size:
        return _among(spread[objective], gap(curve, other, objective, since))
    judged = [metric for metric in curve.metrics if not spread[metric].size]
    apart = [found for metric in judged if (found := gap(curve, other, metric, since)).size]
    if apart:
        return _apart(apart, resumed.state)
    own = set(unlike(straight.state, twin.state))
    unequal = [place for place in unlike(straight.state, resumed.state) if place not in own]
    said = f"{sum(step >= since for step in curve.steps.tolist())} evaluations of {len(judged)} metrics after the cut"
    left_out = [metric for metric in curve.metrics if metric not in judged]
    if left_out:
        said += f" (without {', '.join(left_out)}, in which straight runs differ too)"
    if unequal:
        return "close", f"{said} are equal, but the last checkpoints differ in {_some(unequal)}"
    both = " and the last checkpoint" if straight.state is not None else ""
    return "identical", f"{said}{both} are equal bit for bit"


def _among(spread: Gap, found: Gap) -> tuple[Outcome, str]:
    """The outcome where straight runs differ too."""
    said = (
        f"not deterministic: two equal runs differ by {spread.size:.3g} in {spread.metric}, so a resume cannot be "
        f"judged finer than that; gone on with, it differs by {found.size:.3g}"
    )
    if found.size <= SPREADS * spread.size or found.share <= TOLERANCE:
        return "close", said
    return "broken", f"{said}, which is more than {SPREADS:g} times that; likely missing in its checkpoint: {LIKELY}"


def _apart(gaps: list[Gap], state: Any) -> tuple[Outcome, str]:
    """The outcome where straight runs are equal and the one that was gone on with is not."""
    worst, first = max(gaps, key=lambda g: g.share), min(g.first for g in gaps)
    said = (
        f"it differs from the straight run from step {first} on, by at most {worst.size:.3g} in {worst.metric} "
        f"at step {worst.step}, {worst.share:.2g} of the way that {worst.metric} goes"
    )
    if worst.share <= TOLERANCE:
        return "close", f"{said} ({TOLERANCE:g} is taken for rounding)"
    holds = f" (it holds {_some(list(map(str, state)))})" if isinstance(state, dict) and state else ""
    return "broken", f"{said}; likely missing in its checkpoint{holds}, or not put back: {LIKELY}"


def _some(names: list[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
