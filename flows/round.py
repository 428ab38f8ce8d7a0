"""The command `round`: one round, or one for each combination with `-m`.

From the shell: python -m flows.round goal=dropout seed=1
"""

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack

from flows.compose import compose
from flows.compose.called import round_line
from flows.compose.config import RoundConfig
from flows.compose.messages import tell
from flows.session.exit_code import explained, leave
from flows.session.signals import heeding
from tasks.record import Record
from tasks.scope.error import InputError


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


def _main(arguments: Sequence[str]) -> int:
    from flows.session.plan import (  # here and below: what takes a second waits until the input is checked
        Imported,
        checked,
    )

    configs = compose.from_shell(arguments)
    imported: Imported = set()
    plans = [checked(config, imported) for config in configs]
    if configs and configs[0].check is not None:
        from flows.before.look import look

        return look(plans)
    _run_all(configs)
    return 0


def _run_all(configs: Sequence[RoundConfig]) -> None:
    """Every round in turn, all with one Prefect server; the terminal report of each as it ends."""
    from flows.past.files import round_files
    from flows.past.multirun import multirun_id, tie
    from flows.tune import tune, without_prefect
    from tasks.report.terminal import text

    multirun = multirun_id(configs)
    with ExitStack() as stack:
        in_prefect = _in_prefect(stack) if any(config.orchestrate == "prefect" for config in configs) else None
        for i, config in enumerate(configs):
            try:
                if in_prefect and config.orchestrate == "prefect":
                    record = in_prefect(config)
                else:
                    record = tune(without_prefect(config))
            except BaseException:
                if len(configs) > 1:  # the command itself would begin anew with those that are concluded
                    head = f"{i} of {len(configs)} rounds are concluded; the others:"
                    tell("\n".join([head, *map(_command, configs[i:])]))
                raise
            tie(config, record, multirun)
            print(text(record, colour=sys.stdout.isatty(), paths=round_files(config, record)), flush=True)


def _in_prefect(stack: ExitStack) -> Callable[[RoundConfig], Record] | None:
    """The round as a Prefect flow; a server of our own is started where none answers, and ends with `stack`.

    None where it cannot be started: a round needs no server.
    """
    from flows.prefect.server import PrefectServer, home

    try:
        server = stack.enter_context(PrefectServer(home()))
        if server.ours:
            print("no Prefect server answers; starting one for this command (10 to 30 s, once)", file=sys.stderr)
        server.wait()
    except (OSError, RuntimeError, InputError) as error:
        tell(f"warning: {error}; the round runs without Prefect")
        return None
    from flows.prefect.flow import in_prefect

    return in_prefect


def _command(config: RoundConfig) -> str:
    return round_line(config.overrides, config.config_dir)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
