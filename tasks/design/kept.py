"""Trials of an earlier round that lie in the studies of this one: they are kept, and do not run again."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tasks.design.samplers.all import sampling_of
from tasks.design.samplers.sampler import Observation
from tasks.design.study import KeptTrials, Planned, Round, Study, sampler_for, suggested, without_orphans
from tasks.record import Frozen, Point, Status, Value, canonical, hash_of
from tasks.scope.error import InputError
from tasks.scope.roles import Scope
from tasks.scope.space import has_values
from tasks.text import plural

Left = Literal["outside", "held", "arm", "failed", "length"]
LEFT: Mapping[Left, str] = {
    "outside": "outside the space",
    "held": "with another value of what is fixed here",
    "arm": "of a value that is not compared here",
    "failed": "failed",
    "length": "of another length",
}
"""Why a trial is not kept: its code, and how it is said. What failed is tried again: it may have been the machine."""


class EarlierTrial(Frozen):
    """A trial of a finished round, and how it ended."""

    planned: Planned
    status: Status


class EarlierRound(Frozen):
    """A finished round and the trials of its search; `otherwise`: why none of them can count in this one, else ""."""

    round_id: str
    trials: tuple[EarlierTrial, ...]
    otherwise: str = ""


def keeping(round: Round, earlier: EarlierRound | None) -> Round:
    """The round with the trials of the earlier one that lie in its studies.

    The points of each study are drawn as always. A trial of them that the earlier round ran, at the same point and on
    the same seed, has its result from there. The others that lie in the study are trials of it beside those that were
    drawn. Every compared value has as many trials as the others (D9): one that has fewer of those gets more points of
    its own sequence. In a joint study that holds of each combination of its listed values.

    Raises:
        InputError: the points of a study are no sequence that could go on.

    Playbook: E4, D9
    """
    if earlier is None:
        return round
    _refuse(round)
    scope, left = round.scope, Counter[Left]()
    parts = {s.id: _Part(scope, s, {}) for s in round.studies}
    for trial in earlier.trials if not earlier.otherwise else ():
        study, why = _home(round, trial)
        if study is None:
            left[why] += 1
        else:
            parts[study.id].earlier.setdefault(_key(trial.planned), trial.planned)
    most = max((n for part in parts.values() for n in part.beside.values()), default=0)
    studies = tuple(parts[s.id].joined(earlier.round_id, most) for s in round.studies)
    kept = sum(t.kept is not None for s in studies for t in s.trials)
    row = KeptTrials(
        round_id=earlier.round_id, count=kept, left=dict(sorted(left.items())), otherwise=earlier.otherwise
    )
    return round.model_copy(update={"studies": studies, "kept": row})


def kept_text(round: Round) -> str:
    """How many trials are kept, and how many of the earlier round are not and why; "" where none were asked for."""
    row = round.kept
    if row is None:
        return ""
    left = ", ".join(f"{n} {LEFT[why]}" for why, n in row.left.items())  # type: ignore[index]
    if row.count == 0:
        return f"No trial of round {row.round_id} is kept: {row.otherwise or left or 'it ran none'}."
    behind = f"; left behind are {left}" if left else ""
    return f"{row.count} of {plural(len(round.trials), 'trial')} are kept from round {row.round_id}{behind}."


def can_keep(round: Round) -> bool:
    """Whether trials can be kept beside the round's own, or from it: a search whose points are sequences."""
    search = round.scope.goal.facts.purpose == "search" and not round.scope.goal.points
    return search and all((known := sampling_of(s.sampler)) and known.deals for s in round.studies)


def _refuse(round: Round) -> None:
    if not can_keep(round):
        goal = round.scope.goal
        kind = "listed points" if goal.points else f"goals of kind {goal.kind}"
        what = f"sampler={round.scope.sampler}" if goal.facts.purpose == "search" and not goal.points else kind
        raise InputError(
            f"keep: trials are kept where a search goes through a sequence of points (halton, sobol, random), which "
            f"{what} does not; say keep=null."
        )


def _home(round: Round, trial: EarlierTrial) -> tuple[Study | None, Left]:
    """The study in which the trial lies; None, and why none will have it."""
    scope, planned = round.scope, trial.planned
    length = (planned.max_train_steps, planned.eval_every_steps)
    if length != (scope.budget.max_train_steps, scope.budget.eval_every_steps) or planned.settings:
        return None, "length"
    why: Left = "arm"
    for study in round.studies:
        if has_values(planned.point, study.scientific):
            why = misfit(scope, study, planned.point) or "failed"
            if why == "failed" and trial.status in ("complete", "infeasible"):
                return study, why
    return None, why


def misfit(scope: Scope, study: Study, point: Point) -> Left | None:
    """Why the study could not have drawn the point; None where it could.

    A value may lie outside its range, and what the study holds fixed may be there with another value, or not at all.
    """
    there: dict[str, Value] = {**scope.fixed_point, **study.scientific}
    for parameter in study.space:
        if parameter.exists(there):
            if parameter.name not in point:
                return "held"
            if not parameter.holds(point[parameter.name]):
                return "arm" if parameter.name in scope.goal.scientific and not parameter.numeric else "outside"
            there[parameter.name] = point[parameter.name]
    there = without_orphans(scope.declared, there)
    alike = there.keys() == point.keys() and has_values(there, point)
    return None if alike else "held"


_Key = tuple[str, int]
_Cell = tuple[str, ...]


def _key(planned: Planned) -> _Key:
    """What two trials have in common that are one: their point and their seed; 1 and 1.0 are one value."""
    return _plain(planned.point), planned.seed


def _plain(values: Mapping[str, Value | None]) -> str:
    whole = {n: float(v) if isinstance(v, int) and not isinstance(v, bool) else v for n, v in values.items()}
    return canonical(whole)


@dataclass(frozen=True)
class _Part:
    """One study, and the trials of the earlier round that lie in it, by what makes them one with a drawn one."""

    scope: Scope
    study: Study
    earlier: dict[_Key, Planned]

    def cell(self, planned: Planned) -> _Cell:
        """The combination of listed values that the points are dealt to: each has its share of a joint study."""
        dealt = [n for n in self.scope.goal.scientific if n in self.study.space and not self.study.space[n].numeric]
        return tuple(_plain({n: planned.point.get(n)}) for n in dealt)

    @property
    def beside(self) -> Counter[_Cell]:
        """How many of the earlier trials are not among those that were drawn."""
        return self._beside(self.study.trials)

    def _beside(self, drawn: Sequence[Planned]) -> Counter[_Cell]:
        keys = {_key(t) for t in drawn}
        return Counter(self.cell(t) for key, t in self.earlier.items() if key not in keys)

    def joined(self, round_id: str, most: int) -> Study:
        """The study with `most` trials more than were drawn for each of its combinations."""
        drawn = self._drawn(most)
        keys = {_key(t) for t in drawn}
        first = max((t.index for t in drawn), default=-1) + 1
        trials = [t.model_copy(update={"kept": self._whence(round_id, t)}) for t in drawn]
        others = [t for key, t in self.earlier.items() if key not in keys]
        trials += [self._taken(round_id, t, first + i) for i, t in enumerate(others)]
        return self.study.model_copy(update={"trials": tuple(trials), "count": len(trials), "beside": len(others)})

    def _drawn(self, most: int) -> list[Planned]:
        """The drawn trials, and as many more of the sequence as are missing beside the kept ones."""
        drawn, beside = list(self.study.trials), self.beside
        wanted = Counter({cell: most - beside[cell] for cell in {*map(self.cell, drawn), *beside}})
        coming = self._more(len(drawn))
        while any(n > 0 for n in wanted.values()):
            trial = next(coming)
            if wanted[self.cell(trial)] > 0:
                drawn.append(trial)
                wanted[self.cell(trial)] -= _key(trial) not in self.earlier  # else it was counted before
        return drawn

    def _more(self, start: int) -> Iterator[Planned]:
        """The trials of the study's sequence after the first `start`, without end."""
        sampler, block = sampler_for(self.scope, self.study), max(start, 1)
        while True:
            unseen = Observation(point={}, value=None, infeasible=False, pending=True)
            for i, point in enumerate(sampler.suggest(block, (unseen,) * start)):
                yield suggested(self.scope, self.study, point, start + i)
            start += block

    def _whence(self, round_id: str, drawn: Planned) -> str | None:
        kept = self.earlier.get(_key(drawn))
        return None if kept is None else f"{round_id}/{kept.id}"

    def _taken(self, round_id: str, trial: Planned, index: int) -> Planned:
        """The earlier trial as one of this study; its point makes its id, for its index may be that of a drawn one."""
        own = hash_of([self.scope.seed, self.study.id, trial.purpose, "kept", trial.seed, _plain(trial.point)], 12)
        place = {"id": own, "study": self.study.id, "index": index, "pack": None, "kept": f"{round_id}/{trial.id}"}
        return trial.model_copy(update=place)
