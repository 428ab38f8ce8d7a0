"""MLflow brought up to what the ledger has: whatever it lacks is shown there, and a second time adds nothing."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from flows.compose.called import program
from flows.compose.messages import SentenceParser, tell, validation_sentence
from flows.session.projection import config_of, noting, projection_of, tracking_of
from tasks.ledger import Ledger, LedgerError, Summary, open_ledger
from tasks.scope.error import InputError
from tasks.tracking import Projector, Tracking
from tasks.upgrade import NewerRecord

_ROUND_SECONDS = 3600.0  # at most for one round, while MLflow takes it: checkpoints may be large
_PATIENCE = 300.0  # without anything written: one large file
_UNANSWERED = 30.0  # for the first answer
_SETTINGS = ("tracking.root", "tracking.uri", "tracking.enabled")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What came of one round: how many runs and models are new, and why MLflow did not take it all."""

    added: int = 0
    warning: str | None = None
    down: bool = False


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status of the command: 0 where MLflow has everything, 1 where not, 2 for bad input."""
    try:
        words = _parser().parse_args(arguments).words
        settings = _settings([word for word in words if "=" in word])
        root = Path(settings.get("tracking.root", "mlruns")).resolve()
        if not (root / "ledger.db").is_file():
            raise InputError(f"there is no ledger under {root}: tracking.root=PATH names the folder that has one")
        return sync(root, _chosen(root, settings, [word for word in words if "=" not in word]))
    except (InputError, LedgerError) as error:
        tell(f"error: {error}")
        return 2
    except KeyboardInterrupt:
        tell("\nstopped; the same command goes on")
        return 130


def sync(root: Path, chosen: Sequence[tuple[Summary, Tracking]]) -> int:
    """The exit status, once every chosen round was shown, the one begun first coming first; says what was done.

    A round that another process has in hand is left to it. An MLflow that is down is asked once, not for each round.
    """
    down: dict[str, str] = {}
    waiting: Counter[str] = Counter()
    added = shown = left = 0
    for summary, tracking in chosen:
        if tracking.address not in down:
            outcome = _synced(root, summary, tracking)
            if outcome is None:
                left += 1
                continue
            added += outcome.added
            if outcome.down:
                down[tracking.address] = str(outcome.warning)
            elif outcome.warning:
                tell(outcome.warning)
            shown += outcome.warning is None
        waiting[tracking.address] += tracking.address in down
    print(f"{shown} of {len(chosen) - left} rounds stand in MLflow; {added} runs and models are new there", flush=True)
    for address, why in down.items():
        way = "say the command again when it answers, or name another by tracking.uri=ADDRESS"
        tell(f"{why}: {waiting[address]} of the rounds wait; {way}")
    return 0 if shown + left == len(chosen) else 1


def _synced(root: Path, summary: Summary, tracking: Tracking) -> Outcome | None:
    """What came of showing one round, owned meanwhile; None where another process has it in hand."""
    try:
        with open_ledger(root) as ledger:
            try:
                ledger.own(summary.round_id)
            except LedgerError as error:
                tell(f"left out: {error}")
                return None
            try:
                return _owned(ledger, summary.round_id, tracking)
            finally:
                if summary.state == "interrupted":  # owning it said that it runs
                    ledger.interrupt(summary.round_id)
    except (LedgerError, NewerRecord) as error:
        return Outcome(warning=str(error))


def _owned(ledger: Ledger, round_id: str, tracking: Tracking) -> Outcome:
    picture = projection_of(ledger, round_id, missing=tell)
    note = noting(ledger, round_id, tracking)
    new: set[str] = set()

    def noted(key: str, run: str) -> None:
        if note(key, run):
            new.add(run)

    with Projector(tracking, workload=picture.workload, round_id=round_id, name=picture.question, noted=noted) as to:
        to.show(lambda: picture)
        to.drain(_ROUND_SECONDS, _PATIENCE, _UNANSWERED)
    return Outcome(added=len(new), warning=to.warning, down=to.down)


def _chosen(root: Path, settings: Mapping[str, str], named: Sequence[str]) -> list[tuple[Summary, Tracking]]:
    """The rounds to show, each with its MLflow: those that are named, else all of which something can be shown.

    Raises:
        InputError: there is no such round, or an address is none.
    """
    found: list[tuple[Summary, Tracking]] = []
    off = 0
    with open_ledger(root) as ledger:
        rounds = {r.round_id: r for r in reversed(ledger.rounds())}
        if stranger := next((name for name in named if name not in rounds), None):
            near = ", ".join(list(rounds)[-5:]) or "none"
            raise InputError(f"there is no round {stranger!r}; the latest are: {near}")
        for summary in (rounds[name] for name in named or rounds):
            try:
                tracking = tracking_of(config_of(ledger, summary.round_id), root, settings.get("tracking.uri"))
            except ValidationError as error:
                raise InputError(validation_sentence(error)) from error
            except LedgerError as error:
                tell(f"left out: {error}")
                continue
            wanted = tracking.enabled or bool(named) or settings.get("tracking.enabled") == "true"
            off += not wanted
            if wanted and (summary.state == "finished" or ledger.results(summary.round_id)):
                found.append((summary, tracking.model_copy(update={"enabled": True})))
    if off:
        print(f"{off} rounds ran with tracking.enabled=false and are left out; tracking.enabled=true shows them too")
    return found


def _settings(words: Sequence[str]) -> dict[str, str]:
    settings = dict(word.split("=", 1) for word in words)
    if stranger := next((key for key in settings if key not in _SETTINGS), None):
        raise InputError(f"{stranger!r} cannot be set here; {', '.join(_SETTINGS)} can")
    if empty := next((key for key, value in settings.items() if not value), None):
        raise InputError(f"{empty}: empty; give it a value, or leave it out")
    if settings.get("tracking.enabled", "true") not in ("true", "false"):
        raise InputError(f"tracking.enabled: {settings['tracking.enabled']!r} is neither true nor false")
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        "sync",
        usage=f"{program('sync')} [ROUND ...] [tracking.root=PATH] [tracking.uri=ADDRESS] [tracking.enabled=true]",
        description=__doc__,
        epilog="tracking.root: the folder that holds ledger and records (default: mlruns). tracking.uri: an MLflow "
        "other than the one each round was run with. tracking.enabled=true: also rounds that were run without MLflow. "
        "A password of an address is not kept: give MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD. "
        "Exit status: 0 MLflow has everything, 1 it does not, 2 bad input.",
    )
    parser.add_argument("words", nargs="*", metavar="ROUND", help="show these rounds alone")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
