"""What README shows of real rounds is what they print today, and its pictures are of their reports."""

import json
import re
import shutil
from pathlib import Path

import pytest

from flows.compose.called import CONSOLE
from tasks.trials.runners import RUNNERS
from tests.docs import shown as stored_rounds
from tests.docs.blocks import ROOT, blocks_of
from tests.docs.readme import pasted
from tests.docs.replay import NotOnRecord, Replayed, replayed, told_today
from tests.docs.shown import (
    DRAWN,
    FOLDER,
    README,
    SERVED,
    pictures_of,
    shown,
    stale,
    stale_pictures,
    stored,
)

TEXT = README.read_text(encoding="utf-8")
AGAIN = "README is stale: run make readme; where the trials are the same, make readme ARGS=replay does in seconds"
NAMES = [block.output[0] for block in blocks_of("README.md", TEXT) if block.output[0]]


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored rounds, which stands in their place."""
    copy = tmp_path / "stored"
    shutil.copytree(FOLDER, copy)
    monkeypatch.setattr(stored_rounds, "FOLDER", copy)
    return copy


def test_readme_has_what_its_stored_rounds_print() -> None:
    assert stale(TEXT) == [], AGAIN
    assert [*stored()["outputs"]] == NAMES, AGAIN


@pytest.mark.usefixtures("undrawn")
def test_the_rounds_would_print_the_same_today(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNEBOOK_CALLED", CONSOLE)
    for name, told in told_today(NAMES, lambda runner: monkeypatch.setitem(RUNNERS, "local", runner)):
        assert told.printed == shown(name).printed, AGAIN


@pytest.mark.usefixtures("undrawn")
def test_a_trial_that_the_stored_round_did_not_have_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    round = shown(NAMES[0])
    monkeypatch.setitem(RUNNERS, "local", Replayed(round=round))
    with pytest.raises(NotOnRecord):
        replayed(f"{round.command} seed=1", {})


def test_what_is_pasted_takes_the_place_of_the_old_lines_and_of_nothing_else() -> None:
    page = "# A\n<!-- output: one -->\n```\n$ tunebook round\nold\n```\nwords\n<!-- output: two -->\n```\n$ x\n```\nend"
    new = pasted(page, {"one": "$ tunebook round\nnew\nlines\n", "two": "$ y\nz\n"})
    assert new == page.replace("old\n", "new\nlines\n").replace("$ x\n", "$ y\nz\n")
    assert pasted(new, {"one": "$ tunebook round\nold\n", "two": "$ x\n"}) == page


def test_a_number_that_no_round_printed_is_noticed() -> None:
    (first, *_), digit = re.findall(r"band -?(0\.\d+)", TEXT), re.compile(r"\d")
    told = stale(TEXT.replace(first, digit.sub("7", first)))
    assert told
    assert all(sentence.startswith("README.md:") for sentence in told)


def test_another_command_than_the_one_that_was_named_is_noticed(copied: Path) -> None:
    kept = json.loads((copied / "shown.json").read_text())
    name = next(block.output[0] for block in blocks_of("README.md", TEXT) if block.output[1])
    command = kept["outputs"][name]["command"]
    kept["outputs"][name]["command"] = f"{command} seed=1"
    (copied / "shown.json").write_text(json.dumps(kept))
    changed = TEXT.replace(f"$ {command}\n", f"$ {command} seed=1\n")
    assert len(stale(changed)) == 1


def test_an_output_of_no_stored_round_is_noticed(copied: Path) -> None:
    (copied / f"{NAMES[0]}.json").unlink()
    assert any(NAMES[0] in sentence for sentence in stale(TEXT))


def test_the_pictures_are_of_the_stored_rounds() -> None:
    assert stale_pictures() == [], AGAIN


def test_a_picture_of_another_round_is_noticed(copied: Path) -> None:
    of = DRAWN[0].of
    other = next(name for name in NAMES if name != of)
    for suffix in ("json", "parquet"):
        shutil.copy(copied / f"{other}.{suffix}", copied / f"{of}.{suffix}")
    assert {sentence.partition(":")[0] for sentence in stale_pictures()} == {p.file for p in DRAWN if p.of == of}


def test_every_picture_of_readme_is_drawn_by_make_readme_or_is_of_a_server() -> None:
    known = {*SERVED, *(picture.file for picture in DRAWN)}
    assert pictures_of(TEXT) <= known
    assert [file for file in sorted(pictures_of(TEXT)) if not (ROOT / file).is_file()] == []
    assert pictures_of("![one](docs/one.png) [two](docs/two.svg) [page](docs/page.md)") == {
        "docs/one.png",
        "docs/two.svg",
    }
