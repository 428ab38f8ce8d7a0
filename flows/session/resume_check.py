"""`check=resume`: does the user's program resume from a checkpoint as if it had never been killed?

python -m flows.round workload=mnist1d check=resume
"""

import sys
import tempfile
from pathlib import Path

from flows.compose.called import round_line
from flows.compose.config import RoundConfig
from flows.session.incumbent import looked_up
from flows.session.promoted_settings import with_settings
from tasks.design.study import Planned
from tasks.scope.error import InputError
from tasks.scope.goal import Incumbent
from tasks.text import point_text
from tasks.trials.checkpoints.resumption import Resumption, Stage, audit_resumption
from tasks.trials.command.check import wants_mlflow
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.local.runner import preload


def resume_check(config: RoundConfig) -> str:
    """What to print of a program that can be gone on with: the answer, its evidence, and what to do next.

    One trial is rehearsed, at the incumbent's point and with the round's seed, in a temporary folder: neither the
    ledger nor MLflow hears of it. A program that cannot be gone on with is input that must be mended before compute is
    spent on it, so the command then ends as with any bad input, with exit code 2.

    Raises:
        InputError: it is broken: what was seen, and the way out. Or the trial itself fails.

    Playbook: J12
    """
    if wants_mlflow(config.workload):
        raise InputError(
            "check=resume: a program that logs to MLflow is read only when it has ended, so it cannot be cut off at a "
            "step; let it write its metrics to the file of TUNEBOOK_METRICS for this check (workload.metrics=lines)."
        )
    incumbent, _ = looked_up(config)
    config = with_settings(config, incumbent.settings)
    if sys.stderr.isatty():
        print("rehearsing a short trial: straight, cut off and gone on with, and straight again", file=sys.stderr)
    try:
        found = _rehearsed(config, incumbent)
    except InputError as error:
        raise InputError(config.secrets.redacted(str(error))) from None
    if found.outcome == "broken":
        raise InputError(config.secrets.redacted(f"check=resume: broken, cut off {found.cut}: {found.evidence}."))
    return config.secrets.redacted(_text(config, incumbent, found))


def _rehearsed(config: RoundConfig, incumbent: Incumbent) -> Resumption:
    planned = Planned(
        id="rehearsal",
        study="check=resume",
        purpose="probe",
        index=0,
        point=dict(incumbent.point),
        seed=config.seed,
        max_train_steps=config.budget.max_train_steps,
        eval_every_steps=config.budget.eval_every_steps,
    )
    with (
        tempfile.TemporaryDirectory(prefix="tunebook-", ignore_cleanup_errors=True) as folder,
        ForkServer(config.runner, preload=preload(config.execution)) as server,
    ):
        return audit_resumption(
            Stage(
                planned=planned,
                execution=config.execution,
                folder=Path(folder),
                run=lambda planned, execution, place: run_trial(
                    planned, execution, server, place, config.runner.slots[0]
                ),
            )
        )


def _text(config: RoundConfig, incumbent: Incumbent, found: Resumption) -> str:
    """The answer in four lines."""
    meaning = {
        "identical": "a kill costs the steps since the last checkpoint, and changes nothing",
        "close": "a kill costs the steps since the last checkpoint, and may move a result by about that much",
        "uncut": "give it a longer budget.max_train_steps if its trials will be longer than this",
    }[found.outcome]
    overrides = [word for word in config.overrides if not word.startswith("check=")]
    return "\n".join(
        [
            f"rehearsed  a trial of {found.steps} steps, straight twice and once cut off {found.cut} (J12)",
            f"at         generation {incumbent.generation}, seed {config.seed}: {point_text(incumbent.point)}",
            f"{found.outcome:<9}  {found.evidence}: {meaning}",
            f"next       {round_line(overrides, config.config_dir)}",
        ]
    )
