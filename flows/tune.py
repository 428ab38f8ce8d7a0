"""The spine: one round, scope → design → trials → analyze → promote → report."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.own import OWN
from flows.session.approval import approval
from flows.session.closing import close, record_now
from flows.session.exit_code import HINT
from flows.session.generations import RoundIncumbents
from flows.session.plan import warnings_of
from flows.session.provenance.kept import earlier_round
from flows.session.session import Session, open_session
from flows.session.signals import the_stop
from flows.session.site import open_site
from flows.steps import PLAIN, orchestrated
from tasks.analyze.study.evidence import Evidence
from tasks.design.kept import keeping
from tasks.record import Record
from tasks.trials.run import NOTICE


def tune(config: RoundConfig, slot: str | None = None) -> Record:
    """The record of one round, run from scope to promotion, or gone on with from where it was cut off.

    Inside a Prefect flow every step is a task; outside, with `orchestrate=off`, the same functions are called plain.
    The ledger is told for which `slot` of a schedule the round is.

    Playbook: B1
    """
    step = orchestrated() if config.orchestrate == "prefect" else PLAIN
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
    """A block that a signal may leave: the ledger notes that the round was stopped, unless it is concluded."""
    stop = the_stop()
    stop.hint = HINT
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        session.ledger.interrupt(session.round_id)
        if session.ledger.record(session.round_id) is not None:
            stop.hint = f"the round is concluded and stands in {session.folder}"
        raise


def without_prefect(config: RoundConfig) -> RoundConfig:
    """The same round, its steps called plain."""
    return config.model_copy(update={"orchestrate": "off"})
