"""The round's place of work: the fork server, the projection to MLflow, and the progress line."""

from contextlib import ExitStack

from flows.config import CONF, RoundConfig
from flows.pictures import earlier, noting
from flows.progress import Watch
from flows.sentences import tell
from flows.session import Session
from tasks.design.study import Round
from tasks.tracking import Projector
from tasks.trials.runner import Execution
from tasks.trials.task import Site
from tasks.trials.trial import Trial


def open_site(stack: ExitStack, session: Session, round: Round) -> tuple[Site, Watch, Projector]:
    """Where the round's trials run, who watches them, and who shows them in MLflow; all end with `stack`."""
    config = session.config
    if session.resumed:
        tell(f"going on with round {session.round_id}")
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
    watch = stack.enter_context(Watch(len(round.trials), config.workload.objective))

    def heard(trial: Trial) -> None:
        watch.heard(trial)
        projector.add(trial.row(), trial.curve.steps.tolist(), {k: v.tolist() for k, v in trial.curve.metrics.items()})

    execution = Execution(
        workload=config.workload,
        budget=config.budget,
        runner=config.runner,
        own=config.config_dir,
        secrets=config.secrets,
    )
    site = Site.open(stack, session.round_id, session.folder, session.ledger, execution, heard)
    return site, watch, projector


def _way_out(config: RoundConfig) -> str:
    """What becomes of a round that MLflow does not take."""
    where = "" if config.root == CONF.parent / "mlruns" else f" tracking.root={config.root}"
    return f"the round goes on, the ledger has it all; python -m flows.sync{where} shows it there later"
