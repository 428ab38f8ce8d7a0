"""An unfinished round that a tunebook with another record began: refused, with what to do; never half resumed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.compose.compose import from_overrides
from flows.compose.config import RoundConfig
from flows.session.provenance.fingerprint import fingerprint
from flows.session.resume import named_round, unfinished_round
from tasks.ledger import Ledger, open_ledger
from tasks.record import SCHEMA
from tasks.scope.error import InputError


def config(root: Path, *more: str) -> RoundConfig:
    """The configuration of a round in the store."""
    words = ["workload=synthetic", "goal=synthetic", f"tracking.root={root}", "tracking.enabled=false", *more]
    return from_overrides(words)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """A ledger in which three rounds were cut off: of an older tunebook, of a newer one, and of this one."""
    asked = config(tmp_path)
    parts = {name: dict(part) for name, part in fingerprint(asked).items()}
    older = {**parts, "git": {"commit": "0fb99d7aaaabbbb", "diff": ""}}  # when git was tunebook's own
    older.pop("tunebook")
    newer = {**parts, "tunebook": {"version": "9.0", "commit": "0fb99d7aaaabbbb"}}
    with open_ledger(tmp_path) as ledger:
        for name, schema in (("old", {}), ("new", {"schema": SCHEMA + 1}), ("own", {"schema": SCHEMA})):
            of = older if name == "old" else newer if name == "new" else parts
            frozen = {"incumbent": {"settings": {}}, "fingerprint": of, **schema}
            ledger.begin(name, "synthetic", "synthetic", frozen, f"another {name}", "2026-01-01")
        yield ledger


@pytest.mark.parametrize(("name", "schema"), [("old", 1), ("new", SCHEMA + 1)])
def test_resuming_it_by_name_is_refused_with_both_ways_out(
    ledger: Ledger, tmp_path: Path, name: str, schema: int
) -> None:
    with pytest.raises(InputError) as raised:
        named_round(ledger, config(tmp_path, f"resume={name}"))
    said = str(raised.value)
    assert all(word in said for word in (name, f"schema {schema}", "finish it with", "begin anew", "0fb99d7aaaab"))
    assert "\n" not in said


def test_one_of_this_version_is_resumed_by_name(ledger: Ledger, tmp_path: Path) -> None:
    assert named_round(ledger, config(tmp_path, "resume=own")) == "own"


@pytest.mark.prose
def test_the_same_command_begins_a_new_round_and_says_why(
    ledger: Ledger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.own("own")  # it runs, so it is none that could be resumed
    assert unfinished_round(ledger, config(tmp_path), fingerprint(config(tmp_path))) is None
    said = capsys.readouterr().err
    assert "a new round begins: new is unfinished" in said
    assert f"schema {SCHEMA + 1}" in said
