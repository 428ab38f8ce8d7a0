"""`python -m flows.sync`: MLflow gets what it lacks, once, whatever was lost, and says what it cannot show."""

import shutil
import threading
from pathlib import Path

import pytest

from flows.session.projection import earlier, projection_of, tracking_of
from flows.sync import main
from tasks.ledger import Ledger, open_ledger
from tasks.tracking import Tracking
from tests.faults.mlflow.rounds import TRIALS, lacks, record_in, run, snapshot, write_folder

ALL = "tracking.enabled=true"


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with one round that MLflow has not heard of: it promoted, and its trials saved checkpoints."""
    base = tmp_path_factory.mktemp("sync")
    assert run(write_folder(base / "own", saves=True), base / "root", "tracking.enabled=false") == 0
    return base / "root"


@pytest.fixture
def root(promoted: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(promoted, tmp_path / "root"))


@pytest.fixture
def shown(root: Path) -> Path:
    """The copy, shown in a store of its own."""
    assert main([f"tracking.root={root}", ALL]) == 0
    return root


def moved(root: Path) -> Path:
    """The same root elsewhere: MLflow keeps what it once knew of an address for as long as its process lives."""
    return root.rename(root.with_name("moved"))


def unfinished(ledger: Ledger, done: int) -> str:
    """Another round in the ledger, cut off after some of the first one's trials."""
    first, another = ledger.rounds()[0], "cut-off"
    ledger.own(another)
    ledger.begin(another, first.workload, first.goal, ledger.frozen(first.round_id), "k", first.created)
    planned, results = ledger.planned(first.round_id), ledger.results(first.round_id)
    ledger.plan(another, planned)
    for plan in planned[:done]:
        ledger.finish(another, plan["id"], ledger.start(another, plan["id"]), *results[plan["id"]])
    ledger.interrupt(another)
    return another


@pytest.mark.playbook("J13", case="shows")
@pytest.mark.prose
def test_what_mlflow_lacks_is_shown_with_checkpoints_and_incumbent_and_a_second_time_adds_nothing(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_ledger(root) as ledger:
        picture = projection_of(ledger, ledger.rounds()[0].round_id)
    assert len(picture.checkpoints) == 9
    assert picture.promoted is not None
    capsys.readouterr()
    assert main([f"tracking.root={root}", ALL]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"1 of 1 rounds stand in MLflow; {TRIALS + 2} runs and models are new there"
    ]
    assert lacks(root) == []
    whole, ledger_before = snapshot(root), (root / "ledger.writes").read_text()
    assert main([f"tracking.root={root}", ALL]) == 0
    assert "; 0 runs and models are new there" in capsys.readouterr().out
    assert snapshot(root) == whole
    assert int((root / "ledger.writes").read_text()) - int(ledger_before) <= 1  # that it is owned
    with open_ledger(root) as ledger:
        notes = ledger.projections(picture.round_id)
    assert {row.id for row, _, _ in picture.trials} < set(notes)


def test_a_store_that_was_wiped_is_made_anew(shown: Path) -> None:
    root = moved(shown)
    (root / "mlflow.db").unlink()
    shutil.rmtree(root / "artifacts")
    assert len(lacks(root)) == 1
    assert main([f"tracking.root={root}", ALL]) == 0
    assert lacks(root) == []


def test_artifacts_that_were_lost_are_sent_again_and_runs_are_not(shown: Path) -> None:
    whole = snapshot(shown)
    shutil.rmtree(shown / "artifacts")
    assert main([f"tracking.root={shown}", ALL]) == 0
    assert snapshot(shown) == whole


@pytest.mark.prose
def test_what_has_gone_from_the_disk_is_said_and_left_out(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = record_in(root)
    folder = root / "records" / record.round_id
    (folder / "report.html").unlink()
    best = min((t for t in record.trials if t.purpose == "retrain"), key=lambda t: t.best_value or 0.0)
    (folder / "trials" / best.id / "checkpoints" / "step_60.pt").unlink()
    worst = max((t for t in record.trials if t.purpose == "retrain"), key=lambda t: t.best_value or 0.0)
    shutil.rmtree(folder / "trials" / worst.id)
    capsys.readouterr()
    assert main([f"tracking.root={root}", ALL]) == 0
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3
    assert all("gone" in line for line in said)
    assert any("report.html" in line for line in said)
    assert any("step_60.pt" in line for line in said)
    assert [lack.partition(": ")[2] for lack in lacks(root)] == ["its report.html is another"]


@pytest.mark.prose
def test_a_round_without_mlflow_is_shown_only_where_it_is_asked_for(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    round_id = record_in(root).round_id
    assert main([f"tracking.root={root}"]) == 0
    assert "1 rounds ran with tracking.enabled=false and are left out" in capsys.readouterr().out
    assert not (root / "mlflow.db").exists()
    assert main([f"tracking.root={root}", round_id]) == 0
    assert lacks(root) == []


@pytest.mark.prose
def test_a_round_that_another_process_has_in_hand_is_left_to_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with open_ledger(root) as ledger:
        ledger.own(record_in(root).round_id)
        assert main([f"tracking.root={root}", ALL]) == 0
    said = capsys.readouterr()
    assert "left out: round" in said.err
    assert "0 of 0 rounds stand in MLflow" in said.out
    assert not (root / "mlflow.db").exists()


def test_a_round_that_was_cut_off_is_shown_as_far_as_it_came(root: Path) -> None:
    with open_ledger(root) as ledger:
        another = unfinished(ledger, 3)
    assert main([f"tracking.root={root}", another]) == 0
    with open_ledger(root) as ledger:
        assert [r.state for r in ledger.rounds() if r.round_id == another] == ["interrupted"]
        assert len(projection_of(ledger, another).trials) == 3
    assert main([f"tracking.root={root}", ALL]) == 0
    assert lacks(root) == []


def test_two_syncs_at_once_show_everything_once(root: Path) -> None:
    with open_ledger(root) as ledger:
        unfinished(ledger, 5)
    codes: list[int] = []
    syncs = [threading.Thread(target=lambda: codes.append(main([f"tracking.root={root}", ALL]))) for _ in range(2)]
    for sync in syncs:
        sync.start()
    for sync in syncs:
        sync.join()
    assert codes == [0, 0]
    assert main([f"tracking.root={root}", ALL]) == 0
    assert lacks(root) == []


@pytest.mark.prose
def test_the_next_round_brings_along_one_that_was_killed_before_it_was_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, root = write_folder(tmp_path / "own"), tmp_path / "root"
    with monkeypatch.context() as patch:
        patch.setattr("flows.session.closing._show", lambda *_: None)
        assert run(folder, root) == 0
    assert any("its run is RUNNING" in lack for lack in lacks(root))
    assert run(folder, root, "seed=1") == 0
    assert lacks(root) == []
    said = capsys.readouterr().err.splitlines()
    assert [line for line in said if "warning C4: " not in line] == []  # so few trials are told before they run


def test_earlier_rounds_are_brought_along_once_and_only_to_their_own_mlflow(root: Path) -> None:
    mine = Tracking(root=str(root))
    assert list(earlier(root, mine)) == []  # it ran without MLflow
    with open_ledger(root) as ledger:
        (summary,) = ledger.rounds()
        frozen = ledger.frozen(summary.round_id)
        config = frozen["config"] | {"tracking": {"root": "gone", "uri": None, "enabled": True}}
        text = str(ledger.record(summary.round_id))
        for name in ("one", "two"):
            ledger.own(name)
            ledger.begin(name, summary.workload, summary.goal, frozen | {"config": config}, "k", summary.created)
            ledger.conclude(name, text, str(summary.digest), summary.created)
    assert list(earlier(root, Tracking(root=str(root), uri="http://127.0.0.1:1"))) == []
    assert len(list(earlier(root, mine))) == 4  # each round: its run, and that it is whole
    assert list(earlier(root, mine)) == []


@pytest.mark.prose
def test_what_was_shown_in_another_mlflow_is_still_news_to_its_own(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = f"tracking.uri=sqlite:///{tmp_path}/elsewhere.db"
    for words, new in (([elsewhere], TRIALS + 2), ([], TRIALS + 2), ([elsewhere], 0), ([], 0)):
        assert main([f"tracking.root={root}", ALL, *words]) == 0
        assert f"; {new} runs and models are new there" in capsys.readouterr().out
    assert lacks(root) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tracking.root=ROOT", "nope"], "there is no round 'nope'"),
        (["tracking.root=/nowhere/at/all"], "there is no ledger under /nowhere/at/all"),
        (["tracking.root=ROOT", "tracking.uri=here"], "tracking.uri: 'here' will not do"),
        (["tracking.root=ROOT", "tracking.uri="], "tracking.uri: empty"),
        (["tracking.root=ROOT", "tracking.enabled=yes"], "neither true nor false"),
        (["tracking.rot=mlruns"], "'tracking.rot' cannot be set here"),
        (["--all"], "--help says what can be said"),
    ],
)
@pytest.mark.prose
def test_bad_input_is_one_sentence(root: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([word.replace("ROOT", str(root)) for word in words]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert said in lines[0]


def test_help_says_what_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(word in said for word in ("tracking.root", "tracking.uri", "tracking.enabled", "ROUND"))


@pytest.mark.prose
def test_a_round_whose_configuration_is_of_another_shape_is_left_out(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_ledger(root) as ledger:
        ledger.own("older")
        ledger.begin("older", "own", "own", {"config": {"goal": 1}}, "k", "2026-01-01T00:00:00+00:00")
    assert main([f"tracking.root={root}", ALL]) == 0
    assert "left out: round older has no workload in its configuration" in capsys.readouterr().err


def test_no_password_is_shown_and_none_is_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([f"tracking.root={root}", ALL, "tracking.uri=http://me:topsecret@127.0.0.1:1"]) == 1
    said = capsys.readouterr()
    assert "http://127.0.0.1:1" in said.err
    assert "topsecret" not in said.out + said.err
    stored = {"tracking": {"uri": "http://***@127.0.0.1:1", "enabled": True}}
    assert tracking_of(stored, root).address == "http://127.0.0.1:1"
