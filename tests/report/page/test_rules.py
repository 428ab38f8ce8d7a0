"""The page says how an optimizer's class stands against the playbook's formula, or that it was not compared."""

import numpy as np
import pytest
import torch

from tasks.method import UpdateRuleRow
from tasks.report.page.method import method_text
from tasks.report.page.page import page
from tasks.report.page.rules import AGAINST, against_playbook
from tests.report.example_methods import stated
from tests.report.page.reader import Reader


def rule(implementation: str, **told: str) -> UpdateRuleRow:
    """What a program told of its optimizer."""
    return UpdateRuleRow(trial="t0", implementation=implementation, rule=told)


@pytest.mark.playbook("J20", case="shows")
@pytest.mark.prose
@pytest.mark.parametrize(
    ("implementation", "says"),
    [
        ("torch.optim.rmsprop.RMSprop", "inside the root; v starts at 0, there at 1"),
        ("torch.optim.RMSprop", "do not carry over"),
        ("torch.optim.nadam.NAdam", "momentum_decay lets beta1 grow"),
        ("torch.optim.adamw.AdamW", "sqrt(1 - beta2^t)"),
        ("torch.optim.sgd.SGD", "the same rule"),
        ("torch.optim.adagrad.Adagrad", "not compared: the playbook has no formula of Adagrad"),
        ("timm.optim.lion.Lion", "not compared: the playbook has no formula of Lion"),
        ("timm.optim.rmsprop_tf.RMSpropTF", "not compared: what RMSpropTF does is not known here"),
        ("mine.RMSprop", "not compared"),
    ],
)
def test_the_page_says_how_a_class_stands_against_the_playbook(implementation: str, says: str) -> None:
    record = stated(update_rules=(rule(implementation),))
    assert says in dict(method_text(record).rules[0].pairs)[AGAINST]
    assert says in Reader(page(record, {})).text


def test_what_the_program_says_itself_stays() -> None:
    assert against_playbook(rule("torch.optim.RMSprop", **{AGAINST: "as there"})) == "as there"


def test_rmsprop_of_torch_is_what_is_said_of_it() -> None:
    """One step from v = 0 with epsilon outside the root."""
    weight = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.RMSprop([weight], lr=0.1, alpha=0.9, eps=0.5)
    weight.grad = torch.tensor([2.0])
    optimizer.step()
    assert weight.item() == pytest.approx(1.0 - 0.1 * 2.0 / (np.sqrt(0.1 * 4.0) + 0.5), rel=1e-5)


def test_nadam_of_torch_is_what_is_said_of_it() -> None:
    """One step, in which each moment is corrected by itself and beta1 is below its value."""
    weight = torch.tensor([1.0], requires_grad=True)
    optimizer = torch.optim.NAdam([weight], lr=0.1, betas=(0.9, 0.99), eps=0.5)
    weight.grad = torch.tensor([2.0])
    optimizer.step()
    mu, after = (0.9 * (1.0 - 0.5 * 0.96 ** (step * 0.004)) for step in (1, 2))
    moment = after * 0.1 * 2.0 / (1.0 - mu * after) + (1.0 - mu) * 2.0 / (1.0 - mu)
    assert mu < after < 0.9
    assert weight.item() == pytest.approx(1.0 - 0.1 * moment / (np.sqrt(4.0) + 0.5), rel=1e-5)
