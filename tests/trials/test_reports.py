"""The file of reports, as far as it was written."""

from pathlib import Path

from tasks.trials.reports import read_reports


def test_a_last_line_that_was_cut_off_is_left_out_of_the_curve(tmp_path: Path) -> None:
    path = tmp_path / "reports.jsonl"
    whole = '{"step": 1, "metrics": {"loss": 0.1}}\n{"step": 2, "metrics": {"loss": NaN}}\n'
    for cut in range(len(whole) + 1):
        path.write_text(whole[:cut])
        steps = list(read_reports(path))
        assert steps == [1, 2][: whole[:cut].count("\n")]
