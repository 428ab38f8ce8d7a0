"""Every invariant is asked: a store in which one does not hold is told apart, by its name, from the store as it is."""

import fcntl
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from io import IOBase
from pathlib import Path

import pytest

from tests.faults.kill.invariants import LAWS, Found, violations
from tests.faults.kill.rounds import Bench
from tests.processes.lanes import Ended

Plant = Callable[[Path], object]  # given the store of an undisturbed round


@pytest.fixture(scope="module")
def sound(rounds: Bench, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The user's folder, and beside it the store of a round that nothing disturbed."""
    base = tmp_path_factory.mktemp("sound")
    rounds.undisturbed()
    shutil.copytree(rounds.folder, base / "own")
    shutil.copytree(rounds.store(0), base / "lane" / "store")
    with closing(sqlite3.connect(base / "lane" / "store" / "ledger.db")) as db, db:
        moved = f"replace(result_json, '{rounds.store(0)}', '{base / 'lane' / 'store'}')"
        db.execute(f"update trials set result_json = {moved}")
    return base


@pytest.fixture
def store(sound: Path) -> Iterator[Path]:
    """That store, to be damaged: it is put back afterwards."""
    shutil.copytree(sound, sound.with_name("kept"))
    yield sound / "lane" / "store"
    shutil.rmtree(sound)
    sound.with_name("kept").rename(sound)


def sql(statement: str) -> Plant:
    """Something in the ledger is another."""

    def plant(store: Path) -> None:
        with closing(sqlite3.connect(store / "ledger.db")) as db, db:
            assert db.execute(statement).rowcount > 0

    return plant


def appended(pattern: str, text: str) -> Plant:
    """Something more stands in one of the round's files."""

    def plant(store: Path) -> None:
        path = min((store / "records").glob(f"*/{pattern}"))
        path.write_bytes(path.read_bytes() + text.encode())

    return plant


def locked(store: Path) -> IOBase:
    """Somebody holds the round, until what is returned is closed."""
    file = min(store.glob("records/*/.lock")).open("rb")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


ONE = "rowid = (select min(rowid) from trials)"
PLANTS: dict[str, list[Plant]] = {
    "I1": [sql(f"update trials set state = 'running' where {ONE}"), sql(f"delete from trials where {ONE}")],
    "I2": [
        sql("update attempts set accepted = 0 where rowid = 1"),
        sql("insert into trials select round_id, 'x', purpose, study, idx, planned_json, state, attempt, result_json, "
            f"curve, result_seal, seal from trials where {ONE}"),
        sql("insert into rounds select 9, 'x', workload, goal, config_json, config_hash, state, created, finished, "
            "digest, record_json, parent, outcome, gain, generation, record_seal, seal from rounds"),
    ],
    "I3": [appended("trials/*/reports.jsonl", '{"step": 13}\n'), sql("update rounds set digest = 'x'")],
    "I4": [sql(f"update trials set attempt = 2 where {ONE}"), appended("trials/*/work/done.txt", "12\n")],
    "I5": [
        sql("update generations set generation = 2"),
        sql("update generations set point_json = '{\"x\": 9}'"),
        lambda store: (store / "incumbent" / "own.yaml").write_text("generation: 1\n"),
    ],
    "I6": [sql("update rounds set config_hash = 'x'"), sql(f"update trials set planned_json = '{{}}' where {ONE}")],
    "I7": [
        appended("trials/*/checkpoints/step_12.pt", "x"),
        lambda store: min(store.glob("records/*/trials/*/checkpoints/step_12.pt")).unlink(),
        appended("curves.parquet", "x"),
        lambda store: min(store.glob("records/*/report.html")).write_text("of another"),
        lambda store: shutil.rmtree(min(store.glob("records/*/trials/*/checkpoints"))),
    ],
    "I9": [lambda store: (store / "incumbent" / "own.yaml.1.tmp").touch(), locked],
    "I10": [sql("update generations set evidence_json = '{}'")],
    "I11": [
        lambda store: (store.parents[1] / "own" / "stray").write_text("x"),
        lambda store: (store.parents[1] / "own" / "own.py").write_text("x"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("law", "number"), [(law, i) for law, plants in PLANTS.items() for i in range(len(plants))])
def test_a_store_in_which_it_does_not_hold_is_told(law: str, number: int, rounds: Bench, store: Path) -> None:
    assert violations(store, rounds.expected, 0) == []
    kept = PLANTS[law][number](store)
    assert law in {what.partition(":")[0] for what in violations(store, rounds.expected, 0)}
    if isinstance(kept, IOBase):
        kept.close()


def test_each_law_has_a_plant_and_a_reference_that_can_break_it(rounds: Bench, store: Path) -> None:
    assert {law.__name__.upper() for law in LAWS} == PLANTS.keys()
    found = Found(store, 0)
    assert len(rounds.expected.curves) == len(found.trials) == len(found.tables["attempts"]) >= 8
    assert all(len(curve.splitlines()) == 6 for curve in rounds.expected.curves.values())
    assert len(found.tables["generations"]) == 1


def test_how_a_command_ended_and_what_it_left_is_told(rounds: Bench, store: Path) -> None:
    def told(code: int | None, text: str = "", left: tuple[str, ...] = ()) -> set[str]:
        out = store.with_name("out")
        out.write_text(text)
        ended = Ended(code=code, seconds=1.0, out=out)
        return {what.partition(":")[0] for what in violations(store, rounds.expected, 0, ended, left)}

    assert told(0, "going on with round r") == set()
    assert told(None) == told(1) == told(-9) == {"I8"}
    assert told(0, "Traceback (most recent call last)") == {"I12"}
    assert told(0, left=("17 in /",)) == {"I9"}
