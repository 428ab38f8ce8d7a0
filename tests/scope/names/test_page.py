"""docs/names.md says what the dictionary says, and has all twenty configurations."""

from tasks.scope.names.dictionary.entry import SOURCES
from tasks.scope.names.recognition import SPELLINGS
from tests.scope.names import page as names_page
from tests.scope.names.more_configurations import CONFIGURATIONS


def test_the_page_is_up_to_date() -> None:
    assert names_page.PAGE.read_text() == names_page.page(), "run python -m tests.scope.names.page"


def test_every_spelling_every_source_and_every_configuration_is_on_it() -> None:
    text = names_page.page()
    assert all(f"`{s.text}` (" in text for s in SPELLINGS)
    assert all(f"| {key} | " in text for key in SOURCES)
    assert all(f"### {one.name}\n" in text for one in CONFIGURATIONS)
