"""What a round's trials run on: the fork server, the progress line and the projection to MLflow, opened together."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from flows.compose.called import program
from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.session.progress import Watch
from flows.session.projection import earlier, noting
from flows.session.session import Session
from tasks.design.kept import kept_text
from tasks.design.study import Planned, Round
from tasks.promote.race import RunRetrains
from tasks.tracking import Projector
from tasks.tracking.private import PrivateStores
from tasks.trials.command.check import wants_mlflow
from tasks.trials.run import Pool, Site, run_trials
from tasks.trials.runners import open_runner
from tasks.trials.trial import Trial


def open_site(stack: ExitStack, session: Session, round: Round, pool: Pool) -> tuple[Site, Projector, RunRetrains]:
    """Where the round's trials run, who shows them in MLflow, and what runs retrains there; all end with `stack`."""
    config = session.config
    if session.resumed:
        tell(f"going on with round {session.round_id}")
    if round.kept:
        tell(kept_text(round))
    projector = stack.enter_context(
        Projector(
            config.tracking,
            workload=config.workload.name,
            round_id=session.round_id,
            name=config.goal.question,
            warn=lambda sentence: tell(f"warning: {sentence}: {_way_out(config)}"),
            noted=noting(session.ledger, session.round_id, config.tracking),
            earlier=earlier(config.root, config.tracking),
        )
    )
    watch = stack.enter_context(
        Watch(
            sum(s.count for s in round.studies),
            config.workload.objective,
            retrains=(config.budget.finalists + 2) * config.budget.retrains,  # finalists, incumbent and baseline
            slots=len(config.runner.slots),
        )
    )

    def heard(trial: Trial) -> None:
        watch.heard(trial)
        projector.add(trial.row(), trial.curve.steps.tolist(), {k: v.tolist() for k, v in trial.curve.metrics.items()})

    way_back = PrivateStores(session.folder) if wants_mlflow(config.workload) else None
    site = Site(
        round_id=session.round_id,
        book=session.ledger,
        runner=open_runner(stack, config.execution, session.folder, way_back),
        settings=config.runner,
        objective=config.workload.objective,
        heard=heard,
        pool=pool,
    )

    def run_retrains(planned: Sequence[Planned]) -> Mapping[str, Trial]:
        watch.expect(len(planned))
        return run_trials(planned, site)

    return site, projector, run_retrains


def _way_out(config: RoundConfig) -> str:
    """What becomes of a round that MLflow does not take."""
    where = "" if config.root == Path("mlruns").resolve() else f" tracking.root={config.root}"
    return f"the round goes on, the ledger has it all; {program('sync')}{where} shows it there later"
