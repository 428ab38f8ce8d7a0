"""The first question about guessed hyperparameters: which is scientific, which are tuned beside it, which are fixed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from flows.starting.guesses import Family, Guess

VARYING = 3  # hyperparameters that vary in a study, at five trials each and some more
TRIALS, TRIALS_AN_ARM = 20, 12
_ARCHITECTURE: tuple[Family, ...] = ("width", "layers", "activation")
_TUNED_FIRST: tuple[Family, ...] = ("learning rate", "momentum", "weight decay", "dropout", "label smoothing", "warmup")


@dataclass(frozen=True, kw_only=True)
class FirstQuestion:
    """A goal of kind understand; `fixed`: the reason for each hyperparameter that it holds; `trials`: a study."""

    scientific: Guess
    nuisances: tuple[Guess, ...]
    fixed: Mapping[str, str]
    trials: int


def first_question(guesses: Sequence[Guess]) -> FirstQuestion:
    """What is asked first: of a regularizer, else of architecture, else of the optimizer.

    What serves best of the optimizer holds for one setting of all else, so it is tuned beside the question (the
    playbook); architecture changes what a trial costs, so it is held.
    """
    families = get_args(Family)
    scientific = min(guesses, key=lambda g: families.index(g.family))
    rest = [g for g in guesses if g is not scientific and g.family not in _ARCHITECTURE and g.name != "beta2"]
    rest = sorted(rest, key=lambda g: _TUNED_FIRST.index(g.family))
    nuisances = rest[: VARYING - scientific.ranged]
    held = [g for g in guesses if g is not scientific and g not in nuisances]
    trials = TRIALS if scientific.ranged else TRIALS_AN_ARM
    return FirstQuestion(
        scientific=scientific,
        nuisances=tuple(nuisances),
        fixed={g.name: _reason(g, trials) for g in held},
        trials=trials,
    )


def _reason(guess: Guess, trials: int) -> str:
    if guess.family in _ARCHITECTURE:
        return "it changes what a trial costs: a question of its own"
    if guess.name == "beta2":
        return "far more than 25 trials a study are needed to tune it"
    return f"{trials} trials a study tune no more than {VARYING} hyperparameters: a question of its own"
