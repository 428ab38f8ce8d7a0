"""What is promoted now: the newest of the ledger's generation and the incumbent's YAML, else the baseline."""

from contextlib import closing

from flows.compose.config import RoundConfig, incumbent_file
from flows.compose.incumbent_yaml import write_incumbent
from flows.session.resume import named_round, no_round, resumable_round
from tasks.ledger import Generation, Ledger, open_ledger
from tasks.scope.error import InputError
from tasks.scope.goal import Incumbent
from tasks.scope.roles import baseline_incumbent, check_point


def looked_up(config: RoundConfig) -> Incumbent:
    """What is promoted now, or was when the round began that the same command resumes. Nothing is written.

    Raises:
        InputError: as `incumbent_now` and, where `resume=` names a round, `named_round`.
    """
    if not (config.root / "ledger.db").exists():
        if config.resume:
            raise no_round(config)
        return incumbent_now(None, config)
    with closing(open_ledger(config.root)) as ledger:
        resumed = named_round(ledger, config) if config.resume else resumable_round(ledger, config)
        if resumed is not None:
            return Incumbent.model_validate(ledger.frozen(resumed)["incumbent"])
        return incumbent_now(ledger, config)


def incumbent_now(ledger: Ledger | None, config: RoundConfig) -> Incumbent:
    """What is promoted now: the newest of the ledger's generations and the promoted YAML, else the baseline.

    Raises:
        InputError: the YAML is not the ledger's, or has what the round has not.
    """
    name = config.workload.name
    stored = ledger.incumbent(name) if ledger else None
    if config.promoted is not None and (stored is None or config.promoted.generation > stored.generation):
        known = {*config.space.names, *config.workload.baseline, *config.goal.scientific}
        stranger = next((p for p in config.promoted.point if p not in known), None)
        if stranger is not None:
            raise InputError(
                f"incumbent/{name}.yaml: {stranger!r} is no hyperparameter of the space or of the workload's baseline; "
                "correct or remove the file."
            )
        check_point(config.space, config.promoted.point, f"incumbent/{name}.yaml")
        return config.promoted
    if stored is None:
        return baseline_incumbent(config.workload, config.space)
    now = as_incumbent(stored)
    same = config.promoted is None or (config.promoted.point, config.promoted.settings) == (now.point, now.settings)
    if config.promoted and config.promoted.generation == now.generation and not same:
        raise InputError(
            f"incumbent/{name}.yaml: its generation {stored.generation} is not the ledger's; to promote it by hand "
            f"give it generation {stored.generation + 1}, or remove it to have the ledger's written again."
        )
    return now


def as_incumbent(stored: Generation) -> Incumbent:
    """A generation of the ledger as the incumbent that a round is gated against."""
    return Incumbent(generation=stored.generation, point=stored.point, settings=stored.settings, source=stored.source)


def settled(ledger: Ledger, config: RoundConfig) -> Incumbent:
    """What is promoted now, in both places.

    A YAML that is ahead was promoted in another clone and is taken over; one that is behind is written again.
    """
    name, incumbent = config.workload.name, incumbent_now(ledger, config)
    if incumbent is config.promoted:
        ledger.adopt(name, incumbent.generation, incumbent.point, incumbent.source, incumbent.settings)
    elif incumbent.generation > (config.promoted.generation if config.promoted else 0):
        stored = ledger.incumbent(name)
        by = stored.round_id if stored and stored.generation == incumbent.generation else None
        write_incumbent(incumbent_file(config.root, name), incumbent, {"promoted by round": by or "-"})
    return incumbent
