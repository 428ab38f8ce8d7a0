"""Runs README's rounds anew, pastes what they print, and draws README's pictures of their reports.

    python -m tests.docs.readme            run every `<!-- output: NAME -->` in a fresh copy of this tree (minutes)
    python -m tests.docs.readme replay     the same with the trials of the stored rounds (seconds)

A replay does all but the trials anew: checks, gate, verdict, words, pictures. The pictures need chromium; those of
servers (`SERVED` in tests/docs/shown.py) are left as they are.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from flows.compose.called import CONSOLE, called_as
from tasks.record import Record
from tasks.report.page.page import page
from tasks.trials.runners import RUNNERS
from tasks.trials.stored import read_curves
from tests.docs.blocks import ROOT, Block, blocks_of
from tests.docs.replay import Replayed, told_today
from tests.docs.shown import DRAWN, FOLDER, README, SERVED, Shown, shown, source_of, stored

COPIED = ("flows", "tasks", "conf", "pyproject.toml")
SCREEN = {"width": 1200, "height": 900}
_FILES = "files     "  # before the first of the paths that a round prints


def outputs(readme: str) -> list[Block]:
    """The blocks of output of README, in their order."""
    return [block for block in blocks_of("README.md", readme) if block.output[0]]


def run_all(folder: Path) -> dict[str, Shown]:
    """The round of every output, run in a copy of the tree in this folder."""
    for name in COPIED:
        there, here = folder / name, ROOT / name
        shutil.copytree(here, there, ignore=_IGNORED) if here.is_dir() else shutil.copy(here, there)
    rounds: dict[str, Shown] = {}
    for block in outputs(README.read_text(encoding="utf-8")):
        name, other = block.output
        typed = block.text.splitlines()[0].removeprefix("$ ")
        rounds[name] = told = _run(rounds[other].record.next.command if other else typed, folder)
        shutil.copy(
            folder / "mlruns" / "records" / told.record.round_id / told.record.curves, folder / f"{name}.parquet"
        )
    return rounds


_IGNORED = shutil.ignore_patterns("__pycache__", "incumbent")


def _run(command: str, folder: Path) -> Shown:
    """The round that the command runs, with the paths that it printed."""
    print(f"$ {command}", file=sys.stderr, flush=True)
    words = shlex.split(command)
    assert words[0] == "tunebook", f"{command}: README shows the console command"
    environment = os.environ | {"PYTHONPATH": str(folder / "flows" / "entry")}
    before = {*folder.glob("mlruns/records/*")}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    (made,) = {*folder.glob("mlruns/records/*")} - before
    written = (made / "record.json").read_text().replace(str(folder), ".")
    record = Record.model_validate_json(written)
    said = done.stdout.rstrip("\n").splitlines()
    first = max(i for i, line in enumerate(said) if line.startswith(_FILES))
    paths = tuple(line[len(_FILES) :] for line in said[first:])
    told = Shown(command=command, paths=paths, record=record, curves=read_curves(made / record.curves))
    assert told.printed == f"$ {command}\n{done.stdout}", f"{command} printed something else:\n{done.stdout}"
    return told


def replay_all(folder: Path) -> dict[str, Shown]:
    """Every stored round as it would be today, run in this folder."""
    called_as(CONSOLE)
    os.chdir(folder)

    def played(runner: Replayed) -> None:
        RUNNERS["local"] = runner  # type: ignore[assignment]  # an object that opens itself, and no class

    return dict(told_today([*stored()["outputs"]], played))


def store(rounds: Mapping[str, Shown], folder: Path) -> None:
    """Write records and commands in place of those that are stored, and the curves that lie in the folder."""
    FOLDER.mkdir(exist_ok=True)
    for name in {file.stem for file in FOLDER.glob("*.parquet")} - {*rounds}:
        (FOLDER / f"{name}.json").unlink(missing_ok=True)
        (FOLDER / f"{name}.parquet").unlink()
    kept: dict[str, Any] = {"outputs": {}, "pictures": {}}
    for name, round in rounds.items():
        tree = json.loads(round.record.model_dump_json(by_alias=True))
        (FOLDER / f"{name}.json").write_text(json.dumps(tree, separators=(",", ":")))
        if (folder / f"{name}.parquet").is_file():
            shutil.copy(folder / f"{name}.parquet", FOLDER)
        kept["outputs"][name] = {"command": round.command, "paths": list(round.paths)}
    _store(kept)


def pasted(readme: str, printed: Mapping[str, str]) -> str:
    """The text of README with what each round printed between the fences of its block, and nothing else changed."""
    lines = readme.splitlines(keepends=True)
    for block in reversed(outputs(readme)):
        lines[block.line : block.line + len(block.text.splitlines())] = [printed[block.output[0]]]
    return "".join(lines)


def draw() -> None:
    """Draw every picture from its stored round, and store a hash of what each was drawn from."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("the pictures need chromium on the PATH")
    kept = stored()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for picture in DRAWN:
            round = shown(picture.of)
            tab = browser.new_context(viewport=SCREEN, color_scheme="light").new_page()  # type: ignore[arg-type]
            tab.goto(_written(Path(folder), round).as_uri())
            headings = 0
            if picture.part == "first screen":
                tab.screenshot(path=ROOT / picture.file)
                within = f"e => e.filter(h => h.getBoundingClientRect().top < {SCREEN['height']}).length"
                headings = int(tab.eval_on_selector_all("h2", within))
            else:
                tab.locator(f"#picture-{picture.part} svg").screenshot(path=ROOT / picture.file)
            kept["pictures"][picture.file] = {"headings": headings, "source": source_of(picture, round, headings)}
        browser.close()
    _store(kept)


def _written(folder: Path, round: Shown) -> Path:
    """The report of a round as a file."""
    file = folder / "report.html"
    file.write_text(page(round.record, round.curves))
    return file


def _store(kept: dict[str, Any]) -> None:
    (FOLDER / "shown.json").write_text(json.dumps(kept, indent=1) + "\n")


def told() -> Iterator[str]:
    """What was written, and what was left as it is."""
    yield "written: README.md, docs/readme/, " + ", ".join(picture.file for picture in DRAWN)
    yield from (f"left as it is, since it needs a server: {file}, {what}" for file, what in SERVED.items())


def main(arguments: Sequence[str]) -> int:
    """The exit status: 0 once README shows what the rounds print; 2 for a word that there is not."""
    ways = {(): run_all, ("replay",): replay_all}
    way = ways.get(tuple(arguments))
    if way is None:
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        store(way(Path(folder).resolve()), Path(folder))
    text = README.read_text(encoding="utf-8")
    README.write_text(pasted(text, {block.output[0]: shown(block.output[0]).printed for block in outputs(text)}))
    draw()
    print("\n".join(told()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
