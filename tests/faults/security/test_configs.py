"""Nothing from a configuration runs, reads or writes outside its place: the corpus, from the shell and from a form."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.compose import compose
from flows.round import main
from flows.session.plan import checked
from tasks.scope.error import InputError
from tasks.trials import target
from tests.faults.conftest import Tally, Times
from tests.faults.security.payloads import PAYLOADS, Payload, write


@pytest.fixture(autouse=True)
def words(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("HALF", "system")
    monkeypatch.setenv("QUOTED", "'os.system'")
    path = list(sys.path)
    yield
    sys.path[:] = path


def breaches(payload: Payload, base: Path, form: bool, capsys: pytest.CaptureFixture[str]) -> Iterator[str]:
    """What went wrong with one payload; nothing where it was refused as it should be."""
    typed, canary = write(payload, base)
    there = everything(base)
    code = main(["--config-dir", str(base / "mine"), *typed])
    printed = capsys.readouterr()
    said = [printed.err.removeprefix("error: ").strip()]
    if code != 2 or printed.out or not printed.err.startswith("error: "):
        yield f"the shell ends with {code}"
    if form and not payload.shell_only:
        try:
            checked(compose.from_overrides(typed, str(base / "mine")))
            yield "the form takes it"
        except InputError as error:
            said.append(str(error))
    sys.modules.pop("mine", None)  # a command has one folder of the user's; this process sees several
    for sentence in said:
        if "\n" in sentence or "Traceback" in sentence or not sentence.endswith("."):
            yield f"no sentence: {sentence}"
        yield from (f"{word!r} is not named: {sentence}" for word in payload.says if word not in sentence)
    if canary.exists():
        yield "it was run"
    yield from (f"{path} was written" for path in everything(base) - there)


def everything(base: Path) -> set[Path]:
    """All that lies there but the ledger, which a round that is looked at opens, and Python's caches."""
    found = {p for p in base.rglob("*") if "__pycache__" not in p.parts}
    return {p for p in found if p.parent != base / "store" or p.name == "records"} - {base / "store"}


def test_no_hostile_configuration_runs_reads_or_writes_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], times: Times, tally: Tally
) -> None:
    found, tried = [], PAYLOADS[:: times(2, 1)]
    for i, payload in enumerate(tried):
        form = i % times(3, 1) == 0
        found += [f"{payload.name}: {breach}" for breach in breaches(payload, tmp_path / str(i), form, capsys)]
    assert found == []
    tally("E17 E6", "hostile configurations (S2)", len(tried), len(found))


def test_the_corpus_is_as_large_as_it_says() -> None:
    assert len({(p.typed, tuple(p.files)) for p in PAYLOADS}) >= 40
    assert len({p.name for p in PAYLOADS}) == len(PAYLOADS)


def test_what_is_harmless_in_the_same_places_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inner = "+workload.model={_target_: mine.Model, parts: [{_target_: mine.Model}]}"
    twin = Payload(
        name="a twin",
        typed=(inner, "+workload.word=x", "goal=other", "check=plan"),
        files={
            "goal/part.yaml": "question: Is b better?\nkind: improve\n",
            "goal/other.yaml": "defaults: [part, _self_]\nscientific: {switch: &arms [a, b]}\n",
        },
        says=(),
    )
    typed, _ = write(twin, tmp_path)
    assert main(["--config-dir", str(tmp_path / "mine"), *typed]) == 0
    assert "Is b better?" in capsys.readouterr().out
    sys.modules.pop("mine", None)


def test_without_the_allow_list_the_same_payload_would_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    canary = tmp_path / "canary"
    recipe = {"_target_": "os.system", "command": f"touch {canary}"}
    with pytest.raises(InputError):
        target.bound({"model": recipe}, None)
    assert not canary.exists()
    monkeypatch.setattr(target, "resolve", lambda *_: os.system)
    target.bound({"model": recipe}, None)["model"]()
    assert canary.exists()


POLICIES = (
    *("EXACT.union", "EXACT.__class__", "OURS.join", "_aside.clear", "_aside.update", "resolve", "sys.modules.clear"),
    *("place_of.__globals__.update", "importlib.reload", "setattr", "__dict__.update", "ModuleType"),
)


@pytest.mark.parametrize("address", POLICIES)
def test_no_address_leads_to_the_policy_itself(address: str, tmp_path: Path) -> None:
    before: tuple[Any, ...] = (target.EXACT, target.OURS, set(target._aside))
    (tmp_path / "mine.py").write_text(
        "from tasks.trials import target\nfrom tasks.trials.target import EXACT as exact\n"
    )
    for place in (
        f"tasks.trials.target.{address}",
        f"mine.target.{address}",
        f"mine.exact.{address.partition('.')[2]}",
    ):
        with pytest.raises(InputError):
            target.bound({"_target_": place, "_args_": ["os.system"]}, str(tmp_path))
        with pytest.raises(InputError):
            target.resolve(place, str(tmp_path))
    assert before[:2] == (target.EXACT, target.OURS)
    sys.modules.pop("mine", None)
    for refused in ("os.system", "torch.load"):
        with pytest.raises(InputError):
            target.resolve(refused, None)
