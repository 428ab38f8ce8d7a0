"""How the update rule of an optimizer's class stands against the playbook's formula of it."""

from tasks.method import UpdateRuleRow

AGAINST = "against the playbook"  # under this name a program may say it itself
_ADAM = (
    "each moment is corrected by itself and epsilon added after that, there before: epsilon here counts there as "
    "epsilon * sqrt(1 - beta2^t), so ranges for epsilon do not carry over"
)
_TORCH = {
    "SGD": "the same rule, with momentum and with Nesterov's, as long as dampening is 0",
    "Adam": _ADAM,
    "AdamW": f"{_ADAM}; the playbook's Adam has no weight decay",
    "NAdam": f"{_ADAM}; momentum_decay lets beta1 grow over training, there it stays",
    "RMSprop": "epsilon is added to sqrt(v), there to v inside the root; v starts at 0, there at 1, and neither "
    "corrects that; the learning rate multiplies the velocity, there each gradient in it: ranges do not carry over",
}
_NO_FORMULA = ("Adagrad", "Adadelta", "Adamax", "RAdam", "Lamb", "LAMB", "Lion", "Adafactor", "LARS", "Shampoo", "Muon")


def against_playbook(row: UpdateRuleRow) -> str:
    """What the class does otherwise than the playbook's text (L2036-2086), or that it was not compared, and why.

    Read off the source of torch 2.13; of classes of other libraries nothing is said.

    Playbook: J20
    """
    package, _, name = row.implementation.rpartition(".")
    if row.rule.get(AGAINST):
        return row.rule[AGAINST]
    if package.startswith("torch.optim") and name in _TORCH:
        return _TORCH[name]
    if name in _NO_FORMULA:
        return f"not compared: the playbook has no formula of {name}"
    return f"not compared: what {name} does is not known here"
