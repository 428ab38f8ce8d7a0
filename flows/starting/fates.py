"""What becomes of each argument of a script: tuned, given by the round, left at its default, or yours to fill in."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.starting.guesses import Guess, guesses_of
from flows.starting.script.arguments import Argument
from flows.starting.script.command_line import CommandLine
from flows.starting.script.source import UNREAD
from tasks.text import one_line, plainly, show

What = Literal["tuned", "given", "left", "yours"]
MISSING = "???"  # what the YAML reader refuses until somebody gives it
_SEED = r"(?:random_|rng_|manual_|global_|torch_)?(?:seed|random_state)"
_STEPS = r"(?:(?:max|num|n|total|train|num_train|max_train|training)_)?(?:steps|iters|iterations|updates)|n_iter"
_EPOCHS = r"(?:(?:max|num|n|total|train|num_train)_?)?epochs?"
_EVERY = (
    r"(?:eval|evaluate|evaluation|val|valid|validation|validate|test)_(?:every|interval|freq|frequency|period|steps)"
    r"(?:_steps|_n_steps)?"
)
_LOG = r"(?:log|logging|report|print)_(?:every|interval|freq|frequency|steps)(?:_steps|_n_steps)?"
_BATCH = r"(?:\w+_)?(?:batch_?size|bs)|batch"
_OPTIMIZER = r"optimi[sz]er|optim|opt"
_LENGTH = 100  # steps of a trial, or 10 epochs, where the script does not say
_DEFAULT = 60  # characters of a default that are shown
_FILES = "csv|tsv|jsonl?|parquet|arrow|npz|npy|pt|pth|pkl|h5|hdf5|txt|ya?ml|bin|safetensors|zip|gz|tar"
_RELATIVE = rf"(?:\.{{0,2}}/)?[\w.-]+/.*|[\w-][\w.-]*\.(?:{_FILES})"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """What becomes of an argument: `says` why, `parts` are what it adds to argv, `guesses` its hyperparameters."""

    argument: Argument
    what: What
    says: str
    parts: tuple[str, ...] = ()
    guesses: tuple[Guess, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Reading:
    """All fates, and how long a trial is: `unit` is empty where no argument of the script says."""

    fates: tuple[Fate, ...]
    steps: int
    every: int
    unit: Literal["steps", "epochs", ""]
    notes: tuple[str, ...]
    to_do: tuple[str, ...]

    @property
    def guesses(self) -> tuple[Guess, ...]:
        """The hyperparameters, in the order of the script."""
        return tuple(g for f in self.fates for g in f.guesses)


@dataclass
class _Words:
    """Which arguments take what the round gives: found before the others are looked at."""

    length: Argument | None = None
    unit: Literal["steps", "epochs", ""] = ""
    steps: int = _LENGTH
    given: dict[int, str] = field(default_factory=dict)  # by the argument's identity: the word in braces


def fates_of(line: CommandLine) -> Reading:
    """What becomes of each argument of a command line."""
    words = _words(line.arguments)
    fates: list[Fate] = []
    taken: set[str] = set()
    groups: dict[int, str] = {}
    optimizer = next((a.default for a in line.arguments if _is(a, _OPTIMIZER) and isinstance(a.default, str)), "")
    for argument in line.arguments:
        fate = _fate(argument, words, taken)
        if any(_idle(guess, optimizer) for guess in fate.guesses):
            fate = _left(argument, f"{optimizer}, the default optimizer, has none of that name")
        group = id(argument.excludes)
        if fate.parts and argument.excludes is not None:
            if group in groups:
                fate = _left(argument, f"it excludes {groups[group]}, which is given")
            groups.setdefault(group, argument.name)
        taken |= {g.name for g in fate.guesses}
        fates.append(fate)
    interval = next((f.argument for f in fates if f.parts[-1:] == ("{eval_every_steps}",)), None)
    every = _whole(interval.default if interval else None) or (
        1 if words.unit == "epochs" else max(1, words.steps // 20)
    )
    return Reading(
        fates=tuple(fates),
        steps=words.steps,
        every=min(every, words.steps),
        unit=words.unit,
        notes=tuple(_notes(words, fates, interval)),
        to_do=tuple(_to_do(fates)),
    )


def _idle(guess: Guess, optimizer: str) -> bool:
    """Whether the script's default optimizer does not know a momentum by that name: tuning it would change nothing."""
    beta, name = guess.name.endswith(("1", "2")), optimizer.lower()
    return guess.family == "momentum" and (("sgd" in name and beta) or ("adam" in name and not beta))


def _words(arguments: Sequence[Argument]) -> _Words:
    free = [a for a in arguments if not a.trouble and a.single]
    found = _Words()
    lengths = [(a, u) for u, pattern in (("steps", _STEPS), ("epochs", _EPOCHS)) for a in free if _is(a, pattern)]
    lengths = [(a, u) for a, u in lengths if a.kind == "int" or (a.kind == "float" and _whole(a.default))]
    usable = [(a, u) for a, u in lengths if _whole(a.default) or a.required] or [
        (a, u) for a, u in lengths if a.default is UNREAD
    ]
    if usable:
        found.length, found.unit = usable[0]  # type: ignore[assignment]
        found.steps = _whole(usable[0][0].default) or (_LENGTH if found.unit == "steps" else 10)
        found.given[id(found.length)] = "max_train_steps"
    seeds = [a for a in free if _is(a, _SEED) and a.choices is None and a.kind == "int"]
    found.given |= {id(a): "seed" for a in seeds[:1]}
    device = next((a for a in free if _is(a, r"device") and a.kind == "str" and "cpu" in (a.choices or ("cpu",))), None)
    found.given |= {id(device): "device"} if device else {}
    every = [a for pattern in (_EVERY, _LOG) for a in free if _is(a, pattern) and a.kind == "int"]
    if found.unit == "epochs":  # an interval counts batches unless it says otherwise
        every = [a for a in free if re.search(r"(?:every|interval|freq)\w*epochs?$", a.dest) and a.kind == "int"]
    found.given |= {id(a): "eval_every_steps" for a in every[:1] if found.unit}
    return found


def _fate(argument: Argument, words: _Words, taken: set[str]) -> Fate:
    name = _plain(argument)
    word = words.given.get(id(argument))
    if word is not None:
        return _fate_given(argument, word)
    if argument.trouble or name in taken or not name.isascii():
        return _left(argument, argument.trouble or "another argument has that name")
    if re.fullmatch(_SEED, name) and argument.kind == "str":
        return _left(argument, "it has no type, so it would get a text")
    if re.fullmatch(_BATCH, name):
        return _left(argument, "it sets the speed of training, so it is not tuned")
    if re.fullmatch(f"{_STEPS}|{_EPOCHS}", name):
        said = f"; {words.length.name} is what the round gives" if words.length else ""
        return _left(argument, f"the length of training is not tuned{said}")
    if re.fullmatch(_OPTIMIZER, name):
        return _left(argument, "each optimizer has hyperparameters of its own: a later question")
    found = guesses_of(argument, name, words.steps)
    if isinstance(found, str):
        return _left(argument, found)
    clash = next((g.name for g in found if g.name in taken), None)
    if clash:
        return _left(argument, f"another argument has the name {clash}")
    parts = _called(argument, *(f"{{{g.name}}}" for g in found))
    says = "; ".join(f"{g.name} {guess_text(g)}" for g in found)
    return Fate(argument=argument, what="tuned", says=says, parts=parts, guesses=tuple(found))


def _fate_given(argument: Argument, word: str) -> Fate:
    says = {
        "seed": "the trial's seed",
        "max_train_steps": "budget.max_train_steps",
        "eval_every_steps": "budget.eval_every_steps",
        "device": "the trial's device (runner.devices)",
    }[word]
    return Fate(argument=argument, what="given", says=says, parts=_called(argument, f"{{{word}}}"))


def _left(argument: Argument, why: str) -> Fate:
    """The argument at the script's own default; what has none is the user's to fill in."""
    if argument.required:
        return Fate(
            argument=argument,
            what="yours",
            says=f"required{f', and {why}' if why else ''}: replace {MISSING} in argv by its value",
            parts=_called(argument, *([] if argument.switch else [MISSING])),
        )
    return Fate(argument=argument, what="left", says=why or "stays at the script's default")


def _called(argument: Argument, *values: str) -> tuple[str, ...]:
    """What an argument adds to argv; a brace in its name is doubled, since one alone means something there."""
    name = re.sub(r"([{}])", r"\1\1", argument.name)
    return (*([name] if argument.options else []), *values)


def _notes(words: _Words, fates: Sequence[Fate], interval: Argument | None) -> Iterator[str]:
    """What a person should know, each a sentence."""
    if "seed" not in words.given.values():
        yield "no argument takes a seed: trials at one point would be equal, or differ in what nobody set"
    if words.length is None:
        yield "no argument says how long it trains: set budget.max_train_steps to the last step that it reports"
    elif not _whole(words.length.default):
        yield f"{words.length.name} has no default that can be read: budget.max_train_steps = {words.steps} is a guess"
    if words.unit == "steps" and interval is None:
        yield "no argument says how often it evaluates: set budget.eval_every_steps to what it does"
    elif interval is not None and not _whole(interval.default):
        yield f"{interval.name} has no default that can be read: budget.eval_every_steps is a guess"
    if any(words.given.get(id(f.argument)) == "device" and f.argument.default != "cpu" for f in fates):
        yield "trials run on the CPU unless you say otherwise: runner.devices=[cuda:0]"
    paths = [f"{f.argument.name} ({f.argument.default!r})" for f in fates if f.what == "left" and _relative(f.argument)]
    if paths:
        yield (
            f"{', '.join(paths)}: each trial runs in a folder of its own, and a relative path begins there; where the "
            "script must find a file beside it, take the # from cwd in workload/"
        )


def _relative(argument: Argument) -> bool:
    """Whether its default is a path that begins in the working folder: `runs/last`, `data.csv`."""
    value = argument.default
    return isinstance(value, str) and re.fullmatch(_RELATIVE, value) is not None


def _to_do(fates: Sequence[Fate]) -> Iterator[str]:
    """What a person must fill in, each a sentence."""
    yield from (f"{f.argument.name} is {f.says}" for f in fates if f.what == "yours")
    for group in dict.fromkeys(f.argument.excludes for f in fates if f.argument.excludes is not None):
        members = [f for f in fates if f.argument.excludes is group]
        if not any(f.parts for f in members) and any(k.arg == "required" for k in group.keywords):
            yield f"one of {', '.join(f.argument.name for f in members)} is required: write it into argv"


def guess_text(guess: Guess) -> str:
    """A domain as a person reads it: `1e-4 to 1e-2, log`."""
    if guess.ranged:
        scale = ", log" if guess.domain.get("scale") == "log" else ""
        return f"{show(guess.domain['low'])} to {show(guess.domain['high'])}{scale}"
    return plainly(next(iter(guess.domain.values())))


def default_text(argument: Argument) -> str:
    """The script's default as a person reads it."""
    value: Any = argument.default
    if value is UNREAD:
        return "computed"
    if value is None:
        return "required" if argument.required else "none"
    return one_line(plainly(value))[:_DEFAULT] or "an empty text"


def _is(argument: Argument, pattern: str) -> bool:
    return re.fullmatch(pattern, _plain(argument)) is not None


def _plain(argument: Argument) -> str:
    """Its name in small letters and underscores: `n_epochs` for nEpochs."""
    return re.sub(r"\W", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", argument.dest)).lower()


def _whole(value: Any) -> int:
    """The value where it is a whole number above zero, else 0."""
    plain = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1 << 53
    return int(value) if plain and float(value).is_integer() else 0
