"""A name is recognised whole, whatever its spelling and its namespace, and where nothing says what it is, it is not."""

import pytest

from tasks.scope.names.optimizers import LISTED, optimizer_key
from tasks.scope.names.recognition import SPELLINGS, recognise


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("adam.lr", "optimizer"),
        ("one_minus_beta2", "optimizer"),
        ("weight_decay", "regularizer"),
        ("dropout.rate", "regularizer"),
        ("hidden_dropout", "regularizer"),
        ("num_layers", "architecture"),
        ("d_model", "architecture"),
        ("optimizer", "optimizer choice"),
        ("batch_size", "batch size"),
        ("gradient_accumulation_steps", "accumulation"),
        ("max_train_steps", "length"),
        ("warmup_steps", "schedule"),
        ("layer_decay", "optimizer"),
        ("temperature", None),
        ("bs", "batch size"),
        ("per_device_train_batch_size", "batch size"),
        ("n_layer", "architecture"),
        ("n_head", "architecture"),
        ("arch", "architecture"),
        ("data_aug", "augmentation"),
        ("num_train_epochs", "length"),
        ("max_iters", "length"),
        ("reprob", "augmentation"),
        ("max_grad_norm", "clipping"),
    ],
)
def test_a_name_tells_the_family(name: str, wanted: str | None) -> None:
    found = recognise(name)
    assert (found.family if found else None) == wanted


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("--weight-decay", "weight_decay"),
        ("weightDecay", "weight_decay"),
        ("WEIGHT_DECAY", "weight_decay"),
        ("optimizer.weightDecay", "weight_decay"),
        ("trainer.max_epochs", "max_train_steps"),
        ("training_args.learning_rate", "learning_rate"),
        ("optim.sgd.momentum", "one_minus_momentum"),
        ("optimizer.params.lr", "learning_rate"),
        ("AdamW.lr", "learning_rate"),
        ("model.n_layer", "layers"),
        ("nEpochs", "max_train_steps"),
        ("SOLVER.IMS_PER_BATCH", "batch_size"),
        ("SOLVER.STEPS", "decay_steps"),
        ("lr_scheduler.gamma", "decay_rate"),
        ("optimizer._target_", "optimizer"),
        ("n_units_l2", "width"),
        ("dropout_1", "dropout"),
        ("fc1_units", "width"),
        ("use_dropout", "dropout"),
        ("dataset.max_tokens", "batch_size"),
    ],
)
def test_case_dashes_numbers_and_namespaces_do_not_hide_a_name(name: str, meaning: str) -> None:
    found = recognise(name)
    assert found is not None
    assert found.meaning == meaning


FOREIGN = """
    eps dbscan.eps clustering.epsilon env.num_steps batch_norm.eps eval_steps save_steps max_depth gamma alpha rho name
    bowls.learning_rate.scale diffusion.num_steps val.num_workers
"""


@pytest.mark.parametrize("name", FOREIGN.split())
def test_a_name_that_is_somebody_elses_is_no_hyperparameter_of_an_optimizer_or_of_the_length(name: str) -> None:
    found = recognise(name)
    assert found is None or found.family == "architecture"


@pytest.mark.parametrize(("having", "wanted"), [((), None), (("epsilon",), "epsilon")])
def test_an_eps_is_an_optimizers_only_where_an_optimizer_has_one(having: tuple[str, ...], wanted: str | None) -> None:
    found = recognise("eps", having=having)
    assert (found.meaning if found else None) == wanted


@pytest.mark.parametrize("name", ["optimizer.eps", "adam.eps", "optim.adamw.epsilon", "adam_epsilon", "opt_eps"])
def test_a_namespace_or_a_name_of_its_own_says_that_an_epsilon_is_an_optimizers(name: str) -> None:
    found = recognise(name)
    assert found is not None
    assert found.meaning == "epsilon"


@pytest.mark.parametrize("name", ["eval_batch_size", "per_device_eval_batch_size", "val.batch_size", "test_batch_size"])
def test_the_batch_of_an_evaluation_is_none_of_training(name: str) -> None:
    found = recognise(name)
    assert found is not None
    assert found.meaning == "evaluation_batch_size"


@pytest.mark.parametrize("values", [("SGD", "AdamW"), ("adamw_torch", "adafactor"), ("torch.optim.Adam", "lion_8bit")])
def test_values_that_are_optimizers_say_what_a_parameter_is_whatever_its_name(values: tuple[str, ...]) -> None:
    found = recognise("update_rule", values)
    assert found is not None
    assert found.family == "optimizer choice"


def test_values_that_are_words_of_other_things_too_say_nothing() -> None:
    assert recognise("animal", ("lion", "lamb")) is None
    assert recognise("nonlin_kind", ("relu", "gelu")) is not None
    learning = recognise("learning_rate", ("constant", "adaptive"))
    assert learning is not None
    assert learning.family == "schedule"


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ("AdamW", "adamw"),
        ("adamw_torch", "adamw"),
        ("adamw_torch_fused", "adamw"),
        ("adamw_bnb_8bit", "adamw"),
        ("paged_adamw_32bit", "adamw"),
        ("torch.optim.AdamW", "adamw"),
        ("FusedAdam", "adam"),
        ("NAdam", "nadam"),
        ("Nadam", "nadam of keras"),
        ("SGD", "sgd"),
        ("sgd_momentum", "momentum"),
        ("nag", "nesterov"),
        ("RMSprop", "rmsprop"),
        ("Adagrad", "adagrad"),
        ("Lamb", "lamb"),
        ("lion_32bit", "lion"),
        ("Adafactor", "adafactor"),
        ("schedule_free_adamw", "schedulefreeadamw"),
        ("madame", None),
        ("torch", None),
        (0.1, None),
    ],
)
def test_an_optimizer_is_known_by_what_frameworks_call_it(value: object, key: str | None) -> None:
    assert optimizer_key(value) == key


def test_each_listed_optimizer_has_a_learning_rate_and_pytorchs_nadam_its_momentum_decay() -> None:
    assert all("learning_rate" in names for names in LISTED.values())
    assert "momentum_decay" in LISTED["nadam"]
    assert "momentum_decay" not in LISTED["nadamw"]
    assert "epsilon" not in LISTED["lion"]


def test_every_spelling_in_the_dictionary_is_recognised_as_what_it_stands_under() -> None:
    homes = {
        "optimizer": "optimizer.",
        "optimizer choice": "optimizer.",
        "schedule": "lr_scheduler.",
        "architecture": "model.",
    }
    for s in SPELLINGS:
        name = f"{homes[s.family]}{s.text}" if s.rule == "inside" else s.text
        found = recognise(name, having=(s.meaning,) if s.rule == "known" else ())
        assert found is not None, s
        assert (found.meaning, found.family) == (s.meaning, s.family), s


def test_no_spelling_means_two_things_under_one_rule() -> None:
    seen = [(s.text, s.rule, s.family) for s in SPELLINGS]
    assert sorted({s for s in seen if seen.count(s) > 1}) == []
