"""The tables of the page: trials, retrains, roles and domains."""

import pytest

from tasks.report.page.tables import domain_text, studies_table, trial_tables
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


@pytest.mark.playbook("E4", case="shows")
@pytest.mark.prose
def test_a_trial_that_was_kept_of_an_earlier_round_says_whence_and_the_study_how_many() -> None:
    record = example("promote")
    mine = next(t for t in record.trials if t.status == "complete")
    changed = [t.model_copy(update={"kept": "r1/t9"}) if t.id == mine.id else t for t in record.trials]
    record = record.model_copy(update={"trials": tuple(changed)})
    said = [(row.cells[1], row.reason) for row in trial_tables(record)[0].rows if "kept" in row.reason]
    assert said == [(mine.id, "kept of round r1 (E4), where it is trial t9")]
    assert [s["trials"].count("(1 kept)") for s in studies_table(record)] == [1, 0]


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
