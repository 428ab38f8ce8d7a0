"""What a hyperparameter is by its name: of the optimizer, a regularizer, architecture, batch size, length.

The playbook gives each family its usual role, and a name is all that is known of a hyperparameter before it is run.
A name that no family claims has no usual role, and no guard speaks of it.
"""

import re
from collections.abc import Mapping
from typing import Literal

from tasks.scope.names.optimizers import OPTIMIZERS
from tasks.scope.space import Parameter

Family = Literal["optimizer choice", "optimizer", "regularizer", "architecture", "batch size", "accumulation", "length"]

ALIASES: Mapping[str, str] = {
    "lr": "learning_rate",
    "base_lr": "learning_rate",
    "base_learning_rate": "learning_rate",
    "momentum": "one_minus_momentum",
    "beta1": "one_minus_beta1",
    "beta_1": "one_minus_beta1",
    "one_minus_beta_1": "one_minus_beta1",
    "beta2": "one_minus_beta2",
    "beta_2": "one_minus_beta2",
    "one_minus_beta_2": "one_minus_beta2",
    "eps": "epsilon",
    "wd": "weight_decay",
}
OPTIMIZER_OWN = frozenset(n for names in OPTIMIZERS.values() for n in names) - {"weight_decay"}
BATCH_SIZES = frozenset(
    {"batch_size", "train_batch_size", "global_batch_size", "minibatch_size", "per_device_batch_size"}
)
LENGTHS = frozenset(
    {"max_train_steps", "train_steps", "num_train_steps", "training_steps", "max_steps", "num_steps"}
) | {
    "steps",
    "n_steps",
    "epochs",
    "num_epochs",
    "n_epochs",
    "max_epochs",
    "train_epochs",
}
REGULARIZER_WORDS = (
    r"regulari[sz]er|regulari[sz]ation|dropout|droppath|drop_path|weight_decay|label_smoothing|mixup|cutmix|cutout|"
    r"augment\w*|stochastic_depth|l1|l2"
)
ARCHITECTURE_WORDS = (
    r"architecture|layers|depth|width|hidden|units|neurons|heads|activation|kernel|channels|filters|embedding|blocks|"
    r"d_model|normali[sz]ation|pooling|residual"
)

# Around each optimizer hyperparameter's usual value: what a remedy offers where there is no range yet.
USUAL_VALUES: Mapping[str, str] = {
    "learning_rate": "[0.0001,0.001,0.01,0.1,1.0]",
    "one_minus_momentum": "[0.003,0.01,0.03,0.1,0.3]",
    "one_minus_beta1": "[0.01,0.03,0.1,0.3]",
    "one_minus_beta2": "[0.0001,0.001,0.01,0.1]",
    "epsilon": "[1e-10,1e-8,1e-6,1e-4,1e-2]",
    "weight_decay": "[1e-6,1e-5,1e-4,1e-3,1e-2]",
}


def bare(name: str) -> str:
    """The name without its parents, in this project's spelling: `learning_rate` for `adam.lr`."""
    leaf = name.rpartition(".")[2].lower()
    return ALIASES.get(leaf, leaf)


def family(name: str) -> Family | None:
    """The family of a hyperparameter, or None where its name says nothing; `dropout.rate` is a regularizer's."""
    leaf = bare(name)
    if leaf in ("optimizer", "optimiser"):
        return "optimizer choice"
    if leaf in OPTIMIZER_OWN:
        return "optimizer"
    if leaf in BATCH_SIZES:
        return "batch size"
    if leaf in LENGTHS:
        return "length"
    if "accumul" in leaf or leaf.startswith("grad_accum"):
        return "accumulation"
    if _has_word(name, REGULARIZER_WORDS):
        return "regularizer"
    return "architecture" if _has_word(leaf, ARCHITECTURE_WORDS) else None


def is_switch(parameter: Parameter) -> bool:
    """Whether a regularizer's parameter turns it on and off, or picks one: choices do, a range is a strength."""
    listed = parameter.type == "choice" or any(isinstance(v, bool | str) for v in parameter.values)
    return family(parameter.name) == "regularizer" and listed


def _has_word(name: str, words: str) -> bool:
    """Whether a whole word of the name, between dots and underscores, is among `words`."""
    return re.search(rf"(?:^|[._])(?:{words})(?:$|[._])", name.lower()) is not None
