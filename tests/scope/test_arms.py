"""Lists of names in sentences: short ones in full, long ones with how many more there are."""

import pytest

from tasks.scope.arms import brief, in_full

NAMES = [f"optimizer.hyperparameter_{i}" for i in range(6)]


@pytest.mark.parametrize(
    ("names", "said"),
    [([], "nothing"), (["a"], "a"), (["a", "b", "c"], "a, b and c"), (["x" * 80], "x" * 80)],
)
def test_few_names_are_listed_in_full(names: list[str], said: str) -> None:
    assert (brief(names), in_full(names)) == (said, "")


def test_many_names_are_counted_and_told_in_full_in_a_sentence_of_their_own() -> None:
    assert brief(NAMES) == f"{NAMES[0]} and 5 more"
    assert brief(NAMES, 70) == f"{NAMES[0]}, {NAMES[1]} and 4 more"
    assert in_full(NAMES) == f" In full: {', '.join(NAMES[:5])} and {NAMES[5]}."
