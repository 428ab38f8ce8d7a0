"""A ledger whose bytes are not what was written: found at the latest when it is read, or shown to change nothing."""

import random
import re
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tasks.ledger import LedgerError, open_ledger, seals, store, witness
from tests.faults.conftest import Tally, Times
from tests.faults.ledger.children import PLAN, begun, children, killed_while_opening
from tests.ledger.test_schema import RELEASED, everything, restored

FILES = ("ledger.db", "ledger.db-wal", "ledger.writes")


def told(root: Path, stop: Callable[[Path], object]) -> None:
    """A round with all that a ledger holds; `stop` sees the folder while the ledger is still open."""
    with begun(root) as ledger:
        for plan in PLAN:
            ledger.fail("r1", plan["id"], ledger.start("r1", plan["id"]), "killed by SIGKILL")
            ledger.finish("r1", plan["id"], ledger.start("r1", plan["id"]), {"value": 0.1}, bytes(range(256)) * 9)
        ledger.note_projection("r1", "t0", "run-1")
        ledger.promote("digits", 0, {"width": 64}, "r1", "round r1", {"gain": 0.5}, "2026-01-02")
        text = '{"verdict": {"outcome": "promote", "gain": 0.5, "incumbent": {"generation": 0}}, "more": "%s"}'
        ledger.conclude("r1", text % ("x" * 9000), "digest", "2026-01-02")
        ledger.begin("r2", "digits", "depth", {"seed": 1}, "key-2", "2026-01-03", "r1")
        stop(root)


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A ledger that was closed: everything is in the database itself."""
    told(tmp_path / "closed", lambda _: None)
    return tmp_path / "closed"


@pytest.fixture
def cut_off(tmp_path: Path) -> Path:
    """A ledger whose process was killed: most of it is in the write-ahead log."""
    target = tmp_path / "cut_off"
    target.mkdir()
    told(tmp_path / "open", lambda root: [shutil.copy(root / name, target / name) for name in FILES])
    assert (target / "ledger.db-wal").stat().st_size > 50_000
    return target


def contents(root: Path) -> dict[str, Any]:
    """All that can be asked of the ledger, also by what a round looks for."""
    with open_ledger(root) as ledger:
        found = [ledger.unfinished(key) for key in ("key", "key-2")]
        return everything(ledger) | {"found": found, "concluded": ledger.concluded_goals("digits", 0)}


def outcome(root: Path, expected: dict[str, Any]) -> str:
    """What came of the damage: `refused` in a sentence, `harmless`, or what should not be."""
    try:
        return "harmless" if contents(root) == expected else "believed"
    except LedgerError as error:
        return "refused" if "\n" not in str(error) else "no sentence"
    except Exception as error:
        return repr(error)


def flipped(data: bytes, chance: random.Random) -> bytes:
    """The data with one bit turned over."""
    changed = bytearray(data)
    changed[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    """The data without an end of some length."""
    return data[: chance.randrange(len(data))]


def outcomes(sound: Path, name: str, runs: int, damage: Callable[[bytes, random.Random], bytes]) -> list[str]:
    """What came of each damage to one of the files."""
    expected, found = contents(copied(sound, "sound")), []
    for run in range(runs):
        root = copied(sound, "damaged")
        (root / name).write_bytes(damage((root / name).read_bytes(), random.Random(run)))
        found.append(outcome(root, expected))
    return found


def copied(sound: Path, name: str) -> Path:
    """A copy of the ledger beside it, in place of the one before."""
    target = sound.with_name(f"{sound.name}-{name}")
    shutil.rmtree(target, ignore_errors=True)
    return Path(shutil.copytree(sound, target))


def wrong(found: list[str]) -> int:
    """How many were neither refused nor harmless; that none was refused would mean that nothing was damaged."""
    assert set(found) != {"harmless"}
    return sum(one not in ("refused", "harmless") for one in found)


def test_a_flipped_bit_of_the_database_is_refused_or_harmless(closed: Path, times: Times, tally: Tally) -> None:
    found = outcomes(closed, "ledger.db", times(40, 200), flipped)
    tally("B5", "bit flips of ledger.db", len(found), wrong(found))


@pytest.mark.prose
def test_a_flipped_bit_that_sqlite_quotes_in_its_message_is_refused_in_a_sentence(closed: Path) -> None:
    file = closed / "ledger.db"
    schema = b"PRIMARY KEY (round_id, trial_id, attempt"
    assert schema in file.read_bytes()
    file.write_bytes(file.read_bytes().replace(schema, schema[:-1] + bytes([schema[-1] | 0x80])))
    with pytest.raises(LedgerError, match=r"is damaged \(malformed database schema \(attempts\)"):
        open_ledger(closed)


def test_a_flipped_bit_of_the_write_ahead_log_is_refused_or_harmless(cut_off: Path, times: Times, tally: Tally) -> None:
    found = outcomes(cut_off, "ledger.db-wal", times(40, 200), flipped)
    tally("B5", "bit flips of ledger.db-wal after a kill", len(found), wrong(found))


@pytest.mark.parametrize(("kind", "name"), [("closed", "ledger.db"), ("cut_off", "ledger.db-wal")])
def test_a_file_that_was_cut_is_refused_or_harmless(
    kind: str, name: str, request: pytest.FixtureRequest, times: Times, tally: Tally
) -> None:
    found = outcomes(request.getfixturevalue(kind), name, times(15, 100), cut)
    tally("B5", f"truncations of {name}", len(found), wrong(found))


def test_a_flipped_bit_of_the_count_of_writes_never_hides_a_round(closed: Path, times: Times, tally: Tally) -> None:
    found = outcomes(closed, "ledger.writes", times(15, 60), flipped)
    tally("B5", "bit flips of ledger.writes", len(found), wrong(found))


@pytest.mark.parametrize("kind", ["closed", "cut_off"])
@pytest.mark.prose
def test_a_ledger_that_was_removed_or_replaced_by_an_older_one_is_missed(
    kind: str, request: pytest.FixtureRequest
) -> None:
    root: Path = request.getfixturevalue(kind)
    (root / "ledger.db").unlink()
    for _ in range(
        2
    ):  # also the second time: a refusal leaves nothing behind that the next one could take for a ledger
        with pytest.raises(LedgerError, match=r"has lost \d+ of \d+ writes"):
            open_ledger(root)
    (root / "ledger.writes").unlink()  # as the sentence says
    with open_ledger(root) as ledger:
        assert ledger.rounds() == []


@pytest.mark.prose
def test_what_is_damaged_is_never_sealed_anew(tmp_path: Path) -> None:
    with begun(tmp_path) as ledger:
        with sqlite3.connect(tmp_path / "ledger.db") as db:
            db.execute("UPDATE trials SET planned_json = replace(planned_json, '0.1', '0.9')")
            db.execute("UPDATE rounds SET config_json = '{}'")
        db.close()
        for ask in (lambda: ledger.start("r1", "t1"), lambda: ledger.frozen("r1"), lambda: ledger.interrupt("r1")):
            with pytest.raises(LedgerError, match="is damaged") as raised:
                ask()
            assert "put a copy of it back" in str(raised.value)


@pytest.mark.parametrize("sealed", [True, False])
@pytest.mark.parametrize("kept", [b'"gain":', b'"seed":', b"round r1", b"killed by"])
def test_a_flipped_bit_of_a_kept_value_is_refused_and_without_seals_believed(
    closed: Path, monkeypatch: pytest.MonkeyPatch, kept: bytes, sealed: bool
) -> None:
    expected, data = contents(copied(closed, "sound")), (closed / "ledger.db").read_bytes()
    places = [found.start() + 2 for found in re.finditer(re.escape(kept), data)]
    assert places
    if not sealed:
        monkeypatch.setattr(seals, "_row_seal", lambda _, row: row.seal)
    found = []
    for place in places:
        root = copied(closed, "damaged")
        (root / "ledger.db").write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        found.append(outcome(root, expected))
    assert ("believed" in found) is not sealed, found
    assert not sealed or "refused" in found


@pytest.mark.parametrize("checked", [True, False])
def test_a_flipped_bit_of_an_index_hides_a_round_unless_the_file_is_checked(
    closed: Path, monkeypatch: pytest.MonkeyPatch, checked: bool
) -> None:
    expected, data = contents(copied(closed, "sound")), (closed / "ledger.db").read_bytes()
    places = [found.start() for found in re.finditer(b"key-2", data)]
    assert len(places) >= 2  # in the table, and in the index by which a round is looked for
    if not checked:
        monkeypatch.setattr(store, "_check_file", lambda *_: None)
    found = []
    for place in places:
        root = copied(closed, "damaged")
        (root / "ledger.db").write_bytes(data[:place] + b"o" + data[place + 1 :])
        found.append(outcome(root, expected))
    assert ("believed" in found) is not checked
    assert "refused" in found


def test_without_the_count_of_writes_a_flipped_bit_loses_some(cut_off: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "check", lambda *_: None)
    assert wrong(outcomes(cut_off, "ledger.db-wal", 30, flipped)) > 0


def test_every_released_version_opens_wherever_its_migration_was_killed(
    tmp_path: Path, times: Times, tally: Tally
) -> None:
    runs, bad, step = 0, 0, times(9, 1)
    for dump in RELEASED:
        expected = contents_of_version(restored(tmp_path / dump.stem, dump))
        for number in range(1, 1000, step):
            root = restored(tmp_path / f"{dump.stem}-{number}", dump)
            with children() as start:
                process = start(killed_while_opening, root, number)
                process.join()
            before = sqlite3.connect(root / "ledger.db")
            schema = before.execute("SELECT schema FROM meta").fetchone()[0]
            sealed = [row for row in before.execute("PRAGMA table_info(rounds)") if row[1] == "seal"]
            before.close()
            bad += (schema > 1) != bool(sealed) or contents_of_version(root) != expected
            runs += 1
            if process.exitcode == 0:
                break
            assert process.exitcode == -signal.SIGKILL
    assert runs > 2 * len(RELEASED)
    tally("B6", "kills while a ledger of a released version is opened", runs, bad)


def contents_of_version(root: Path) -> dict[str, Any]:
    """All that can be asked of a ledger of any version, once it was migrated."""
    with open_ledger(root) as ledger:
        return everything(ledger)
