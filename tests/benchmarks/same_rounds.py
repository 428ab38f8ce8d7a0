"""The same rounds, audits and histories in two checkouts: is all that a person sees of them equal?

    python -m tests.benchmarks.same_rounds BEFORE AFTER [--only NAME] [--json OUT] [--results]

Both have a `.venv`. A scenario (see everyday/scenes.txt) is a few commands, run as they are typed, in BEFORE and then
in AFTER, in a fresh folder of the same name: no path differs but the checkout's own. What cannot be equal is blanked by
its value, read from ledger and records: ids and dates of rounds, seconds, git's commit and diff, the fingerprint,
MLflow's ids. Exit code 1 where anything else differs, or where a scenario did not do its part; with `--results` where
an exit code or a result does: points, curves, outcomes, gains, findings, whatever form the record has.
"""

import argparse
import difflib
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.benchmarks.everyday.results import results_text

DATA = Path(__file__).resolve().parent / "everyday"
COLUMNS = ("exit", "results", "digest", "terminal", "stderr", "record", "report")
RESULTS = ("exit", "results")
PATIENCE = 600.0  # seconds for one command
STOP_AFTER = 3  # trials that have ended when a round is killed or interrupted
DONE = "select 1 from trials where state = 'done'"
STOPS = {"KILL": (signal.SIGKILL, -signal.SIGKILL), "INT": (signal.SIGINT, 128 + signal.SIGINT)}
SHOWN, WIDTH = 12, 200  # lines of a difference, characters of each
Step = tuple[int, int, str, str]  # the signal that ends it early, its exit code, what is typed, what it must say
_PIPES: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
_COMMIT = r'\n *<span>commit <b class="mono">[0-9a-f]{12}</b></span>'
_DIFF = r"\n *<details [^>]*><summary>Uncommitted changes</summary>.*?</details>"


def scenes() -> dict[str, list[Step]]:
    """The steps of each scenario, with the texts that the @names stand for."""
    found: dict[str, list[Step]] = {}
    texts: dict[str, str] = {}
    for line in (DATA / "scenes.txt").read_text().splitlines():
        name, _, said = line.partition(" ")
        if name.startswith("@"):
            texts[name] = said.lstrip(" =")
        elif line and name != "#":
            said, _, says = said.rpartition("|")
            for macro, text in texts.items():
                said = said.replace(macro, text)
            how, _, rest = said.strip().partition(" ")
            ends = STOPS.get(how) or ((0, int(how)) if how.isdigit() else None)
            scene = found.setdefault(name or list(found)[-1], [])
            scene.append((*(ends or (0, 0)), rest if ends else said.strip(), says.strip()))
    return found


@dataclass
class Stage:
    """A checkout at work in a folder: how its commands ended, with what on output and error, and what went wrong."""

    checkout: Path
    here: Path
    ends: list[tuple[int, str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    halted: int = 0  # trials that a stopped round has by then

    def play(self, step: Step) -> None:
        """Run one command to its end; one to be stopped, once some of its trials have ended."""
        stop, code, words, says = step
        quiet = {k: v for k, v in os.environ.items() if not k.startswith(("PREFECT", "MLFLOW", "TUNEBOOK", "PYTHON"))}
        env = quiet | {"COLUMNS": "100", "PREFECT_HOME": str(self.here / "prefect")}
        command = [str(self.checkout / ".venv/bin/python"), "-m", *self._words(words)]
        done, until = len(self.ask(DONE)) + STOP_AFTER, time.monotonic() + PATIENCE
        run = subprocess.Popen(command, cwd=self.checkout, env=env, text=True, start_new_session=True, **_PIPES)
        while stop and run.poll() is None and len(self.ask(DONE)) < done and time.monotonic() < until:
            time.sleep(0.02)
        if stop:
            run.send_signal(stop)
        try:
            out, err = run.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            run.kill()
            out, err = run.communicate()
        self.ends.append((run.returncode, out, err))
        self.halted = len(self.ask(DONE)) if stop else self.halted
        gone = [name for name in re.findall(r"\S+/record\.json", out) if not Path(name).exists()]
        if run.returncode != code or says not in out + err or gone:
            self.wrong.append(f"{words}: exit {run.returncode}, {gone}, {err[-300:]!r}, wanted {code} and {says!r}")

    def ask(self, query: str, file: str = "store/ledger.db") -> list[tuple[Any, ...]]:
        """The rows of a database in the folder; none where it, or its table, is not there."""
        address = f"file:{self.here / file}?mode=ro"
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(address, uri=True)) as db:
            return db.execute(query).fetchall()
        return []

    def rounds(self) -> list[tuple[Any, ...]]:
        """Id and dates of every round, in the order in which they began."""
        return self.ask("select round_id, created, finished from rounds order by seq")

    def _words(self, said: str) -> list[str]:
        if said == "NEXT":
            return shlex.split(self.ends[-1][1].rpartition("\nnext ")[2].partition("\n")[0])[2:]
        for i, row in enumerate(self.rounds()):
            said = said.replace(f"@{i}", row[0])
        first, *rest = shlex.split(said.replace("@here", str(self.here)))
        return [f"flows.{first}", *rest]


def needs(name: str) -> list[str]:
    """What must be in a scenario's folder before it begins."""
    said = " ".join(words for _, _, words, _ in scenes()[name])
    return sorted({*re.findall("@here/(own|studies)", said), *re.findall("^(?:written|schema_.)", name)})


def make(need: str, before: Path, folder: Path) -> None:
    """Put into a folder what scenarios need; where a program makes it, it is BEFORE's."""
    if need in ("own", "written"):
        shutil.copytree(DATA / "own", folder / "own")
    elif need == "studies":
        (folder / need).mkdir(parents=True)
        made = [before / ".venv/bin/python", DATA / "studies.py"]
        subprocess.run(made, cwd=folder / need, check=True, **_PIPES)
    else:
        (folder / "store").mkdir(parents=True)
        with closing(sqlite3.connect(folder / "store/ledger.db")) as db:
            db.executescript((before / f"tests/ledger/released/{need}.sql").read_text())
    stage = Stage(before, folder)
    for step in scenes()[need] if need == "written" else ():
        stage.play(step)
    if stage.wrong:
        raise RuntimeError(f"{need}: {stage.wrong}")


def blanks(stage: Stage, records: list[Any]) -> dict[str, str]:
    """What differs between two runs of one scenario, and what is put in its place; the longest first."""
    rounds = stage.rounds() + [(r["round_id"], r["created"], r["finished"]) for r in records]
    times = {when for row in rounds for when in row[1:] if when}
    found = {id: "RUN" for (id,) in stage.ask("select mlflow_run_id from projections")}
    found[f"is interrupted: {stage.halted} of "] = "is interrupted: SOME of "
    found |= {id: f"ROUND-{i}" for i, id in enumerate(dict.fromkeys(row[0] for row in rounds))}
    for when in times | {when for (when,) in stage.ask("select created from generations")}:
        found |= {when: "TIME", when[:16].replace("T", " "): "MINUTE", when[:10]: "DATE"}
    found |= {r["reproduce"]["git_commit"]: "COMMIT" for r in records if r["reproduce"]["git_commit"]}
    for mark in (r["reproduce"]["fingerprint"] for r in records if not r["round_id"].startswith("audit-")):
        found |= {mark: "FINGERPRINT", mark[:16]: "FINGERPRINT"}
    return dict(sorted((found | {str(stage.checkout): "CHECKOUT"}).items(), key=lambda item: -len(item[0])))


def took(seconds: float) -> str:
    """A time as terminal and page print it."""
    whole = round(seconds)
    short = f"{seconds:.2g} s" if seconds < 9.95 else f"{whole} s"
    return short if whole < 60 else f"{whole // 60} min {whole % 60} s"


def whole_took(record: Any) -> str:
    """The time of a round as it is printed; "" where it is zero, as that of an audit always is."""
    begun, ended = (datetime.fromisoformat(record[name]) for name in ("created", "finished"))
    return took((ended - begun).total_seconds()) if ended > begun else ""


def terminal(text: str, records: list[Any]) -> str:
    """The text of a terminal report without the times of the rounds, with which its second line may also break."""
    lines = text.split("\n")
    for i, line in enumerate(lines):
        if any(line.startswith(f"{r['workload']} · ") for r in records):
            end = next((j for j in range(i, len(lines)) if not lines[j]), len(lines))
            whole = " ".join(lines[i:end])
            ends = (f" · {whole_took(r)}" for r in records)
            lines[i:end] = [whole.removesuffix(next((end for end in ends if whole.endswith(end)), ""))]
    return "\n".join(lines)


def record_text(text: str) -> str:
    """A record with a line a value, floats as they are written, without a round's seconds, ids, commit and diff."""
    record = json.loads(text, parse_float="float {}".format)
    record["reproduce"] |= dict.fromkeys(("git_commit", "uncommitted_diff"), "-")
    for trial in record["trials"] if not record["round_id"].startswith("audit-") else ():
        trial |= {"seconds": "-", "mlflow_run_id": trial["mlflow_run_id"] and "RUN"}
    return json.dumps(record, indent=1)


def page(text: str, record: Any) -> str:
    """A report with a line an element, without a round's times, commit and diff."""
    times = {t["id"]: took(t["seconds"]) for t in record["trials"]} if record["round_id"][:6] != "audit-" else {}
    lines = text.replace(f" · took {whole_took(record)}<", "<").split("\n")
    for i, line in enumerate(lines):
        trial = re.match(r'<tr[^>]* data-t="([^"]+)"><td class=r>', line)
        if trial and trial[1] in times:
            lines[i] = line.replace(f"<td class=r>{times[trial[1]]}<", "<td class=r>SECONDS<", 1)
    return re.sub(f"{_COMMIT}|{_DIFF}", "", "\n".join(lines), flags=re.DOTALL).replace("<", "\n<")


def seen(stage: Stage) -> dict[str, str]:
    """What a person sees of a scenario, by column, without what differs between two runs of it."""
    files = sorted(stage.here.glob("store/*/*/record.json"))
    texts = [file.read_text() for file in files]
    records = [json.loads(text) for text in texts]
    shown = [file.read_text() for file in sorted(stage.here.glob("*/incumbent/*.yaml"))]
    curves = [hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(stage.here.glob("store/*/*/*.parquet"))]
    for line in (DATA / "views.txt").read_text().splitlines():
        place, _, query = line.partition(": ")
        shown += [terminal("\t".join(map(str, row)), records) for row in stage.ask(query, place)]
    columns = {
        "exit": [str(code) for code, _, _ in stage.ends],
        "results": [*map(results_text, records), *curves],
        "digest": [record["digest"] for record in records],
        "terminal": [terminal(out, records) for _, out, _ in stage.ends],
        "stderr": [err for _, _, err in stage.ends],
        "record": [*map(record_text, texts), *shown, *curves],
        "report": [page(f.with_name("report.html").read_text(), r) for f, r in zip(files, records, strict=True)],
    }
    found = {name: "\n".join(parts) for name, parts in columns.items()}
    for old, new in blanks(stage, records).items():
        found = {name: text.replace(old, new) for name, text in found.items()}
    return found


def compared(before: Path, after: Path, base: Path, name: str) -> dict[str, Any]:
    """What came of a scenario: what went wrong, its seconds, and the difference in each column, "" where equal."""
    saw, wrong, seconds = [], [], []
    for i, checkout in enumerate((before, after)):
        stage = Stage(checkout, base / name)
        stage.here.mkdir()
        for need in needs(name):
            shutil.copytree(base / "made" / need, stage.here, dirs_exist_ok=True)
        begun = time.monotonic()
        for step in scenes()[name]:
            stage.play(step)
        seconds.append(round(time.monotonic() - begun, 1))
        saw.append(dict.fromkeys(COLUMNS, f"what checkout {i + 1} left cannot be read"))
        with suppress(OSError, KeyError, ValueError, TypeError):
            saw[i] = seen(stage)
        wrong += stage.wrong
        shutil.rmtree(stage.here, ignore_errors=True)
    differences = {column: difference(saw[0][column], saw[1][column]) for column in COLUMNS}
    return {"scenario": name, "wrong": wrong, "seconds": seconds, "differences": differences}


def difference(before: str, after: str) -> str:
    """A short unified diff; "" where they are equal."""
    lines = difflib.unified_diff(before.split("\n"), after.split("\n"), "before", "after", n=0, lineterm="")
    return "\n".join(line[:WIDTH] for line in list(lines)[:SHOWN])


def kept(*checkouts: Path) -> set[str]:
    """The files of checkouts where rounds leave theirs by default."""
    return {str(p) for c in checkouts for d in ("conf", "mlruns") for p in (c / d).rglob("*") if p.is_file()}


def main() -> int:
    """The exit code: 0 where all is equal and every scenario did its part, else 1."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--only", default="", metavar="NAME", help="the scenarios with this in their name")
    parser.add_argument("--json", type=Path, metavar="OUT", help="a file for all that was found")
    parser.add_argument("--results", action="store_true", help="judge exit codes and results alone")
    said = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it, and so would rounds
    before, after, found = said.before.resolve(), said.after.resolve(), []
    there = kept(before, after)
    names = [name for name in scenes() if said.only in name and name != "written"]
    print(f"{'scenario':<18}" + "".join(f"{column:<10}" for column in COLUMNS) + "seconds", flush=True)
    with TemporaryDirectory(prefix="same-rounds-") as folder, ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        base = Path(folder)
        list(pool.map(lambda n: make(n, before, base / "made" / n), {need for name in names for need in needs(name)}))
        for row in pool.map(lambda name: compared(before, after, base, name), names):
            cells = "".join(f"{'DIFFERS' if text else 'equal':<10}" for text in row["differences"].values())
            print(f"{row['scenario']:<18}{cells}{row['seconds']}{' FAILED' if row['wrong'] else ''}", flush=True)
            found.append(row)
    judged = RESULTS if said.results else COLUMNS
    bad = [row for row in found if row["wrong"] or any(row["differences"][column] for column in judged)]
    for row in bad:
        texts = {"it did not do its part": "\n".join(row["wrong"]), **{c: row["differences"][c] for c in judged}}
        print(*(f"\n{row['scenario']}, {what}:\n{text}" for what, text in texts.items() if text), sep="\n")
    left = sorted(kept(before, after) - there)
    print(f"\n{len(found) - len(bad)} of {len(found)} scenarios are equal; left behind: {', '.join(left) or 'nothing'}")
    if said.json:
        said.json.write_text(json.dumps({"scenarios": found, "left": left}, indent=1))
    return 1 if bad or left or not found else 0


if __name__ == "__main__":
    sys.exit(main())
