"""Names, texts and numbers that MLflow would bend: whole in the ledger, escaped and noted in MLflow."""

import json
import math
import struct
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tasks.record import TrialRow
from tasks.tracking import Handle, Tracking, connect, project_trial
from tasks.tracking.names import NAME_LENGTH, TEXT_LENGTH, fitting_names, fitting_points, fitting_text, gave_way
from tasks.trials.stored import curve_bytes, curve_from
from tasks.trials.trial import Curve
from tests.faults.conftest import Tally, Times

PIECES = (
    "a/b",
    "../../etc/passwd",
    "/root",
    "C:\\x",
    "größe",
    "x" * 300,
    "\u202e",
    "\ud800",
    "😀",
    "tab\t",
    "",
    ".",
    "a//b",
)
NAMES = st.one_of(
    st.text(st.characters(codec=None), max_size=40), st.sampled_from(PIECES), st.text("ab/._ -:", max_size=8)
)
VALUES = st.one_of(st.floats(), st.sampled_from([math.nan, math.inf, -math.inf, 5e-324, 1.7976931348623157e308, -0.0]))
TEXTS = st.one_of(
    st.text(st.characters(codec=None), max_size=50), st.sampled_from(["y" * 9000, "\0", "\ud800", "é" * 6001])
)


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    """A curve whose metrics have any names, among them some that another was going to get in MLflow."""
    steps = sorted(draw(st.sets(st.integers(0, 2**62), max_size=6)))
    names = draw(st.lists(NAMES, unique=True, max_size=6))
    names += [taken for taken in fitting_names(names[:2]).values() if taken not in names]
    columns = {n: np.array(draw(st.lists(VALUES, min_size=len(steps), max_size=len(steps)))) for n in names}
    return Curve(steps=np.array(steps, dtype=np.int64), metrics=columns)


def bits(values: Iterable[float]) -> list[bytes]:
    """Each value to the last bit; whatever a NaN carries means the same."""
    return [b"nan" if math.isnan(v) else struct.pack("<d", v) for v in values]


def kept(curve: Curve) -> bool:
    """Whether the ledger gives back the curve."""
    back = curve_from(curve_bytes(curve))
    return back.steps.tolist() == curve.steps.tolist() and {n: bits(v.tolist()) for n, v in back.metrics.items()} == {
        n: bits(v.tolist()) for n, v in curve.metrics.items()
    }


def restored(tags: Mapping[str, str], names: Iterable[str]) -> list[str]:
    """The names that MLflow's tags say, for those that MLflow has."""
    noted = "".join(text for key, text in tags.items() if key.startswith("tunebook.renamed"))
    renamed = json.loads(noted or "{}")
    return [renamed.get(name, name) for name in names]


def fits(curve: Curve, params: Mapping[str, str]) -> bool:
    """Whether MLflow is given what it takes, two names stay two, and tags say what gave way."""
    names = fitting_names([*curve.metrics, *params])
    texts, tags = {n: fitting_text(v) for n, v in params.items()}, gave_way(names, params)
    cut = [n for n, text in texts.items() if text != params[n]]
    return (
        restored(tags, names.values()) == list(names)
        and all(0 < len(n) <= NAME_LENGTH and ".." not in n.split("/") and n[0] != "/" for n in names.values())
        and all(len(text.encode()) and len(text) <= TEXT_LENGTH for text in [*tags.values(), *texts.values()] if text)
        and bool(cut) == ("tunebook.cut" in tags)
    )


def test_hostile_names_texts_and_numbers_are_whole_in_the_ledger_and_fitted_for_mlflow(
    times: Times, tally: Tally
) -> None:
    runs = 0

    @settings(max_examples=times(300, 10_000), suppress_health_check=list(HealthCheck), database=None)
    @given(curves(), st.dictionaries(NAMES, TEXTS, max_size=4))
    def check(curve: Curve, params: dict[str, str]) -> None:
        nonlocal runs
        runs += 1
        assert kept(curve)
        assert fits(curve, params)

    check()
    tally("C8", "hostile names, texts and numbers, written and read back", runs, 0)


def shown(handle: Handle, number: int, curve: Curve, params: dict[str, str]) -> bool:
    """Whether a trial with them stands in MLflow as in the ledger, but for what its tags say."""
    row = TrialRow(
        id=f"t{number}",
        study="s",
        purpose="search",
        point={**params},
        seed=0,
        max_train_steps=1,
        eval_every_steps=1,
        status="complete",
        seconds=1.0,
    )
    columns = {n: v.tolist() for n, v in curve.metrics.items()}
    run = handle.client.get_run(project_trial(handle, row, curve.steps.tolist(), columns))
    points, _ = fitting_points(curve.steps.tolist(), columns)
    there = {
        (name, metric.step): metric.value
        for fitted, name in zip(run.data.metrics, restored(run.data.tags, run.data.metrics), strict=True)
        for metric in handle.client.get_metric_history(run.info.run_id, fitted)
    }
    wanted = {(name, step): value for name, value, step in points}
    stated = dict(zip(restored(run.data.tags, run.data.params), run.data.params.values(), strict=True))
    return (
        there.keys() == wanted.keys()
        and bits(there[key] + 0.0 for key in wanted) == bits(value + 0.0 for value in wanted.values())  # SQL has no -0
        and stated == {n: fitting_text(v) for n, v in {**params, "seed": "0"}.items()}
    )


def test_hostile_names_texts_and_numbers_stand_in_a_real_store_and_no_file_beside_it(
    tmp_path: Path, times: Times, tally: Tally
) -> None:
    handle = connect(Tracking(root=str(tmp_path / "root")), "own", "hostile")
    runs = 0

    @settings(max_examples=times(6, 500), suppress_health_check=list(HealthCheck), database=None)
    @given(curves(), st.dictionaries(NAMES.filter(lambda n: n != "seed"), TEXTS, max_size=4))
    def check(curve: Curve, params: dict[str, str]) -> None:
        nonlocal runs
        runs += 1
        assert shown(handle, runs, curve, params)

    check()
    assert sorted(p.name for p in (tmp_path / "root").iterdir()) == [".mlflow.lock", "mlflow.db"]
    assert [p.name for p in tmp_path.iterdir()] == ["root"]
    tally("C8", "hostile names, texts and numbers in a real store", runs, 0)
