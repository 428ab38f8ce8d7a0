"""The page: verdict first, nothing lost, nothing live that a person wrote, nothing loaded from elsewhere."""

import base64
import functools
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tasks.record import Record
from tasks.report.page.page import SCRIPT, page
from tasks.report.page.tables import domain_text, trial_tables
from tasks.report.page.top import top_of
from tasks.report.sentences import answer_sentence
from tasks.text import number, show
from tests.report.example_records import ACKNOWLEDGED, curves_of, example, hostile, joint, with_kept


class Reader(HTMLParser):
    """What a browser would make of the page: its tags with their attributes, and its visible text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.unseen = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.unseen = tag in ("title", "style", "script")

    def handle_endtag(self, tag: str) -> None:
        self.unseen = False

    def handle_data(self, data: str) -> None:
        self.words += [] if self.unseen else [data]

    @property
    def text(self) -> str:
        """The visible text, blanks folded."""
        return " ".join(" ".join(self.words).split())


@functools.cache
def drawn(outcome: str) -> str:
    """The page of the example with that outcome, drawn once for all tests."""
    record = hostile() if outcome == "hostile" else example(outcome)
    return page(record, curves_of(record), record_path="<script>" if outcome == "hostile" else "")


def read(outcome: str) -> Reader:
    return Reader(drawn(outcome))


def undrawn(outcome: str, **changes: Any) -> Record:
    """The example without a trial: a page that is all words and quickly made."""
    return example(outcome, **{"studies": [], "trials": [], "isolation": []} | changes)


@pytest.mark.parametrize(
    ("outcome", "word"),
    [("promote", "Promote"), ("keep", "Keep"), ("retrain", "Retrain"), ("redesign", "Redesign"), ("na", "No verdict")],
)
def test_the_verdict_is_one_word_with_its_reasons(outcome: str, word: str) -> None:
    record = undrawn(outcome)
    text = page(record, {})
    assert f'<span class="word">{word}</span>' in text
    assert f"tone-{outcome}" in text
    assert all(reason in Reader(text).text for reason in record.verdict.reasons)


def test_the_page_says_not_conclusive_when_the_answer_is_not() -> None:
    assert "Not conclusive." in read("redesign").text
    concluded = read("promote").text
    assert "Not conclusive" not in concluded
    assert "optimizer = adam is better than optimizer = nesterov by 0.0049 valid_error." in concluded
    assert "band 0.0021 to 0.0077" in concluded


def test_sections_come_in_the_order_in_which_a_reader_needs_them() -> None:
    text = drawn("promote")
    order = [
        text.index(f">{title}<")
        for title in (
            "Answer",
            "Verdict",
            "How sure",
            "Next",
            "Caveats",
            "What was learned",
            "Findings",
            "Pictures",
            "The round",
        )
    ]
    assert order == sorted(order)


@pytest.mark.playbook("E1", case="shows")
def test_findings_stand_by_severity_with_row_evidence_numbers_thresholds_and_remedy() -> None:
    record, text = example("redesign"), read("redesign").text
    places = [
        text.index(f.evidence) for level in ("fail", "warn", "ok", "na") for f in record.findings if f.level == level
    ]
    assert places == sorted(places)
    assert "edge fraction 0.1" in text
    assert "share 0.2917" in text
    assert "space.adam.learning_rate.high=0.1" in text


@pytest.mark.playbook("E1", case="shows")
def test_an_acknowledged_finding_is_shown_with_the_written_reason_and_does_not_block() -> None:
    text = read("redesign").text
    assert f"Acknowledged in writing: “{ACKNOWLEDGED}”" in text
    assert "1 finding (E2) must be mended first" in text
    unwritten = Reader(page(undrawn("redesign", acknowledged={}), {})).text
    assert "Acknowledged" not in unwritten
    assert "2 findings (E2, E9) must be mended first" in unwritten


def test_a_reason_written_for_a_row_that_found_nothing_stays_on_the_page() -> None:
    text = Reader(page(undrawn("promote", acknowledged={"E5": "the wall is known"}), {})).text
    assert "E5 was acknowledged in writing (“the wall is known”)" in text


def test_the_next_command_and_the_command_to_reproduce_stand_in_blocks_to_copy() -> None:
    record, text = example(), drawn("redesign")
    assert f"<pre>{record.next.command}</pre>" in text
    assert f"<pre>{record.reproduce.command}</pre>" in text
    assert all(f"<pre>{' '.join(f.remedy)}</pre>" in text for f in record.findings if f.remedy)


@pytest.mark.playbook("C3", case="shows")
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


def test_retrains_stand_in_a_table_of_their_own() -> None:
    titles = [(t.title, len(t.rows)) for t in trial_tables(example("promote"))]
    assert titles == [("Trials", 48), ("Retrains (fresh seeds)", 27)]


@pytest.mark.playbook("F15", case="shows")
def test_every_picture_is_on_the_page_without_being_asked() -> None:
    tags = read("promote").tags
    figures = {attrs["id"] for tag, attrs in tags if tag == "figure"}
    names = ("axis", "isolation", "retrains", "curves", "best-of-n", "best-steps")
    assert figures == {f"picture-{name}" for name in names}
    assert sum(tag == "svg" and attrs.get("class") == "plot" for tag, attrs in tags) == 6


def test_hostile_text_is_escaped_wherever_a_person_may_write() -> None:
    whole = drawn("hostile").replace(f"<script>{SCRIPT}</script>", "")  # ours, and no other
    reader = Reader(whole)
    tags = {tag for tag, _ in reader.tags}
    assert not tags & {"script", "img", "iframe", "object", "embed", "link", "base", "form", "a"}
    names = {name for _, attrs in reader.tags for name in attrs}
    assert not [name for name in names if name.startswith("on")]
    assert "<script" not in whole
    assert "javascript:alert(1)" in reader.text  # as text, and in no attribute
    assert not [v for _, attrs in reader.tags for v in attrs.values() if v and "javascript:" in v]
    assert "{{ 7*7 }}" in reader.text  # a template's syntax in a name is not run
    assert "\x1b" not in whole


def test_hostile_text_adds_no_tag_to_those_of_the_clean_page() -> None:
    kinds = [{tag for tag, _ in read(outcome).tags} for outcome in ("redesign", "hostile")]
    assert kinds[0] == kinds[1]


def test_the_page_loads_nothing_from_anywhere() -> None:
    whole = page(example("promote", count=450), {})  # enough trials for embedded pictures
    tags = Reader(whole).tags
    loads = [
        v
        for _, attrs in tags
        for k, v in attrs.items()
        if v and k.split(":")[-1] in ("src", "href", "srcset", "data", "action")
    ]
    assert [v for v in loads if v.startswith("data:image/png")]
    assert all(v.startswith(("#", "data:image/png;base64,")) for v in loads)
    assert not re.findall(r"@import|url\((?!#)", whole)
    policy = next(attrs["content"] for tag, attrs in tags if tag == "meta" and "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    (script,) = re.findall(r"<script>(.*?)</script>", whole, flags=re.DOTALL)
    ours = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{ours}'" in policy


def test_every_reference_inside_the_page_has_its_target() -> None:
    whole = drawn("promote")
    ids = re.findall(r'\bid="([^"]*)"', whole)
    wanted = set(re.findall(r'href="#([^"]*)"', whole)) | set(re.findall(r"url\(#([^)]*)\)", whole))
    assert wanted <= set(ids)


def test_the_page_has_both_modes() -> None:
    whole = drawn("redesign")
    assert '<meta name="color-scheme" content="light dark">' in whole
    assert whole.count("prefers-color-scheme") >= 2


def test_a_round_without_any_feasible_trial_still_makes_a_page() -> None:
    record = example("redesign", feasible=False)
    text = Reader(page(record, {})).text
    assert "no feasible trial" in text
    assert "none feasible" in text
    assert text.count("infeasible valid_error is nan") == 0
    assert text.count("valid_error is nan at step") == 48


def test_a_round_without_trials_studies_or_findings_still_makes_a_page() -> None:
    bare = example("na", studies=[], trials=[], findings=[], isolation=[], learned=[], caveats=[])
    text = Reader(page(bare, {})).text
    assert "There is nothing to draw" in text
    assert "No check was asked." in text


def test_a_joint_study_of_a_continuous_parameter_makes_a_page() -> None:
    text = Reader(page(joint(), {})).text
    assert "dropout.rate scientific 0 to 0.8" in text
    assert "all trials" in text


def test_the_page_of_two_thousand_trials_is_drawn_and_small() -> None:
    record = example("promote", count=1000)
    whole = page(record, {})
    assert len([t for t in record.trials if t.purpose == "search"]) == 2000
    assert len(whole.encode()) * 5 < 15_000_000  # ten thousand trials have to stay below 15 MB
    assert len(re.findall(r"<tr( class=\w+)* data-t=", whole)) == 2029


def test_the_path_of_the_record_is_named() -> None:
    assert (
        "drawn from somewhere/record.json"
        in Reader(page(undrawn("keep"), {}, record_path="somewhere/record.json")).text
    )


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


def test_the_first_screen_says_how_sure_it_is_what_noise_there_was_and_what_the_reader_must_not_forget() -> None:
    text = read("promote").text
    assert "promoted in at most 5 % of rounds" in text
    assert "2 warn 3 ok 2 not checked" in text
    assert "Holds only for width = 128, batch_size = 64." in text
    assert "Nothing was retrained" in read("redesign").text
    assert "either may be the better one" in read("redesign").text


def test_the_noise_of_each_arm_is_that_of_its_last_look_even_if_another_comparison_ended_early() -> None:
    record = example("promote")
    looks = {
        "finalist-incumbent.3": (0.1, 0.2),
        "finalist-incumbent.9": (0.3, 0.4),
        "baseline-incumbent.3": (0.5, 0.2),
    }
    noise = {
        f"{k}.{n}": v for k, pair in looks.items() for n, v in zip(("sd_candidate", "sd_against"), pair, strict=True)
    }
    gated = record.model_copy(update={"verdict": record.verdict.model_copy(update={"noise": noise})})
    text = Reader(page(gated, {})).text
    assert "SD of one configuration's retrains: 0.3 (finalist), 0.4 (incumbent), 0.5 (baseline)." in text


def test_an_undecided_gap_names_the_luck_that_its_band_is_of() -> None:
    record = example("retrain")
    answer = record.answer.model_copy(update={"gain": 0.01, "band": (-0.01, 0.03), "conclusive": False})
    noise = {"finalist-baseline.5.low": -0.01, "finalist-baseline.5.high": 0.03}
    searched = record.model_copy(update={"answer": answer})
    retrained = searched.model_copy(update={"verdict": record.verdict.model_copy(update={"noise": noise})})
    assert "which the luck of the search explains" in answer_sentence(searched)
    assert "which the noise of the retrains explains" in answer_sentence(retrained)


def test_where_nothing_is_compared_the_trials_are_not_blamed() -> None:
    roles = example("na").roles.model_copy(update={"scientific": ()})
    record = example("na").model_copy(update={"roles": roles, "findings": ()})
    bare = record.model_copy(update={"answer": record.answer.model_copy(update={"conclusive": False})})
    assert "Nothing was to be compared" in answer_sentence(bare)


def test_retrains_of_earlier_rounds_stand_in_the_table_beside_the_fresh_ones() -> None:
    record = with_kept(example("promote"))
    (table,) = [t for t in trial_tables(record) if t.title.startswith("Retrains")]
    assert [row.cells[1] for row in table.rows][-4:] == ["k0", "k1", "k2", "k3"]
    assert {row.reason for row in table.rows[-4:]} == {"of an earlier round, counts again"}


def test_a_time_that_is_not_known_is_left_out() -> None:
    record = example()
    assert "took 3 min 24 s" in page(record, {})
    assert "took" not in top_of(record.model_copy(update={"finished": record.created})).facts


def test_a_number_is_written_alike_in_the_caveats_and_in_the_roles() -> None:
    assert [number(v) for v in (1e-8, 2.5e-05, 0.1, 3e7)] == [show(v) for v in (1e-8, 2.5e-05, 0.1, 3e7)]
