"""What is promoted now: the newest of the ledger's generations, else the baseline; the YAML shows it.

The ledger of a root owns the incumbent. Its YAML stands beside the user's own configuration, names the ledger, and may
promote by hand. A YAML of another ledger (two working folders with one configuration, a clone) is neither read nor
written over: this ledger's then stands under its own root. `adopt=true` takes the other one over.
"""

import errno
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from flows.compose.called import near
from flows.compose.config import CONF, RoundConfig
from flows.compose.incumbent_yaml import PromotedYaml, read_incumbent, write_incumbent
from flows.compose.messages import tell
from flows.session.resume import named_round, no_round, resumable_round
from tasks.ledger import Generation, Ledger, open_ledger
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.scope.goal import BUDGET, Incumbent, flat_arguments
from tasks.scope.redaction import LEFT_OUT
from tasks.scope.roles import baseline_incumbent, check_point


@dataclass(frozen=True, kw_only=True)
class View:
    """Where this ledger's incumbent is shown, and what stands there; `other`: the YAML that is another ledger's."""

    path: Path
    there: PromotedYaml | None
    other: tuple[Path, PromotedYaml] | None = None

    @property
    def sentence(self) -> str:
        """What becomes of the YAML of another ledger; empty where there is none."""
        if self.other is None:
            return ""
        path, yaml = self.other
        return (
            f"{near(path)} is generation {yaml.generation} of another ledger ({yaml.ledger}) and is left alone; this "
            f"ledger's own is shown in {near(self.path)} (adopt=true goes on from the other)"
        )


def incumbent_places(workload: str, root: Path, config_dir: str | None, ledger: str) -> tuple[Path, ...]:
    """Where the incumbent may be shown: beside the configuration (in a checkout its `conf/`), else under the root.

    The last is a name that no earlier ledger of the same root has used. Nothing is written into an installed package.
    """
    checkout = (CONF.parent / "pyproject.toml").is_file() and root == CONF.parent / "mlruns"
    own = [Path(config_dir)] if config_dir else [CONF] if checkout else []
    places = [folder / "incumbent" / f"{workload}.yaml" for folder in (*own, root)]
    return (*places, places[-1].with_name(f"{workload}.{ledger}.yaml"))


def view_of(config: RoundConfig, ledger: Ledger | None) -> View:
    """Where this ledger's incumbent is shown. Nothing is written.

    Raises:
        InputError: a YAML that cannot be read.
    """
    id = ledger.id if ledger is not None else "new"
    other = None
    for path in incumbent_places(config.workload.name, config.root, config.config_dir, id):
        there = read_incumbent(path)
        if there is None or not _of_another(there, ledger, config):
            break
        other = other or (path, there)
    return View(path=path, there=there, other=other)


def looked_up(config: RoundConfig) -> tuple[Incumbent, View]:
    """What is promoted now, or was when the round began that the same command resumes. Nothing is written.

    Raises:
        InputError: as `incumbent_now` and, where `resume=` names a round, `named_round`.
    """
    if not (config.root / "ledger.db").exists():
        if config.resume:
            raise no_round(config)
        view = view_of(config, None)
        return incumbent_now(None, config, view), view
    with closing(open_ledger(config.root)) as ledger:
        view = view_of(config, ledger)
        resumed = named_round(ledger, config) if config.resume else resumable_round(ledger, config)
        if resumed is not None:
            return Incumbent.model_validate(ledger.frozen(resumed)["incumbent"]), view
        return incumbent_now(ledger, config, view), view


def incumbent_now(ledger: Ledger | None, config: RoundConfig, view: View) -> Incumbent:
    """What is promoted now: the newest of the ledger's generations and of its YAML, else the baseline.

    Raises:
        InputError: the YAML is not the ledger's, or has what the round has not.
    """
    name, place = config.workload.name, f"incumbent/{config.workload.name}.yaml"
    stored, promoted = ledger.incumbent(name) if ledger else None, view.there
    if promoted is not None and (stored is None or promoted.generation > stored.generation):
        known = {*config.space.names, *config.workload.baseline, *config.goal.scientific}
        stranger = next((p for p in promoted.point if p not in known), None)
        if stranger is not None:
            raise InputError(
                f"{place}: {stranger!r} is no hyperparameter of the space or of the workload's baseline; correct or "
                "remove the file."
            )
        check_point(config.space, promoted.point, place)
        return Incumbent(**promoted.model_dump(exclude={"ledger"}))
    if stored is None or ledger is None:
        return baseline_incumbent(config.workload, config.space)
    if promoted is not None and not _is_own(promoted, ledger, name):
        raise InputError(
            f"{place}: its generation {promoted.generation} is not the ledger's; to promote it by hand give it "
            f"generation {stored.generation + 1}, or remove it to have the ledger's written again."
        )
    return as_incumbent(ledger, stored)


def as_incumbent(ledger: Ledger, stored: Generation) -> Incumbent:
    """A generation of the ledger as the incumbent that a round is gated against."""
    return Incumbent(
        generation=stored.generation,
        point=stored.point,
        settings=stored.settings,
        promoted_with=dict(_ran_on(ledger, stored.round_id)),
        source=stored.source,
    )


def _ran_on(ledger: Ledger, round_id: str | None) -> Iterator[tuple[str, Value | None]]:
    """The number of steps and the workload's arguments of a stored round, as overrides, without secrets."""
    known = round_id is not None and any(r.round_id == round_id for r in ledger.rounds())
    config = ledger.frozen(str(round_id)).get("config", {}) if known else {}
    steps = f"{BUDGET}max_train_steps"
    flat = flat_arguments(config.get("workload", {}).get("arguments", {}))
    yield from ((key, value) for key, value in flat if not (isinstance(value, str) and LEFT_OUT in value))
    if "budget" in config:
        yield steps, config["budget"]["max_train_steps"]


def settled(ledger: Ledger, config: RoundConfig) -> Incumbent:
    """What is promoted now, in both places; says so where the YAML beside the configuration is another ledger's.

    A YAML that is ahead was promoted by hand, or in the ledger that `adopt` takes over. One that is behind is written
    again.
    """
    name, view = config.workload.name, view_of(config, ledger)
    incumbent, stored = incumbent_now(ledger, config, view), ledger.incumbent(name)
    if incumbent.generation > (stored.generation if stored else 0):
        ledger.adopt(name, incumbent.generation, incumbent.point, incumbent.source, incumbent.settings)
    shown = view.there
    if shown is None or shown.generation < incumbent.generation or shown.ledger not in (None, ledger.id):
        by = stored.round_id if stored and stored.generation == incumbent.generation else None
        show_incumbent(ledger, config, incumbent, {"promoted by round": by or "-"})
    for sentence in (view.sentence, _other_folder(ledger, config)):
        if sentence:
            tell(sentence)
    return incumbent


def show_incumbent(ledger: Ledger, config: RoundConfig, incumbent: Incumbent, provenance: Mapping[str, Value]) -> None:
    """Write the YAML that shows the incumbent, unless a later generation of this ledger stands there already.

    The ledger has it in any case: where the folder of the configuration cannot be written, that is said.
    """
    if incumbent.generation == 0:
        return
    name, refused = config.workload.name, ""
    stamped = {**provenance, "ledger": near(config.root / "ledger.db")}
    for path in incumbent_places(name, config.root, config.config_dir, ledger.id):
        there = read_incumbent(path)
        if there is not None and (_of_another(there, ledger, config) or not _is_own(there, ledger, name)):
            continue  # another ledger's, or what a person wrote meanwhile
        if there is not None and there.generation > incumbent.generation:
            return  # a later round was quicker to write
        try:
            write_incumbent(path, incumbent, ledger.id, stamped)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise
            refused = refused or f"warning: {path} cannot be written ({error.strerror}); the incumbent is shown in"
        else:
            if refused:
                tell(f"{refused} {near(path)}")
            return
    if refused:
        tell(f"{refused} the ledger alone")


def _of_another(there: PromotedYaml, ledger: Ledger | None, config: RoundConfig) -> bool:
    """Whether the YAML is another ledger's, and is not to be taken over either (`adopt`)."""
    if there.ledger is None or (ledger is not None and there.ledger == ledger.id):
        return False
    if not config.adopt:
        return True
    newest = ledger.incumbent(config.workload.name) if ledger is not None else None
    if newest is None or there.generation > newest.generation:
        return False
    return not (newest.round_id is None and _same(there, newest))  # taken over already, and not yet written as ours


def _is_own(there: PromotedYaml, ledger: Ledger, workload: str) -> bool:
    """Whether the YAML shows one of the ledger's generations as it is."""
    return any(_same(there, own) for own in ledger.generations(workload))


def _same(there: PromotedYaml, own: Generation) -> bool:
    return (there.generation, there.point, there.settings) == (own.generation, own.point, own.settings)


def _other_folder(ledger: Ledger, config: RoundConfig) -> str:
    """A warning that another folder's workload of this name shares the ledger, and hence the incumbent; else empty."""
    last = next((r.round_id for r in ledger.rounds(config.workload.name)), None)
    before = ledger.frozen(last).get("config", {}).get("config_dir") if last else None
    if before is None or before == config.config_dir or not Path(before).is_dir():
        return ""
    return (
        f"warning: workload {config.workload.name} of this ledger was run from {before} before: both share one "
        "incumbent; tracking.root=PATH gives this one a ledger of its own"
    )
