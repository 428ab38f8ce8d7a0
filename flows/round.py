"""One round: conf -> goal -> scope -> studies -> trials -> analysis -> verdict -> promotion -> conf.

From the shell: python -m flows.round goal=dropout seed=1
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

from flows import compose
from flows.config import RoundConfig
from tasks.ledger import LedgerError
from tasks.record import Record
from tasks.scope.error import InputError


def tune(config: RoundConfig) -> Record:
    """The record of one round, run from scope to promotion, or gone on with from where it was cut off.

    Inside a Prefect flow every step is a task; outside, with `orchestrate=off`, the same functions are called plain.

    Playbook: B1
    """
    from flows.closing import close  # here and below: what imports Prefect waits until the input is checked
    from flows.session import open_session
    from flows.site import open_site

    step = doors(config.orchestrate == "prefect")
    with ExitStack() as stack:
        session = open_session(stack, config)
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
        trials = step.run_trials(round.trials, site)
        evidence = step.evidence(round=round, trials=trials)
        analysis = step.analyze_round(evidence)
        conclusion = step.promote_config(evidence, analysis, site, watch.expect, approval(config))
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


def main(arguments: Sequence[str]) -> int:
    """The exit code: 0 when every round concluded or refused with a next command, 2 for bad input."""
    from flows.plan import checked

    try:
        configs = compose.from_shell(arguments)
        plans = [checked(config) for config in configs]
        if configs and configs[0].check == "plan":
            print("\n\n".join(plans))
            return 0
        return _run_all(configs)
    except (InputError, LedgerError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; nothing is lost, the same command goes on with this round", file=sys.stderr)
        return 130


def _run_all(configs: Sequence[RoundConfig]) -> int:
    """Every round in turn, all with one Prefect server; the terminal report of each as it ends."""
    from tasks.analyze.terminal import text

    with ExitStack() as stack:
        flow = _flow(stack) if any(c.orchestrate == "prefect" for c in configs) else None
        for config in configs:
            record = flow(config) if flow and config.orchestrate == "prefect" else tune(config)
            folder = config.root / "records" / record.round_id
            paths = [str(_near(folder / name)) for name in ("report.html", "record.json")]
            print(text(record, colour=sys.stdout.isatty(), paths=paths), flush=True)
    return 0


def _flow(stack: ExitStack) -> Callable[[RoundConfig], Record]:
    """The round as a Prefect flow; a server of our own is started where none answers, and ends with `stack`."""
    from flows.server import PrefectServer, home

    server = stack.enter_context(PrefectServer(home()))
    if server.ours:
        print("no Prefect server answers; starting one for this command (10 to 30 s, once)", file=sys.stderr)
    server.wait()
    from flows.tuning import tune_round

    return lambda config: tune_round(list(config.overrides), config.config_dir)


def _near(path: Path) -> Path:
    """The path as seen from here, where that is shorter."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path


def leave(code: int) -> NoReturn:
    """End the program. A round that was stopped ends at once: Prefect would try for minutes to reach its server."""
    if code:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    sys.exit()


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
