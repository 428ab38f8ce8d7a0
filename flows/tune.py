"""The spine: one round, scope → design → trials → analyze → promote → report."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flows.compose.called import round_line
from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.own import OWN
from flows.session.approval import approval
from flows.session.closing import close, record_now
from flows.session.exit_code import HINT, RoundStopped
from flows.session.generations import RoundIncumbents
from flows.session.plan import warnings_of
from flows.session.provenance.kept import earlier_round
from flows.session.session import Session, open_session
from flows.session.signals import the_stop
from flows.session.site import open_site
from flows.steps import PLAIN, Steps
from tasks.analyze.study.evidence import Evidence
from tasks.design.kept import keeping
from tasks.record import Record
from tasks.report.stopped import stopped_text
from tasks.trials.failures.first import FirstTrialsFailed
from tasks.trials.run import NOTICE


def tune(config: RoundConfig, step: Steps = PLAIN, slot: str | None = None) -> Record:
    """The record of one round, run from scope to promotion, or gone on with from where it was cut off.

    `step`: plain functions, or the same as Prefect's tasks, or the same with Prefect told of each. The ledger is told
    for which `slot` of a schedule the round is.

    Playbook: B1
    """
    with ExitStack() as stack:
        session = open_session(stack, config)
        stack.enter_context(interruptible(session))
        if slot is not None:
            session.ledger.note(session.round_id, "slot", slot)
        scope = step.scope(session.config, session.incumbent)
        for warning in warnings_of(session.config, scope):
            tell(warning)
        own = OWN[scope.goal.kind]
        earlier = earlier_round(session.ledger, session.config, session.parts)
        round = keeping(step.design(scope, own.design), earlier)
        site, projector, run_retrains = open_site(stack, session, round, step.pool)
        stack.enter_context(the_stop().noticed(lambda: site.runner.interrupt(NOTICE)))
        round, trials = step.trials(round, site)
        evidence = Evidence(round=round, trials=trials)
        analysis = step.analyze(evidence, own.answer, own.learned)
        conclusion = step.promote(evidence, analysis, run_retrains, RoundIncumbents(session), approval(session))
        record = record_now(session, evidence, analysis, conclusion, projector)
        step.report(record, session.folder)
        close(session, record, conclusion, projector)
        return record


@contextmanager
def interruptible(session: Session) -> Iterator[None]:
    """A block that a signal may leave: the ledger notes that the round was stopped, unless it is concluded.

    Raises:
        RoundStopped: the first trials failed alike.
    """
    stop = the_stop()
    stop.hint = HINT
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        session.ledger.interrupt(session.round_id)
        if session.ledger.record(session.round_id) is not None:
            stop.hint = f"the round is concluded and stands in {session.folder}"
        raise
    except FirstTrialsFailed as error:
        session.ledger.interrupt(session.round_id)
        config = session.config
        command = round_line(config.overrides, config.config_dir)
        raise RoundStopped(stopped_text(error, config.workload.objective.metric, command)) from error
