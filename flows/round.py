"""One round: conf -> goal -> scope -> studies -> trials -> analysis -> verdict -> promotion -> conf.

From the shell: python -m flows.round goal=dropout seed=1
"""

import errno
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

from flows import compose
from flows.config import RoundConfig
from flows.sentences import tell
from flows.signals import heeding, the_stop
from tasks.ledger import LedgerError
from tasks.record import Record
from tasks.scope.error import InputError

if TYPE_CHECKING:
    from flows.session import Session

HINT = "nothing is lost, the same command goes on with this round"
LAST = 5.0  # seconds for what still wants to be sent when the program ends; Prefect's would try for ten minutes


def tune(config: RoundConfig, slot: str | None = None) -> Record:
    """The record of one round, run from scope to promotion, or gone on with from where it was cut off.

    Inside a Prefect flow every step is a task; outside, with `orchestrate=off`, the same functions are called plain.
    The ledger is told for which `slot` of a schedule the round is.

    Playbook: B1
    """
    from flows.approval import unless_mixed
    from flows.closing import close  # here and below: what imports Prefect waits until the input is checked
    from flows.session import open_session
    from flows.site import open_site
    from tasks.trials.task import NOTICE

    step = doors(config.orchestrate == "prefect")
    with ExitStack() as stack:
        session = open_session(stack, config)
        stack.enter_context(interruptible(session))
        if slot is not None:
            session.ledger.note_projection(session.round_id, slot, session.round_id)
        scope = step.scope_goal(
            config.goal,
            config.space,
            config.workload,
            config.budget,
            config.policy,
            session.incumbent,
            config.sampler,
            config.seed,
            config.acknowledge,
        )
        round = step.design_round(scope)
        site, watch, projector = open_site(stack, session, round)
        stack.enter_context(the_stop().noticed(lambda: site.server.interrupt(NOTICE)))
        trials = step.run_trials(round.trials, site)
        evidence = step.evidence(round=round, trials=trials)
        analysis = step.analyze_round(evidence)
        approve = unless_mixed(approval(config), session.mixed)
        conclusion = step.promote_config(evidence, analysis, site, watch.expect, approve)
        return close(session, round, trials, analysis, conclusion, projector, step)


def doors(orchestrated: bool) -> SimpleNamespace:
    """The rooms' doors: Prefect tasks, or the plain functions behind them."""
    from prefect.utilities.annotations import quote

    from tasks.analyze.evidence import Evidence
    from tasks.analyze.task import analyze_round, write_report
    from tasks.design.task import design_round
    from tasks.promote.task import promote_config
    from tasks.scope.task import scope_goal
    from tasks.trials.task import run_trials

    def door(task: Any) -> Callable[..., Any]:
        # quoted: Prefect would walk through every value in search of futures, and there are none
        return lambda *values: task(*map(quote, values)) if orchestrated else task.fn(*values)

    tasks: list[Any] = [scope_goal, design_round, run_trials, analyze_round, promote_config, write_report]
    return SimpleNamespace(evidence=Evidence, **{task.fn.__name__: door(task) for task in tasks})


def approval(config: RoundConfig) -> Callable[..., str]:
    """Who accepts a promotion: the policy (`auto`), or a person (`ask`)."""
    from flows.approval import ask, auto

    return ask if config.approval == "ask" else auto


@contextmanager
def interruptible(session: "Session") -> Iterator[None]:
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


def plain(config: RoundConfig) -> RoundConfig:
    """The same round, without Prefect."""
    return config.model_copy(update={"orchestrate": "off"})


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 when every round concluded or refused with a next command, 2 for bad input.

    1 where the machine or the program failed; 130 after Ctrl-C and 143 after SIGTERM.
    """
    with heeding() as stop:
        try:
            return _main(arguments)
        except BaseException as error:
            if "TUNEBOOK_DEBUG" in os.environ:
                traceback.print_exc()
            if stop.signal is not None:  # whatever else broke on the way out
                code, sentence = 128 + stop.signal, f"\nstopped; {stop.hint}"
            else:
                code, sentence = explained(error)
            tell(sentence)
            return code


def explained(error: BaseException) -> tuple[int, str]:
    """The exit code and the one sentence for what ended the program.

    Raises:
        BaseException: the error itself, where it is a mistake of this program: its traceback is wanted.
    """
    causes = [error, *filter(None, (error.__cause__, error.__context__))]
    if any(getattr(e, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in str(e) for e in causes):
        return 1, f"error: no space left on the device; free some; {HINT}"
    if isinstance(error, InputError | LedgerError):
        return 2, f"error: {error}"
    if isinstance(error, OSError | RuntimeError):
        return 1, f"error: {error}; {HINT}"
    error.add_note(f"this is a mistake of tunebook; {HINT}")
    raise error


def _main(arguments: Sequence[str]) -> int:
    from flows.plan import checked

    configs = compose.from_shell(arguments)
    plans = [checked(config) for config in configs]
    check = configs[0].check if configs else None
    if check is None:
        _run_all(configs)
    elif check == "plan":
        tell("\n\n".join(plans), aside=False)
    else:
        from flows.resume_audit import audit

        tell("\n\n".join(audit(config) for config in configs), aside=False)
    return 0


def _run_all(configs: Sequence[RoundConfig]) -> None:
    """Every round in turn, all with one Prefect server; the terminal report of each as it ends."""
    from tasks.analyze.terminal import text

    with ExitStack() as stack:
        shown = _shown(stack) if any(config.orchestrate == "prefect" for config in configs) else None
        for i, config in enumerate(configs):
            try:
                record = shown(config) if shown and config.orchestrate == "prefect" else tune(plain(config))
            except BaseException:
                if len(configs) > 1:  # the command itself would begin anew with those that are concluded
                    head = f"{i} of {len(configs)} rounds are concluded; the others:"
                    tell("\n".join([head, *map(_command, configs[i:])]))
                raise
            folder = config.root / "records" / record.round_id
            paths = [str(_near(folder / name)) for name in ("report.html", "record.json")]
            print(text(record, colour=sys.stdout.isatty(), paths=paths), flush=True)


def _shown(stack: ExitStack) -> Callable[[RoundConfig], Record] | None:
    """The round as a Prefect flow; a server of our own is started where none answers, and ends with `stack`.

    None where it cannot be started: a round needs no server.
    """
    from flows.server import PrefectServer, home

    try:
        server = stack.enter_context(PrefectServer(home()))
        if server.ours:
            print("no Prefect server answers; starting one for this command (10 to 30 s, once)", file=sys.stderr)
        server.wait()
    except (OSError, RuntimeError, InputError) as error:
        tell(f"warning: {error}; the round runs without Prefect")
        return None
    from flows.tuning import shown

    return shown


def _command(config: RoundConfig) -> str:
    from tasks.promote.next import command_of

    return command_of(config.overrides, config.config_dir)


def _near(path: Path) -> Path:
    """The path as seen from here, where that is shorter."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def leave(code: int) -> NoReturn:
    """End the program, soon: what Prefect still wants to send would be tried for minutes where its server is gone."""
    if code:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # everything is done and said
    logging.disable()  # Prefect counts what it could not send
    last = threading.Timer(LAST, os._exit, [code])
    last.daemon = True
    last.start()
    sys.exit()


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
