"""The command `round`: one round, or one for each combination with `-m`.

From the shell: python -m flows.round goal=dropout seed=1
"""

import gc
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from flows.compose.called import round_line
from flows.compose.guess import wants_torch
from flows.session.exit_code import exit_code, explained, leave
from flows.session.signals import heeding
from tasks.trials.local.ahead import kept_servers, start_ahead

if TYPE_CHECKING:  # nothing above takes long to import: see `_main`
    from flows.compose.config import RoundConfig
    from flows.prefect.shown import Shown


def main(arguments: Sequence[str], shown: "Shown | None" = None) -> int:
    """The exit code: 0 when every round concluded or refused with a next command, 2 for bad input.

    `shown`: shows the rounds in Prefect, where several commands do it together; by default each has one of its own.
    1 where a round came to nothing (its first trials failed alike, or none gave a result) or the machine failed;
    130 after Ctrl-C and 143 after SIGTERM. docs/exit_codes.md lists them.
    """
    with heeding() as stop:
        try:
            return _main(arguments, shown)
        except BaseException as error:
            if "TUNEBOOK_DEBUG" in os.environ:
                traceback.print_exc()
            if stop.signal is not None:  # whatever else broke on the way out
                code, sentence = 128 + stop.signal, f"\nstopped; {stop.hint}"
            else:
                code, sentence = explained(error)
            from flows.compose.messages import tell

            tell(sentence)
            return code


def _main(arguments: Sequence[str], shown: "Shown | None") -> int:
    """As `main`. What takes long to import is imported while the process that forks trials imports torch."""
    gc.disable()  # until the first round: collections are a quarter of the time of such imports, and find nothing
    try:
        with kept_servers():
            wanted = wants_torch(arguments)
            if wanted is not None:
                start_ahead(supervised=wanted == "supervised")
            return _composed(arguments, shown)
    finally:
        gc.enable()


def _composed(arguments: Sequence[str], shown: "Shown | None") -> int:
    from flows.compose import compose
    from flows.session.plan import Imported, checked

    configs = compose.from_shell(arguments)
    imported: Imported = set()
    plans = [checked(config, imported) for config in configs]
    if not gc.get_freeze_count():  # once a process: what is frozen is never let go
        gc.freeze()
    gc.enable()
    if configs and configs[0].check is not None:
        from flows.before.look import look

        return look(plans)
    return _run_all(configs, shown)


def _run_all(configs: "Sequence[RoundConfig]", shown: "Shown | None") -> int:
    """The exit code of every round in turn; the terminal report of each as it ends.

    Prefect is shown them beside, with one server.
    """
    from flows.compose.messages import tell
    from flows.past.files import round_files
    from flows.past.multirun import multirun_id, tie
    from flows.tune import tune
    from tasks.report.terminal import text

    code = 0
    multirun = multirun_id(configs)
    with ExitStack() as stack:
        if shown is None and any(config.orchestrate == "prefect" for config in configs):
            from flows.prefect.shown import Shown

            shown = stack.enter_context(Shown())
        for i, config in enumerate(configs):
            try:
                if shown is not None and config.orchestrate == "prefect":
                    with shown.round(config) as (steps, told):
                        record = tune(config, steps)
                        told.concluded(record)
                else:
                    record = tune(config)
            except BaseException:
                if len(configs) > 1:  # the command itself would begin anew with those that are concluded
                    head = f"{i} of {len(configs)} rounds are concluded; the others:"
                    tell("\n".join([head, *map(_command, configs[i:])]))
                raise
            tie(config, record, multirun)
            print(text(record, colour=sys.stdout.isatty(), paths=round_files(config, record)), flush=True)
            code = max(code, exit_code(record))
    return code


def _command(config: "RoundConfig") -> str:
    return round_line(config.overrides, config.config_dir)


if __name__ == "__main__":
    leave(main(sys.argv[1:]))
