"""The shipped goals played as a chain: every command exactly as the round before printed it. Writes docs/chain.md.

    python -m tests.benchmarks.chain [--workloads digits mnist1d] [--budget quick] [--most 16]

From generation 0 on. The first command is typed; each that follows is the last round's `next.command`, word by word.
The chain ends when every shipped goal was concluded, or after `--most` rounds. What must hold is asserted while it
runs: whatever was promoted is what every later round starts from, generations are linear, and no round warns of a
promotion that it gives up (G9).
"""

import argparse
import json
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tasks.answers import Compared
from tasks.record import Record
from tasks.text import MISSING, number, point_text, show

ROOT = Path(__file__).resolve().parents[2]
GOALS = ("optimizer", "depth", "dropout", "weight_decay")  # the first is typed, the others follow as printed
SHIPPED = {"workload", "space", "tracking.root"}


def played(workload: str, budget: str, most: int, root: Path) -> Iterator[tuple[str, Record]]:
    """`(command, record)` of each round of the chain, in their order."""
    first = f"goal={GOALS[0]} workload={workload} space={workload} budget={budget} orchestrate=off tracking.root={root}"
    command = f"{shlex.quote(sys.executable)} -m flows.round {first}"
    concluded: set[str] = set()
    for _ in range(most):
        before = set(root.glob("records/*"))
        print(f"$ {command}", file=sys.stderr, flush=True)
        subprocess.run(shlex.split(command), cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        (folder,) = set(root.glob("records/*")) - before
        record = Record.model_validate_json((folder / "record.json").read_text())
        yield command, record
        if record.verdict.outcome in ("promote", "keep"):
            concluded.add(goal_of(record))
        if concluded >= set(GOALS):
            return
        following = record.next.command.replace("python -m", f"{shlex.quote(sys.executable)} -m", 1)
        if following in ("", command):
            return  # nothing more is to be asked, or a person mends something first: no override can
        command = following


def goal_of(record: Record) -> str:
    """The goal that the round's command names."""
    return next(o.partition("=")[2] for o in record.reproduce.overrides if o.startswith("goal="))


def held(records: Sequence[Record]) -> None:
    """Assert that what was promoted is what each later round starts from, and that none was warned of giving it up."""
    promoted: dict[str, object] | None = None
    generation = 0
    for record in records:
        start = record.verdict.incumbent
        assert start.generation == generation, f"{record.round_id} starts from generation {start.generation}"
        if promoted is not None:
            assert start.point == promoted, f"{record.round_id} does not start from what was promoted"
            moved = {n: r.value for n, r in record.roles.fixed.items() if promoted.get(n, r.value) != r.value}
            assert not moved, f"{record.round_id} fixes {moved}"
        warned = [f for f in record.findings if f.row == "G9" and f.level == "warn"]
        given_up = [
            f.evidence for f in warned if f.reason != "altered"
        ]  # a remedy may change what the program is given
        assert not given_up, f"{record.round_id}: {given_up}"
        if record.verdict.outcome == "promote" and record.verdict.candidate is not None:
            promoted, generation = dict(record.verdict.candidate.point), generation + 1


def story(workload: str, rounds: Sequence[tuple[str, Record]], folder: Path, root: str) -> Iterator[str]:
    """A table of the rounds, then their commands; their records are written beside the page, without their `root`."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob(f"{workload}-*.json"):
        old.unlink()
    yield f"## {workload}"
    yield ""
    yield "| round | question | starts from | fixed at the incumbent's | tuned | answer | verdict | record |"
    yield "|---|---|---|---|---|---|---|---|"
    for i, (_, record) in enumerate(rounds, 1):
        name = f"{workload}-{i:02}-{goal_of(record)}.json"
        text = json.dumps(json.loads(record.model_dump_json(by_alias=True)), separators=(",", ":"))
        (folder / name).write_text(text.replace(root, "mlruns"))
        fixed = ", ".join(f"{n} = {show(r.value)}" for n, r in record.roles.fixed.items())
        tuned = ", ".join(record.roles.nuisance)
        start = f"generation {record.verdict.incumbent.generation}"
        cells = (
            str(i),
            goal_of(record),
            start,
            fixed,
            tuned,
            _answer(record),
            _verdict(record),
            f"[{i:02}](chain/{name})",
        )
        yield f"| {' | '.join(cells)} |"
    yield ""
    yield "The commands, each but the first as the round before printed it:"
    yield ""
    yield "```bash"
    for command, _ in rounds:
        words = shlex.split(command)[3:]
        yield "tunebook round " + " ".join(shlex.quote(w) for w in words if not w.startswith("tracking.root="))
    yield "```"
    yield ""


def _answer(record: Record) -> str:
    answer = record.answer
    if not isinstance(answer, Compared) or answer.value is None:
        return MISSING
    found = f"{show(answer.value)} over {show(answer.against)}: {number(answer.gain)}"
    return found if answer.conclusive else f"not conclusive ({found})"


def _verdict(record: Record) -> str:
    verdict = record.verdict
    if verdict.outcome != "promote" or verdict.candidate is None:
        blocked = sorted({f.row for f in record.findings if f.level == "fail"})
        return verdict.outcome + (f" ({', '.join(blocked)})" if blocked else "")
    before = verdict.incumbent.point
    changed = {n: v for n, v in verdict.candidate.point.items() if before.get(n) != v}
    return f"**promote** generation {verdict.incumbent.generation + 1}: {point_text(changed)}"


def main(words: Sequence[str]) -> None:
    """Play the chains and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", nargs="+", default=["mnist1d", "digits"])
    parser.add_argument("--budget", default="quick")
    parser.add_argument("--most", type=int, default=16)
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    said = parser.parse_args(words)
    page = [
        "# Four goals in a chain",
        "",
        "Each command but the first is exactly what the round before printed as next. While the chain ran, these were",
        "asserted: every round starts from what was promoted last, fixes none of it elsewhere, and warns of no",
        "promotion that it gives up (G9; a remedy may change an argument of the workload, such as its warmup, and that",
        "is told); generations are linear. Written by `python -m tests.benchmarks.chain` on",
        f"{datetime.now(UTC):%Y-%m-%d}, `budget={said.budget}`.",
        "",
    ]
    for workload in said.workloads:
        with tempfile.TemporaryDirectory() as root:
            rounds = []
            for each in played(workload, said.budget, said.most, Path(root)):
                rounds.append(each)
                held([record for _, record in rounds])
        page += story(workload, rounds, said.docs / "chain", root)
    (said.docs / "chain.md").write_text("\n".join(page).rstrip() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
