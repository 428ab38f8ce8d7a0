"""The page as a whole: its order, nothing lost, nothing live that a person wrote, nothing loaded from elsewhere."""

import base64
import hashlib
import re

import pytest

from tasks.report.page.page import SCRIPT, page
from tests.report.example_records import example
from tests.report.odd_records import joint
from tests.report.page.reader import Reader, drawn, read, undrawn


@pytest.mark.prose
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


def test_the_next_command_and_the_command_to_reproduce_stand_in_blocks_to_copy() -> None:
    record, text = example(), drawn("redesign")
    assert f"<pre>{record.next.command}</pre>" in text
    assert f"<pre>{record.reproduce.command}</pre>" in text
    assert all(f"<pre>{' '.join(f.remedy)}</pre>" in text for f in record.findings if f.remedy)


@pytest.mark.playbook("F15", case="shows")
def test_every_picture_is_on_the_page_without_being_asked() -> None:
    tags = read("promote").tags
    figures = {attrs["id"] for tag, attrs in tags if tag == "figure"}
    names = (
        "axis",
        "isolation",
        "retrains",
        "curves",
        "best-of-n",
        "best-steps",
        "gradient-norms",
        "gradient-histogram",
    )
    assert figures == {f"picture-{name}" for name in names}
    assert sum(tag == "svg" and attrs.get("class") == "plot" for tag, attrs in tags) == len(names)


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


@pytest.mark.prose
def test_a_round_without_any_feasible_trial_still_makes_a_page() -> None:
    record = example("redesign", feasible=False)
    text = Reader(page(record, {})).text
    assert "no feasible trial" in text
    assert "none feasible" in text
    assert text.count("infeasible valid_error is nan") == 0
    assert text.count("valid_error is nan at step") == 48


@pytest.mark.prose
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
