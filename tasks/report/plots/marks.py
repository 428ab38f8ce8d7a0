"""Which trial a mark of a plot is, for pointing at it in the page."""

import re
from collections.abc import Callable, Iterable
from html import escape
from urllib.parse import quote, unquote

from tasks.record import Record, TrialRow, Value
from tasks.report.retrains import counted_values, kept_values
from tasks.report.trials import NEVER_LEARNED, feasible, kept_from, never_learned
from tasks.text import number, point_label

NAMED = 12  # hyperparameters that a mark names; the table of trials has all of them
_GROUP = re.compile(r'<g id="([\w-]+)\|([^"]+)">(.*?)\n   </g>', re.DOTALL)  # drawn in an axes, hence so indented
_USE = re.compile(r'<use ([^>]*?) style="([^"]*)"/>')
_PATH = re.compile(r'<path d="([^"]*)"([^>]*?) style="([^"]*)"/>')

Told = Callable[[str], str]


def tag(kind: str, trials: Iterable[str] = ()) -> str:
    """The gid of one call of `plot`: what it draws, and the ids of its marks in their order, if those are trials."""
    return f"{kind}|" + "|".join(quote(id, safe="") for id in trials)


def named(svg: str, told: Told) -> str:
    """The SVG with its tags turned into classes; a mark that is a trial carries its id and says which it is.

    A line has an unseen broad twin, so that it can be pointed at. Where a tag and its marks do not agree in number
    the marks stay nameless: no name is better than a wrong one.
    """
    count = iter(range(len(svg)))

    def group(match: re.Match[str]) -> str:
        kind, ids, body = match[1], [unquote(id) for id in match[2].split("|")], match[3]
        if "<use " in body:
            return _marks(kind, ids, body, told)
        found = _PATH.search(body) if len(ids) == 1 else None
        if found is None:
            return f'<g class="{kind}">{body}\n   </g>'
        drawn, clip, style = found.groups()
        name = f"line{next(count)}"
        return (
            f'<g class="{kind}" data-t="{escape(ids[0])}" tabindex="0" style="{style}"><title>{told(ids[0])}</title>'
            f'<path id="{name}" d="{drawn}"{clip}/><use class="wide" xlink:href="#{name}"/>\n   </g>'
        )

    return re.sub(r'<g id="([\w-]+)\|">', r'<g class="\1">', _GROUP.sub(group, svg))


def _marks(kind: str, ids: list[str], body: str, told: Told) -> str:
    """The group with the style of its marks said once, for all of them."""
    uses = _USE.findall(body)
    if not uses or len({style for _, style in uses}) > 1:
        return f'<g class="{kind}">{body}\n   </g>'
    names = iter(ids if len(ids) == len(uses) else [])

    def use(match: re.Match[str]) -> str:
        id = next(names, None)
        if id is None:
            return f"<use {match[1]}/>"
        return f'<use {match[1]} data-t="{escape(id)}"><title>{told(id)}</title></use>'

    bare = re.sub(r'(<path id="[^"]*" d="[^"]*") style="[^"]*"', r"\1", body)
    return f'<g class="{kind}" style="{uses[0][1]}">{_USE.sub(use, bare)}\n   </g>'


def teller(record: Record) -> Told:
    """What a mark says of its trial when it is pointed at: id, arm, objective, and its hyperparameters; escaped."""
    trials = {t.id: t for t in record.trials}
    arms = {s.id: s.scientific for s in record.studies}
    stuck, counted = never_learned(record), counted_values(record)
    names = list(dict.fromkeys([*record.roles.scientific, *(n for s in record.studies for n in s.space)]))

    def told(id: str) -> str:
        trial = trials.get(id)
        text = "\n".join(_lines(record, trial, arms, names, counted.get(id), stuck) if trial else _kept(record, id))
        return escape(_SEEN.sub("", text))

    return told


_SEEN = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")  # control characters have no place in XML


def _lines(
    record: Record,
    trial: TrialRow,
    arms: dict[str, dict[str, Value]],
    names: list[str],
    counted: float | None,
    stuck: frozenset[str],
) -> Iterable[str]:
    metric = _short(record.objective.metric)
    retrain = trial.purpose == "retrain"
    yield f"{'retrain' if retrain else 'trial'} {trial.id}" + (f" ({trial.study})" if retrain else "")
    if counted is not None and counted != trial.best_value:
        yield f"counts as {number(counted)}, the best mean of its neighbouring evaluations"
    if feasible(trial):
        yield f"{metric} {number(trial.best_value)}" + (f" at step {trial.best_step:,}" if trial.best_step else "")
    else:
        yield f"{trial.status}: {_short(trial.reason, 80)}"
    if trial.id in stuck:
        yield NEVER_LEARNED
    if trial.kept:
        yield kept_from(trial.kept)
    point = arms.get(trial.study, {}) | trial.tried
    yield from (_short(point_label({n: point[n]}), 80) for n in [n for n in names if n in point][:NAMED])


def _kept(record: Record, id: str) -> Iterable[str]:
    yield f"retrain {id} of the incumbent, of an earlier round"
    yield f"{_short(record.objective.metric)} {number(kept_values(record).get(id))}"


def _short(text: str, length: int = 40) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: length - 1] + "…"
