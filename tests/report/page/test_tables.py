"""The tables of the page: trials, retrains, roles and domains."""

import pytest

from tasks.report.page.tables import domain_text, trial_tables
from tests.report.example_records import example
from tests.report.odd_records import with_kept
from tests.report.page.reader import read


@pytest.mark.playbook("C3", case="shows")
@pytest.mark.prose
def test_every_caveat_and_every_fixed_role_with_its_reason_is_on_the_page() -> None:
    record, text = example(), read("redesign").text
    assert all(caveat in text for caveat in record.caveats)
    assert all(f.reason in text for f in record.roles.fixed.values())
    assert "nesterov.learning_rate nuisance 0.0001 to 1, log" in text


@pytest.mark.playbook("E8", case="shows")
def test_trials_are_sorted_by_objective_with_the_infeasible_and_their_reasons_at_the_end() -> None:
    record = example("promote")
    table = trial_tables(record)[0]
    values = [float(row.cells[3]) for row in table.rows if not row.bad]
    assert values == sorted(values)
    flags = [row.bad for row in table.rows]
    assert flags == sorted(flags)
    assert sum(flags) == 6
    assert all(row.reason for row in table.rows if row.bad)
    upward = trial_tables(example("promote", direction="maximize"))[0]
    values = [float(row.cells[3]) for row in upward.rows if not row.bad]
    assert values == sorted(values, reverse=True)


def test_the_promoted_trial_is_marked_and_a_kept_one_is_only_the_finalist() -> None:
    record = example("promote")
    assert record.verdict.candidate is not None
    marks = [(row.mark, row.cells[1]) for row in trial_tables(record)[0].rows if row.mark]
    assert marks == [("promoted", record.verdict.candidate.trial)]
    assert [row.mark for row in trial_tables(example("keep"))[0].rows if row.mark] == ["finalist"]
    assert not [row for row in trial_tables(example("redesign"))[0].rows if row.mark]


@pytest.mark.prose
def test_retrains_stand_in_a_table_of_their_own() -> None:
    titles = [(t.title, len(t.rows)) for t in trial_tables(example("promote"))]
    assert titles == [("Trials", 48), ("Retrains (fresh seeds)", 27)]


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        ({"low": 1e-5, "high": 0.1, "scale": "log", "type": "float"}, "1e-5 to 0.1, log"),
        ({"low": 1.0, "high": 6.0, "scale": "linear", "type": "int"}, "1 to 6, int"),
        ({"values": [64, 128]}, "64, 128"),
        ({"choices": ["relu", True]}, "relu, true"),
    ],
)
def test_a_domain_is_written_as_a_person_says_it(tree: dict[str, object], text: str) -> None:
    assert domain_text(tree) == text


@pytest.mark.prose
def test_retrains_of_earlier_rounds_stand_in_the_table_beside_the_fresh_ones() -> None:
    record = with_kept(example("promote"))
    (table,) = [t for t in trial_tables(record) if t.title.startswith("Retrains")]
    assert [row.cells[1] for row in table.rows][-4:] == ["k0", "k1", "k2", "k3"]
    assert {row.reason for row in table.rows[-4:]} == {"of an earlier round, counts again"}
