"""The ledger of a root owns the incumbent; its YAML stands beside the configuration and is one ledger's alone."""

import errno
import os
from pathlib import Path

import pytest

from flows.before.plan_text import plan_text
from flows.compose.compose import from_overrides
from flows.compose.config import CONF, RoundConfig
from flows.compose.incumbent_yaml import PromotedYaml, read_incumbent, write_incumbent
from flows.session.incumbent import incumbent_places, looked_up, settled, show_incumbent
from flows.session.plan import checked
from flows.session.provenance.fingerprint import differing, fingerprint
from tasks.ledger import Ledger, open_ledger
from tasks.scope.error import InputError
from tasks.scope.goal import Incumbent
from tests.flows.own_round import write_folder

POINT: dict[str, float | str] = {"x": 0.5, "z": 0.4, "switch": "b"}
OTHER: dict[str, float | str] = {"x": 0.1, "z": 0.1, "switch": "a"}


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder that two working folders share."""
    return write_folder(tmp_path / "own")


def config(own: Path, root: Path, *more: str) -> RoundConfig:
    """The configuration of a round of that folder whose store is `root`."""
    said = ["workload=own", "space=own", "goal=own", "tracking.enabled=false", "orchestrate=off"]
    return from_overrides([*said, f"tracking.root={root}", *more], str(own))


def promote(ledger: Ledger, asked: RoundConfig, point: dict[str, float | str]) -> int:
    """The generation that a round of this configuration promotes."""
    generations = ledger.generations("own")
    before = generations[-1].generation if generations else 0
    ledger.begin(f"r{before}", "own", "own", {}, f"key {before}", "2026-01-01")
    assert ledger.promote("own", before, point, f"r{before}", f"round r{before}", {"gain": 1.0}, "2026-01-02")
    won = Incumbent(generation=before + 1, point=dict(point), source=f"round r{before}")
    show_incumbent(ledger, asked, won, {"promoted": "2026-01-02"})
    return won.generation


def shown(own: Path) -> PromotedYaml:
    """What the YAML beside the configuration says."""
    found = read_incumbent(own / "incumbent" / "own.yaml")
    assert found is not None
    return found


def test_the_yaml_stands_beside_the_configuration_and_names_its_ledger(own: Path, tmp_path: Path) -> None:
    asked = config(own, tmp_path / "a")
    with open_ledger(tmp_path / "a") as ledger:
        promote(ledger, asked, POINT)
        assert (shown(own).ledger, shown(own).point) == (ledger.id, POINT)
        assert settled(ledger, asked).generation == 1
    assert not (tmp_path / "a" / "incumbent").exists()
    assert looked_up(asked)[0].point == POINT


def test_two_working_folders_with_one_configuration_do_not_disturb_each_other(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = config(own, tmp_path / "a"), config(own, tmp_path / "b")
    with open_ledger(tmp_path / "a") as a, open_ledger(tmp_path / "b") as b:
        promote(a, first, POINT)
        text = (own / "incumbent" / "own.yaml").read_text()
        assert settled(b, second).generation == 0  # its own baseline
        assert "generation 1 of another ledger" in capsys.readouterr().err
        promote(b, second, OTHER)
        assert (own / "incumbent" / "own.yaml").read_text() == text  # neither read nor written over
        assert settled(b, second).point == OTHER
        assert settled(a, first).point == POINT
    elsewhere = read_incumbent(tmp_path / "b" / "incumbent" / "own.yaml")
    assert elsewhere is not None
    assert elsewhere.point == OTHER


def test_equal_promotions_of_two_working_folders_are_two(own: Path, tmp_path: Path) -> None:
    first, second = config(own, tmp_path / "a"), config(own, tmp_path / "b")
    with open_ledger(tmp_path / "a") as a, open_ledger(tmp_path / "b") as b:
        promote(a, first, POINT)
        text = (own / "incumbent" / "own.yaml").read_text()
        promote(b, second, POINT)  # rounds are deterministic: the same command promotes the same
        settled(b, second)
        promote(b, second, OTHER)
        assert (own / "incumbent" / "own.yaml").read_text() == text
        assert settled(a, first).generation == 1


def test_the_plan_says_that_the_yaml_is_another_ledgers(own: Path, tmp_path: Path) -> None:
    first, second = config(own, tmp_path / "a"), config(own, tmp_path / "b")
    with open_ledger(tmp_path / "a") as a:
        promote(a, first, POINT)
    said = plan_text(checked(second))
    assert "incumbent   generation 0" in said
    assert "generation 1 of another ledger" in said
    assert "adopt=true" in said
    assert "another ledger" not in plan_text(checked(first))


def test_a_clone_goes_on_from_the_yaml_where_it_is_told_to_and_then_writes_it(own: Path, tmp_path: Path) -> None:
    first = config(own, tmp_path / "a")
    with open_ledger(tmp_path / "a") as a:
        promote(a, first, POINT)
    clone = config(own, tmp_path / "b", "adopt=true")
    with open_ledger(tmp_path / "b") as b:
        assert settled(b, clone).point == POINT
        assert (shown(own).ledger, shown(own).generation) == (b.id, 1)  # it is this ledger's from now on
        assert settled(b, config(own, tmp_path / "b")).point == POINT
        assert promote(b, clone, OTHER) == 2
        assert (shown(own).ledger, shown(own).generation) == (b.id, 2)
    with open_ledger(tmp_path / "a") as a:
        assert settled(a, first).generation == 1  # its own goes on beside it
        promote(a, first, OTHER | {"x": 0.3})
        assert shown(own).ledger != a.id


def test_the_yaml_of_what_was_taken_over_names_no_round_of_this_ledger(own: Path, tmp_path: Path) -> None:
    with open_ledger(tmp_path / "a") as a:
        for point in (POINT, OTHER, POINT):
            promote(a, config(own, tmp_path / "a"), point)
    with open_ledger(tmp_path / "b") as b:
        promote(b, config(own, tmp_path / "b"), OTHER)
        assert settled(b, config(own, tmp_path / "b", "adopt=true")).generation == 3
    assert "# promoted by round: -\n" in (own / "incumbent" / "own.yaml").read_text()


def test_what_is_adopted_must_be_ahead(own: Path, tmp_path: Path) -> None:
    with open_ledger(tmp_path / "a") as a, open_ledger(tmp_path / "b") as b:
        promote(a, config(own, tmp_path / "a"), POINT)
        clone = config(own, tmp_path / "b", "adopt=true")
        promote(b, config(own, tmp_path / "b"), OTHER)
        assert settled(b, clone).point == OTHER
        assert shown(own).point == POINT


@pytest.mark.prose
def test_a_generation_ahead_promotes_by_hand_and_one_that_differs_is_refused(own: Path, tmp_path: Path) -> None:
    asked = config(own, tmp_path / "a")
    path = own / "incumbent" / "own.yaml"
    with open_ledger(tmp_path / "a") as ledger:
        promote(ledger, asked, POINT)
        path.write_text(path.read_text().replace("x: 0.5", "x: 0.6"))
        with pytest.raises(InputError, match="give it generation 2"):
            settled(ledger, asked)
        path.write_text(path.read_text().replace("generation: 1", "generation: 2"))
        assert settled(ledger, asked).point == POINT | {"x": 0.6}
        newest = ledger.incumbent("own")
    assert newest is not None
    assert newest.generation == 2


@pytest.mark.prose
def test_what_a_person_wrote_is_never_replaced_without_a_word(own: Path, tmp_path: Path) -> None:
    asked = config(own, tmp_path / "a")
    path = own / "incumbent" / "own.yaml"
    with open_ledger(tmp_path / "a") as ledger:
        promote(ledger, asked, POINT)
        promote(ledger, asked, OTHER)
        for mine in ("", f"ledger: {ledger.id}\n", "ledger: ''\n"):
            path.write_text(f"generation: 1\n{mine}source: me\npoint: {{x: 0.499, z: 0.4, switch: b}}\n")
            with pytest.raises(InputError, match="give it generation 3"):
                settled(ledger, asked)
            assert "0.499" in path.read_text()
        path.write_text(f"generation: 1\nledger: {ledger.id}\nsource: r\npoint: {{x: 0.5, z: 0.4, switch: b}}\n")
        assert settled(ledger, asked).point == OTHER  # one of its own that is behind is written again
    assert shown(own).generation == 2


@pytest.mark.prose
def test_a_yaml_that_is_none_is_one_sentence(own: Path, tmp_path: Path) -> None:
    asked = config(own, tmp_path / "a")
    path = own / "incumbent" / "own.yaml"
    path.mkdir(parents=True)
    with pytest.raises(InputError, match="is a folder; move it away"):
        looked_up(asked)
    path.rmdir()
    path.write_text("generation: 99999999999999999999\nsource: me\npoint: {x: 0.5}\n")
    with pytest.raises(InputError, match=r"incumbent/own.yaml: incumbent.generation: 9+ will not do"):
        looked_up(asked)


def test_a_yaml_that_was_removed_is_written_again(own: Path, tmp_path: Path) -> None:
    asked = config(own, tmp_path / "a")
    with open_ledger(tmp_path / "a") as ledger:
        promote(ledger, asked, POINT)
        (own / "incumbent" / "own.yaml").unlink()
        settled(ledger, asked)
    assert shown(own).point == POINT


def test_a_ledger_made_anew_in_the_same_root_leaves_the_earlier_ones_yaml_alone(tmp_path: Path) -> None:
    asked = from_overrides(["workload=synthetic", "goal=synthetic", f"tracking.root={tmp_path}"])
    point: dict[str, float | str] = {"learning_rate": 0.1}
    path = tmp_path / "incumbent" / "synthetic.yaml"
    path.parent.mkdir()
    path.write_text("generation: 4\nledger: 0123456789ab\nsource: round r\npoint: {learning_rate: 0.3}\n")
    text = path.read_text()
    with open_ledger(tmp_path) as ledger:
        assert settled(ledger, asked).generation == 0
        won = Incumbent(generation=1, point=dict(point), source="round r0")
        show_incumbent(ledger, asked, won, {})
        again = read_incumbent(path.with_name(f"synthetic.{ledger.id}.yaml"))
    assert path.read_text() == text
    assert again is not None
    assert again.generation == 1


@pytest.mark.parametrize("why", [errno.EACCES, errno.EROFS, errno.EEXIST, errno.ENOTDIR])
@pytest.mark.prose
def test_a_folder_that_cannot_be_written_costs_the_view_its_place_and_no_promotion(
    why: int, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(path: Path, *rest: object) -> None:
        if path.is_relative_to(own):
            raise OSError(why, os.strerror(why))
        write_incumbent(path, *rest)  # type: ignore[arg-type]

    other = tmp_path / "a" / "incumbent" / "own.yaml"  # of an earlier ledger of this root
    other.parent.mkdir(parents=True)
    other.write_text("generation: 4\nledger: 0123456789ab\nsource: r\npoint: {x: 0.3}\n")
    monkeypatch.setattr("flows.session.incumbent.write_incumbent", refused)
    with open_ledger(tmp_path / "a") as ledger:
        promote(ledger, config(own, tmp_path / "a"), POINT)
        mine = other.with_name(f"own.{ledger.id}.yaml")
    assert f"cannot be written ({os.strerror(why)})" in capsys.readouterr().err
    assert "0123456789ab" in other.read_text()
    assert "generation: 1" in mine.read_text()


def test_what_a_person_wrote_while_a_round_ran_is_kept(own: Path, tmp_path: Path) -> None:
    asked = config(own, tmp_path / "a")
    path = own / "incumbent" / "own.yaml"
    with open_ledger(tmp_path / "a") as ledger:
        promote(ledger, asked, POINT)
        path.write_text("generation: 2\nsource: me\npoint: {x: 0.499, z: 0.4, switch: b}\n")
        promote(ledger, asked, OTHER)
        assert "0.499" in path.read_text()
        beside = read_incumbent(tmp_path / "a" / "incumbent" / "own.yaml")
    assert beside is not None
    assert beside.point == OTHER


def test_a_full_disk_is_no_matter_of_the_place(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, *rest: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("flows.session.incumbent.write_incumbent", full)
    with open_ledger(tmp_path / "a") as ledger, pytest.raises(OSError, match="No space left"):
        promote(ledger, config(own, tmp_path / "a"), POINT)


def test_a_promotion_is_no_change_of_the_code(own: Path, tmp_path: Path) -> None:
    asked = config(own, tmp_path / "a")
    before = fingerprint(asked)
    with open_ledger(tmp_path / "a") as ledger:
        promote(ledger, asked, POINT)
    assert differing(before, fingerprint(asked)) == {}
    (own / "settings.yaml").write_text("a: 1\n")  # a program's own settings are
    assert set(differing(before, fingerprint(asked))) == {"code"}


def test_nothing_is_written_into_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = incumbent_places("w", CONF.parent / "mlruns", None, "id")
    assert there[0] == CONF / "incumbent" / "w.yaml"  # in a checkout
    monkeypatch.setattr("flows.session.incumbent.CONF", tmp_path / "site-packages" / "tunebook" / "conf")
    for root in (tmp_path / "mlruns", tmp_path / "site-packages" / "tunebook" / "mlruns"):
        assert incumbent_places("w", root, None, "id")[0] == root / "incumbent" / "w.yaml"


def test_two_folders_with_one_workload_name_in_one_ledger_are_warned_of(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write_folder(tmp_path / "other")
    first, second = config(own, tmp_path / "a"), config(other, tmp_path / "a")
    with open_ledger(tmp_path / "a") as ledger:
        frozen = {"config": first.model_dump(mode="json")}
        ledger.begin("r0", "own", "own", frozen, "key", "2026-01-01")
        settled(ledger, first)
        assert capsys.readouterr().err == ""
        settled(ledger, second)
        assert f"was run from {own} before: both share one incumbent" in capsys.readouterr().err
