"""The type checker finds a misspelt step, a wrong argument of a door and a wrong field of the record."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLANTED = {
    "misspelt_step": 'from flows.steps import PLAIN\n\nPLAIN.analyse_rnd("x")\n',
    "misspelt_step_of_prefect": "from flows.steps import orchestrated\n\norchestrated().desing\n",
    "wrong_argument_of_a_step": "from flows.steps import PLAIN\n\nPLAIN.design(3, 4)\n",
    "wrong_argument_of_a_door": "from flows.steps import orchestrated\n\norchestrated().report(1, 2)\n",
    "wrong_result_of_a_door": (
        "from flows.steps import Steps\nfrom tasks.analyze.study.evidence import Evidence\n\n\n"
        "def f(steps: Steps, evidence: Evidence) -> str:\n"
        '    """The findings."""\n'
        "    return steps.analyze(evidence, lambda e, b: None).findings\n"
    ),
    "wrong_field_of_the_record": (
        "from tasks.record import Record\n\n\ndef f(record: Record) -> str:\n"
        '    """The outcome."""\n    return record.verdict.outcom\n'
    ),
    "wrong_keyword_of_a_row": 'from tasks.record import NextRow\n\nNextRow(command="c", overrides=(), wy="?")\n',
    "wrong_member_of_a_runner": "from tasks.trials.runner import Runner\n\n\ndef f(r: Runner) -> None:\n"
    '    """Stops it."""\n    r.interupt(1.0)\n',
}
CLEAN = (
    "from pathlib import Path\n\nfrom flows.steps import PLAIN, orchestrated\n"
    "from tasks.record import NextRow, Record\n\n\n"
    "def f(record: Record) -> str:\n"
    '    """The outcome, once the report is written."""\n'
    '    PLAIN.report(record, Path("x"))\n    orchestrated().report(record, Path("x"))\n'
    '    NextRow(command="c", overrides=(), why="?")\n    return record.verdict.outcome\n'
)


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What mypy says of each planted file, in one run with the project's own settings."""
    folder = tmp_path_factory.mktemp("planted")
    for name, source in (PLANTED | {"clean": CLEAN}).items():
        (folder / f"{name}.py").write_text(source)
    files = [str(path) for path in sorted(folder.glob("*.py"))]
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if ": error: " in line]
    return {name: [x for x in lines if Path(x.partition(":")[0]).stem == name] for name in (*PLANTED, "clean")}


@pytest.mark.parametrize("name", PLANTED)
def test_the_type_checker_finds(errors: dict[str, list[str]], name: str) -> None:
    assert errors[name]


def test_the_type_checker_is_silent_where_nothing_is_wrong(errors: dict[str, list[str]]) -> None:
    assert errors["clean"] == []
