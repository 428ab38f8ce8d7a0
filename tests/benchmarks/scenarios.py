"""The planted suite: studies of which it is known what ails them, and which rows must therefore fire or be silent.

Sizes are in `EFFECT`s: what a third of a range (a decade of three) off the optimum costs. All grey zones stand here,
fixed before anything was scored: an optimum from 15 % inside an edge to 5 % beyond it is in no scenario; a row that
stands in a scenario's `grey` is not scored there. Late noise from half to one and a half times the gap is in none:
that one was moved after a first scoring, with what is planted, from one gap.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tasks.analyze.checks import CHECKS
from tasks.analyze.evidence import Evidence
from tasks.record import Point
from tests.analyze.planted_curves import Floats, Metrics, Rng, falling, planted_round

EFFECT = 0.05
DESCENT = 0.6  # what `falling` falls by
# E2 and E3 are one question (is outward better?) and share one line; F3 is the remedy of F2 and has no row of its own.
ROWS = ("E2/E3", "E5", "E7", "E9", "E10", "F2", "F6", "F7", "F8", "F9", "F10", "H3", "D12", "D13")
Unit = Callable[[Point], Floats]


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Trials a study, hyperparameters that vary, and the SD of a trial's luck as a share of the effect."""

    trials: int = 32
    dimensions: int = 3
    noise: float = 0.25


REFERENCE = Setting()


@dataclass(frozen=True, kw_only=True)
class Curves:
    """How every trial of a study trains; see `falling`. `jitter`: SD of an evaluation in SDs of a trial's luck."""

    pace: float = 0.15
    rise: float = 0.0
    poor_rise: float = 0.0  # of the trials that end more than two effects above the best place
    train_rise: float = 0.0
    early: bool = False  # best at the second of forty evaluations, flat and a little worse from then on
    jitter: float = 0.25  # negative: in effects


@dataclass(frozen=True, kw_only=True)
class Land:
    """Where a study's optimum and walls lie, in ranges of the first hyperparameter (its learning rate).

    `optimum` and `wall` are intervals to draw from. `softness` blurs the wall; `diagonal` puts it across learning rate
    and one minus momentum: `wall` is then of the difference of their coordinates, and so is the optimum, in this
    interval. `breaks` of the trials end infeasible wherever they lie. `needle`: a plateau with one well, 0.08 ranges
    wide, around one of the trials. `conditional`: two arms, each with hyperparameters of its own.
    """

    optimum: tuple[float, float] = (0.25, 0.75)
    either_side: bool = False
    wall: tuple[float, float] | None = None
    softness: float = 0.0
    diagonal: tuple[float, float] | None = None
    breaks: float = 0.0
    needle: bool = False
    conditional: bool = False


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """What is planted (`says`), the rows that must fire, and those that are not scored; all others must be silent."""

    name: str
    says: str
    fires: frozenset[str] = frozenset()
    grey: frozenset[str] = frozenset({"F7"})
    land: Land = field(default_factory=Land)
    curves: Curves = field(default_factory=Curves)

    def wanted(self, row: str, setting: Setting) -> bool | None:
        """Whether the row must fire (True), be silent (False), or is not scored here (None).

        D12 asks for the number of trials alone. D13 is scored as silent only from 32 trials in at most 3 dimensions:
        fewer in more leave room that a search should be told of, and how much is a matter of degree.
        """
        if row == "D12":
            return setting.trials <= 20
        if row == "D13" and row not in self.fires and (setting.trials < 32 or setting.dimensions > 3):
            return None
        return True if row in self.fires else None if row in self.grey else False


def _scenario(name: str, says: str, fires: str = "", grey: str = "F7", **parts: Any) -> Scenario:
    return Scenario(name=name, says=says, fires=frozenset(fires.split()), grey=frozenset(grey.split()), **parts)


SCENARIOS: tuple[Scenario, ...] = (
    _scenario("interior", "a bowl, its optimum in the middle half; nothing is wrong"),
    _scenario("just outside", "the optimum 5 to 15 % of the range beyond an edge", "E2/E3", "F7 E7 D13",
              land=Land(optimum=(1.05, 1.15), either_side=True)),
    _scenario("outside", "the optimum 17 to 33 % of the range beyond an edge", "E2/E3", "F7 E7 D13",
              land=Land(optimum=(1.17, 1.33), either_side=True)),
    _scenario("wall", "the optimum 5 to 20 % beyond a threshold of divergence", "E5", "F7 E7 E9 D13",
              land=Land(optimum=(0.87, 0.98), wall=(0.78, 0.82))),
    _scenario("soft wall", "the same, but divergence sets in over a tenth of the range", "E5", "F7 E7 E9 D13",
              land=Land(optimum=(0.87, 0.98), wall=(0.78, 0.82), softness=0.03)),
    _scenario("diagonal wall", "divergence sets in at a ratio of learning rate to one minus momentum", "E5",
              "F7 E2/E3 E7 E9 D13", land=Land(diagonal=(0.3, 0.3), wall=(0.1, 0.2))),
    _scenario("harmless wall", "divergence a third of the range above the optimum, and much of it", "E9", "F7 D13",
              land=Land(optimum=(0.17, 0.23), wall=(0.52, 0.6))),
    _scenario("harmless diagonal wall", "divergence at a ratio, half the range or more above the optimum's", "",
              "F7 E9 D13", land=Land(diagonal=(-0.35, -0.15), wall=(0.3, 0.4))),
    _scenario("bug", "a quarter of the trials breaks, wherever they lie", "E10", "F7 E5 E9 D13",
              land=Land(breaks=0.25)),
    _scenario("needle", "a plateau with one narrow well that one trial has found", "E7 D13", "F7 E2/E3",
              land=Land(needle=True)),
    _scenario("best overfits", "every trial turns after a third of training", "F2 F6", "F7 F9",
              curves=Curves(rise=0.25)),
    _scenario("some overfit", "only the poor trials turn", "F6", "F7", curves=Curves(poor_rise=0.25)),
    _scenario("still improving", "training ends while the curves still fall", "F8 H3", "F7", curves=Curves(pace=0.5)),
    _scenario("saturated", "nothing is gained after a quarter of training", "F9", "F7", curves=Curves(pace=0.05)),
    _scenario("best at once", "the best step is always in the first tenth", "H3", "F7 F2 F6 F9",
              curves=Curves(early=True)),
    _scenario("rising training loss", "the training loss turns and rises", "F10", "F7", curves=Curves(train_rise=0.3)),
    _scenario("arms", "two arms with hyperparameters of their own, two effects apart", "", "",
              land=Land(conditional=True)),
    _scenario("noisy tail", "the same, but evaluations move by three effects", "F7", "E7 D13 F2 F6 F8 F9 F10 H3",
              land=Land(conditional=True), curves=Curves(jitter=-3.0)),
)  # fmt: skip


def fired(evidence: Evidence) -> set[str]:
    """The rows that warn or fail; E2 and E3 together."""
    found = {f.row for check in CHECKS for f in check(evidence) if f.level in ("warn", "fail")}
    return found | ({"E2/E3"} if found & {"E2", "E3"} else set())


def evidence_of(scenario: Scenario, setting: Setting, seed: int) -> Evidence:
    """One study (two where there are arms) with the scenario's fault, all else drawn from the seed."""
    land, rng = scenario.land, np.random.default_rng([seed, setting.dimensions, setting.trials])
    centre = _centre(scenario, setting, rng, seed)
    bends = rng.uniform(0.5, 2.0, setting.dimensions)
    wall = None if land.wall is None else float(rng.uniform(*land.wall))

    def outcome(point: Point, index: int, own: Rng) -> Metrics | None:
        u = _unit(point, setting.dimensions)
        if _diverges(land, wall, u, own):
            return None
        away = 9.0 * float(bends @ (u - centre) ** 2)
        if land.needle:
            away = 6.0 * (1.0 - np.exp(-float(((u - centre) ** 2).sum()) / (2 * 0.08**2)))
        away += 2.0 * (point.get("optimizer") == "adam")
        return _trained(scenario.curves, away, setting.noise, own)

    return _round(outcome, scenario, setting, seed)


def _round(outcome: Callable[[Point, int, Rng], Metrics | None], scenario: Scenario, s: Setting, seed: int) -> Evidence:
    evaluations = 40 if scenario.curves.early else 20
    changes: dict[str, Any] = {"space": _space(s.dimensions, ""), "trials": s.trials, "seed": seed}
    if scenario.land.conditional:
        changes["space"] = {a: _space(s.dimensions, a) for a in ("nesterov", "adam")}
        changes |= {"scientific": {"optimizer": ["nesterov", "adam"]}, "baseline": {"optimizer": "nesterov"}}
    return planted_round(outcome, evaluations=evaluations, **changes)


def _space(dimensions: int, arm: str) -> dict[str, Any]:
    log = {"low": 1e-4, "high": 1e-1, "scale": "log"}
    space: dict[str, Any] = {"learning_rate": log, "one_minus_momentum": {**log, "low": 1e-3, "high": 1.0}}
    space |= {f"x{j}": {"low": 0.0, "high": 1.0} for j in range(2, dimensions)}
    return {n: {**p, "when": {"optimizer": arm}} for n, p in space.items()} if arm else space


def _unit(point: Point, dimensions: int) -> Floats:
    """(dimensions,) coordinates of the unit cube, under whatever arm they stand."""
    at = {name.rpartition(".")[2]: float(v) for name, v in point.items() if not isinstance(v, str)}
    first = [(np.log10(at["learning_rate"]) + 4) / 3, (np.log10(at["one_minus_momentum"]) + 3) / 3]
    return np.array([*first, *(at[f"x{j}"] for j in range(2, dimensions))])


def _centre(scenario: Scenario, setting: Setting, rng: Rng, seed: int) -> Floats:
    land = scenario.land
    if land.needle:  # beside a trial that the search will visit: which ones it does is known from its seed
        blank = _round(lambda p, i, r: {"valid_error": np.ones(20)}, scenario, setting, seed)
        planned = blank.round.trials[int(rng.integers(setting.trials))]
        return _unit(planned.point, setting.dimensions) + 0.02 * rng.standard_normal(setting.dimensions)
    centre = rng.uniform(0.25, 0.75, setting.dimensions)
    centre[0] = rng.uniform(*land.optimum)
    if land.diagonal:
        half = rng.uniform(*land.diagonal) / 2
        centre[:2] = 0.5 + half, 0.5 - half
    if land.either_side and rng.integers(2):
        centre[0] = 1.0 - centre[0]
    return centre


def _diverges(land: Land, wall: float | None, u: Floats, rng: Rng) -> bool:
    luck = rng.random()
    if wall is None:
        return bool(luck < land.breaks)
    beyond = u[0] - (u[1] if land.diagonal else 0.0) - wall
    return bool(luck < 1 / (1 + np.exp(-beyond / land.softness))) if land.softness else bool(beyond > 0)


def _trained(curves: Curves, away: float, noise: float, rng: Rng) -> Mapping[str, Floats]:
    """The curves of a trial whose place is so many effects from the best; `noise` in effects."""
    level = 0.3 + EFFECT * (away + noise * float(rng.standard_normal()))
    jitter = EFFECT * (-curves.jitter if curves.jitter < 0 else curves.jitter * noise) / DESCENT
    rise = curves.rise or curves.poor_rise * (away > 2.0)
    if curves.early:
        flat = level + 0.1 + 0.1 * np.linspace(0, 1, 38) + DESCENT * jitter * rng.standard_normal(38)
        return {"valid_error": np.concatenate([[level + DESCENT, level], flat])}
    valid = falling(rng, level=level, pace=curves.pace, noise=jitter, rise=rise)
    train = falling(rng, level=level, pace=curves.pace, noise=jitter, rise=curves.train_rise)
    return {"valid_error": valid, "train_loss": train}


def by_name(names: Sequence[str]) -> tuple[Scenario, ...]:
    """The scenarios of these names; all where there are none."""
    return tuple(s for s in SCENARIOS if not names or s.name in names)
