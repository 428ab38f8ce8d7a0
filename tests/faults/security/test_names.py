"""Names never become paths: 10,000 strange ones, and nothing is written outside the workspace."""

import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from flows.compose import compose
from flows.compose.freeze import option_name
from flows.round import main
from flows.session.incumbent import incumbent_places
from flows.session.plan import checked
from flows.session.session import _label
from tasks.ledger import LedgerError, open_ledger
from tasks.record import Record
from tasks.scope.error import InputError
from tasks.tracking.names import fitting_names
from tests.faults.conftest import Tally, Times
from tests.faults.security.writes import outside, written

PARTS = (
    *(
        "a",
        "Z",
        "0",
        "name",
        ".",
        "..",
        "...",
        "/",
        "//",
        "\\",
        "C:\\",
        "~",
        "~root",
        "$HOME",
        "${oc.env:HOME}",
        "`id`",
        "$(id)",
    ),
    *(
        "-",
        "--",
        "-rf",
        " ",
        "\t",
        "\n",
        "\r",
        "\0",
        "\x1b[31m",
        "\x7f",
        "\x85",
        "\u200b",
        "\u202e",
        "\u2066",
        "\u2028",
    ),
    *(
        "é",
        "e\u0301",
        "ß",
        "İ",
        "日本",
        "🙂",
        "👩\u200d💻",
        "\U0010ffff",
        "\ud800",
        "\udcff",
        "con",
        "NUL",
        "aux.",
        "lpt1.txt",
    ),
    *(
        "%2e%2e%2f",
        "%00",
        "'",
        '"',
        "<script>",
        "&amp;",
        "=",
        ":",
        ",",
        "{",
        "}",
        "[",
        "]",
        "*",
        "?",
        "|",
        ";",
        "#",
        "@",
        "!",
    ),
    *(
        "x" * 300,
        "y" * 64,
        "z" * 65,
        ".hidden",
        "file.yaml",
        "etc/passwd",
        "../../../../etc/x",
        "null",
        "true",
        "1e5",
        ".nan",
    ),
)


def names(count: int, seed: int = 0) -> Iterator[str]:
    """That many strange names; the first are the parts by themselves."""
    draw = random.Random(seed)
    yield from PARTS[:count]
    for _ in range(count - len(PARTS)):
        yield "".join(draw.choices(PARTS, k=draw.choice((1, 2, 2, 3, 5))))


def test_whatever_makes_a_path_of_a_name_refuses_it_or_stays_inside(tmp_path: Path, tally: Tally) -> None:
    root = tmp_path / "store"
    count, wrong = 10_000, []
    with open_ledger(root) as ledger, written() as paths:
        for name in names(count):
            made = [root / "records" / f"{_label(name)}-20260101-000000-abcd"]
            with suppress(LedgerError):
                made.append(ledger.folder(name))
            with suppress(InputError):
                made += incumbent_places(option_name("workload", name), root, str(root / "own"), ledger.id)
            made += [root / "artifacts" / fitted for fitted in fitting_names([name]).values()]
            wrong += [(name, p) for p in made if not _inside(p, root)]
    wrong += [("", Path(p)) for p in outside(paths, tmp_path)]
    assert wrong == []
    tally("E5", "strange names through what makes paths (S4)", count, len(wrong))


def _inside(path: Path, root: Path) -> bool:
    text = str(path)
    if "\0" in text:
        return False
    normal = os.path.normpath(text)
    return normal.startswith(f"{root}{os.sep}") and normal == text


def test_a_path_that_leaves_is_noticed(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    with written() as paths:
        (base / "inside").write_text("")
        (base / ".." / "outside").write_text("")
        (base / "inside").rename(tmp_path / "moved")
        os.close(os.open(tmp_path / "outside", os.O_RDONLY))
    assert outside(paths, base) == {str(tmp_path / "outside"), str(tmp_path / "moved")}
    for made in ("/etc/x", "..", "a/../../x", "a/../x", "a\0"):
        assert not _inside(base / made, base)
    assert _inside(base / "a..b", base)


def own(folder: Path, name: str, other: str) -> None:
    """A folder of one's own in which whatever has a name has a strange one."""
    texts = {
        "space/my.yaml": {name: {"low": 0.0, "high": 1.0}, "switch": {"choices": ["a", other]}},
        "goal/my.yaml": {"question": name, "kind": "improve", "scientific": {"switch": ["a", other]}},
        "workload/my.yaml": {
            "_target_": "named.train",
            "metric": name,
            "objective": {"metric": name, "direction": "minimize"},
            "baseline": {name: 0.5, "switch": "a"},
        },
    }
    for path, tree in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(json.dumps(tree, ensure_ascii=False).encode(errors="surrogatepass"))  # JSON is YAML
    (folder / "named.py").write_text(TRAIN)


TRAIN = """
def train(trial, metric):
    for step in range(trial.eval_every_steps, trial.max_train_steps + 1, trial.eval_every_steps):
        trial.report(step, **{metric: 1.0 / step})
"""


def test_a_plan_of_strange_names_is_a_plan_or_a_sentence(tmp_path: Path, times: Times, tally: Tally) -> None:
    count, wrong, taken = times(8, 400), [], 0
    folder = tmp_path / "own"
    everything = list(names(2 * count, seed=1))
    with written() as paths:
        for name, other in zip(everything[::2], everything[1::2], strict=True):
            own(folder, name, other)
            typed = [
                "workload=my",
                "space=my",
                "goal=my",
                f"notes='{other}'",
                f"tracking.root={tmp_path}/store",
                "orchestrate=off",
            ]
            for more in ([], [f"resume='{name}'"], [f"goal={name}"]):
                try:
                    checked(compose.from_overrides([*typed, *more], str(folder)))
                    taken += 1
                except InputError as error:
                    wrong += [(name, str(error))] if "\n" in str(error) else []
                except LedgerError:
                    pass
    checking = os.path.join(tempfile.gettempdir(), "tunebook-")  # where the child that imports their code says how
    wrong += [("", p) for p in outside(paths, tmp_path) if not p.startswith(checking)]
    assert wrong == []
    assert taken > 0
    assert {p.name for p in tmp_path.iterdir()} == {"own"}  # a plan writes nothing
    tally("E5", "strange names through composition and plan", 3 * count, len(wrong))
    sys.modules.pop("named", None)


NASTY = (
    "../../up",
    "/etc/x",
    "-rf",
    "<script>alert(1)</script>",
    "日本🙂",
    "a b'\"",
    "x" * 300,
    "$\\frac{1}{0}$",
    "C:\\con",
)


@pytest.mark.parametrize("tracked", ["false", pytest.param("true", id="with MLflow")])
def test_a_whole_round_of_strange_names_stays_in_its_workspace(
    tracked: str,
    tmp_path: Path,
    times: Times,
    tally: Tally,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen = NASTY[: times(0 if tracked == "true" else 1, len(NASTY))]
    if not chosen:
        pytest.skip("the secrets' round has MLflow on; make faults does it with names, too")
    wrong: set[str] = set()
    for i, name in enumerate(chosen):
        base = tmp_path / str(i)
        own(base / "own", name, f"{name}\u202e\x1b]0;x\x07")
        (base / "own" / "tmp").mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(base / "own" / "tmp"))  # MLflow's way to write a text
        typed = ["--config-dir", str(base / "own"), "workload=my", "space=my", "goal=my", f"tracking.root={base}/store"]
        typed += [f"tracking.enabled={tracked}", "orchestrate=off", "budget.trials=2", "budget.retrains=1"]
        typed += ["budget.max_train_steps=3", "budget.eval_every_steps=1", "runner.workers=2"]
        with written() as paths:
            assert main(typed) == 0, capsys.readouterr().err
        assert "\x1b" not in capsys.readouterr().out
        (path,) = (base / "store" / "records").glob("*/record.json")
        record = Record.model_validate_json(path.read_text())
        assert record.objective.metric == name
        assert (path.parent / "report.html").stat().st_size > 10_000
        wrong |= outside(paths, base) | {str(p) for p in base.iterdir() if p.name not in ("own", "store")}
        sys.modules.pop("named", None)
    assert wrong == set()
    tally("E5", f"rounds of strange names, MLflow {tracked}", len(chosen), len(wrong))
