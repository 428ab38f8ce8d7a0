"""What changed since the number of steps was last the same: data, architecture and batch size ask to check it again."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from flows.compose.config import RoundConfig
from flows.session.provenance.fingerprint import Parts
from tasks.ledger import Ledger
from tasks.scope.goal import Incumbent
from tasks.scope.names.recognition import recognise

SHOWN = 3  # changes that a sentence names
DATA = re.compile(r"(?:^|[._])(?:data|dataset|datasets|augment\w*|crop|flip|jitter|mixup|cutmix)(?:$|[._])")
NEED_STEPS = ("architecture", "batch size")  # families of hyperparameters
MODELS = ("model", "network", "net", "arch", "backbone")


def since_steps_were_settled(ledger: Ledger, config: RoundConfig, incumbent: Incumbent, parts: Parts) -> str:
    """A sentence that asks to check the number of steps again, where data, model or batch size changed; or "".

    Held against are the data, the workload's arguments and the incumbent of the last finished round of this workload
    that trained for as many steps. A round of another number of steps is one that checks them.

    Playbook: H5
    """
    for row in ledger.rounds(config.workload.name):
        if row.state != "finished":
            continue
        frozen = ledger.frozen(row.round_id)
        if not _as_long(frozen, config):
            continue
        names = list(dict.fromkeys(_changes(frozen, config, incumbent, parts)))
        if not names:
            return ""
        more = f" and {len(names) - SHOWN} more" * (len(names) > SHOWN)
        changed, steps = f"{', '.join(names[:SHOWN])}{more}", config.budget.max_train_steps
        return (
            f"Since round {row.round_id}, of {steps} steps too, {changed} changed: check the number of steps again "
            "(H5; see F8, F9 and H3)."
        )
    return ""


def _as_long(frozen: Mapping[str, Any], config: RoundConfig) -> bool:
    budget = (frozen.get("config") or {}).get("budget") or {}
    return bool(budget.get("max_train_steps") == config.budget.max_train_steps)


def _changes(frozen: Mapping[str, Any], config: RoundConfig, incumbent: Incumbent, parts: Parts) -> Iterator[str]:
    """The names of what changed: files and folders of data, arguments of the workload, values of the incumbent."""
    before: Mapping[str, Mapping[str, str]] = frozen.get("fingerprint") or {}
    for part in ("data", "folders"):
        was, has = before.get(part, {}), parts.get(part, {})
        yield from (name for name in sorted({*was, *has}) if before and was.get(name) != has.get(name))
    there = dict(_flat((frozen.get("config") or {}).get("workload", {}).get("arguments") or {}, "workload"))
    here = dict(_flat(config.model_dump(mode="json")["workload"]["arguments"], "workload"))
    yield from (n for n in sorted({*there, *here}) if there.get(n) != here.get(n) and _counts(n.partition(".")[2]))
    then, now = (frozen.get("incumbent") or {}).get("point") or {}, incumbent.point
    yield from (n for n in sorted({*then, *now}) if _needs_steps(n) and then.get(n) != now.get(n))


def _counts(name: str) -> bool:
    """Whether an argument of the workload is of its data or its architecture, by its name."""
    return bool(DATA.search(name.lower())) or name.split(".")[0] in MODELS or _needs_steps(name)


def _needs_steps(name: str) -> bool:
    known = recognise(name)
    return known is not None and known.family in NEED_STEPS


def _flat(tree: Mapping[str, Any], place: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}.{key}")
        else:
            yield f"{place}.{key}", value
