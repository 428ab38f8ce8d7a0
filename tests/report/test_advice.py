"""What an audit says to change: the study's own terms, with what was and what should be."""

import pytest

from tasks.report.advice import advice
from tests.scope.example_scopes import REGULARIZERS, scope


@pytest.mark.parametrize(
    ("remedy", "said"),
    [
        ("space.learning_rate.high=1", "learning_rate: high 0.1 -> 1"),
        ("space.width.values=[64,128,256]", "width: values [64,128,256]"),
        ("goal.nuisance=[learning_rate]", "one_minus_momentum: compared (goal.scientific) or fixed"),
        ("budget.trials=48", "trials: 24 -> 48"),
        ("budget.max_train_steps=200", "steps: 100 -> 200"),
        ('acknowledge.E5="no cure"', 'or accept it in writing: acknowledge.E5="no cure"'),
        ("++goal.fixed.regularizer.value=dropout", "goal.fixed.regularizer.value=dropout"),
    ],
)
@pytest.mark.prose
def test_a_remedy_is_told_as_a_change(remedy: str, said: str) -> None:
    assert advice([remedy, remedy], scope(REGULARIZERS)) == said
