"""B7: has tuning likely saturated? What the last rounds' gates say together."""

from collections.abc import Iterable

from tasks.promote.comparison import INCUMBENT
from tasks.record import Value, VerdictRow

SILENT = frozenset({"redesign", "na"})  # outcomes of rounds in which no gate was asked: they count neither way


def saturated_tuning(verdicts: Iterable[VerdictRow], rounds: int) -> tuple[str, ...]:
    """One sentence where tuning has likely saturated, none where that cannot be said.

    `verdicts`: this round's first, then those of the rounds before it, newest first. It takes `rounds` verdicts in a
    row on one generation of the incumbent, each of a gate that found no gain beyond the noise of the retrains. A
    promotion ends the row, and so does an undecided gate, or a gain that a person declined: those leave hope.

    Playbook: B7
    """
    gains: list[float] = []
    generation: int | None = None
    for verdict in verdicts:
        if verdict.outcome in SILENT and generation is not None:
            continue
        if not _within_noise(verdict) or generation not in (None, verdict.incumbent.generation):
            break
        generation = verdict.incumbent.generation
        gains.append(verdict.gain or 0.0)
    if len(gains) < rounds:
        return ()
    return (
        f"Tuning has likely saturated: in the last {len(gains)} rounds whose finalists were retrained, none gained "
        f"more over the incumbent (generation {generation}) than noise explains; at most {max(gains):.3g}. "
        "A new feature is likelier to help than another search like these.",
    )


def _within_noise(verdict: VerdictRow) -> bool:
    """Whether retrains were compared with the incumbent's, and at no comparison's last look the gain was shown."""
    looks = _last_looks(verdict.noise)
    shown = [pair for pair, (z, upper) in looks.items() if z >= upper]
    return verdict.outcome == "keep" and verdict.gain is not None and bool(looks) and not shown


def _last_looks(noise: dict[str, Value | None]) -> dict[str, tuple[float, float]]:
    """`z` and the boundary for a gain, of the last look of each arm against the incumbent."""
    last: dict[str, tuple[int, float, float]] = {}
    for key, z in noise.items():
        pair, _, rest = key.partition(".")
        count, _, number = rest.partition(".")
        upper = noise.get(f"{pair}.{count}.upper")
        if number == "z" and pair.endswith(f"-{INCUMBENT}") and z is not None and upper is not None:
            last[pair] = max(last.get(pair, (0, 0.0, 0.0)), (int(count), float(z), float(upper)))
    return {pair: (z, upper) for pair, (_, z, upper) in last.items()}
