"""A round that its first trials stop: the same with Prefect, whose flow run has failed, and nothing of it runs on."""

from pathlib import Path

import pytest

from tasks.ledger import open_ledger
from tests.faults.prefect.api import call
from tests.faults.rounds.process import TRAIN, left_in, start, write_folder


@pytest.mark.prose
def test_a_round_of_broken_code_stops_in_prefect_too_and_says_so_once(
    prefect: tuple[Path, str], tmp_path: Path
) -> None:
    home, api = prefect
    folder, store = write_folder(tmp_path / "own"), tmp_path / "store"
    (folder / "own.py").write_text(TRAIN.replace("    done = ", "    trial.suggest_int('x', 0, 1)\n    done = "))
    process = start(folder, store, env={"PREFECT_API_URL": api, "PREFECT_HOME": str(home)})
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 1, said
    assert said.count("AttributeError: a trial of tunebook has no 'suggest_int'") == 1
    assert said.count("Traceback") == 0
    told = [line for line in said.splitlines() if "prefect" in line.lower()]
    assert all(line.startswith("Prefect shows the round at ") for line in told)
    with open_ledger(store) as ledger:
        (row,) = ledger.rounds()
        assert (row.state, ledger.results(row.round_id)) == ("interrupted", {})
    runs = call(f"{api}/flow_runs/filter", {"sort": "START_TIME_DESC", "limit": 1})
    assert [run["state_type"] for run in runs] == ["FAILED"]
    assert not left_in(store)
