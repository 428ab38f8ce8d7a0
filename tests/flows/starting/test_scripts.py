"""Four scripts as they are found: of each, exactly what was read, what became of it, and what was refused."""

from pathlib import Path

import pytest

from flows.starting.draft import draft_of
from tests.flows.starting.scripts_read import rows, script

pytestmark = pytest.mark.prose
DEFAULT = "stays at the script's default"
BATCH = "it sets the speed of training, so it is not tuned"
SWITCH = "it is a switch"
REQUIRED = "required: replace ??? in argv by its value"
IMAGES = [
    ("yours", "data", REQUIRED),
    ("left", "--arch", "its choices are computed"),
    ("left", "--workers", DEFAULT),
    ("given", "--epochs", "budget.max_train_steps"),
    ("left", "--start-epoch", DEFAULT),
    ("left", "--batch-size", BATCH),
    ("tuned", "--learning-rate", "lr 0.01 to 1, log"),
    ("left", "--lr-step", DEFAULT),
    ("left", "--min-lr", DEFAULT),
    ("tuned", "--momentum", "momentum 0.8 to 0.99"),
    ("tuned", "--weight-decay", "weight_decay 1e-5 to 0.001, log"),
    ("left", "--opt", "each optimizer has hyperparameters of its own: a later question"),
    ("tuned", "--activation", "activation relu, gelu, silu"),
    ("tuned", "--width", "width 32, 64, 128"),
    ("tuned", "--depth", "depth 2, 3, 4"),
    ("tuned", "--drop-path", "drop_path 0 to 0.5"),
    ("tuned", "--label-smoothing", "label_smoothing 0 to 0.2"),
    ("left", "--print-freq", DEFAULT),
    ("left", "--evaluate", SWITCH),
    ("left", "--no-augment", SWITCH),
    ("left", "--pretrained", "type=bool takes every text for true, even False"),
    ("given", "--seed", "the trial's seed"),
    ("given", "--device", "the trial's device (runner.devices)"),
    ("left", "--output", DEFAULT),
]
LANGUAGE = [
    ("tuned", "--n_layer", "n_layer 1, 2, 3"),
    ("tuned", "--n_embd", "n_embd 64, 128, 256"),
    ("left", "--mlp", DEFAULT),
    ("tuned", "--dropout", "dropout 0 to 0.5"),
    ("tuned", "--activation", "activation relu, gelu"),
    ("tuned", "--learning_rate", "learning_rate 3e-5 to 0.003, log"),
    ("left", "--head-lr", "what it takes is the script's own matter (type=positive)"),
    ("tuned", "--betas", "beta1 0.8 to 0.99; beta2 0.96 to 0.998"),
    ("left", "--l2", "what it takes is computed (type is a lambda)"),
    ("given", "--max_steps", "budget.max_train_steps"),
    ("tuned", "--warmup_steps", "warmup_steps 0 to 500"),
    ("given", "--eval_interval", "budget.eval_every_steps"),
    ("left", "--log_interval", DEFAULT),
    ("left", "--batch_size", BATCH),
    ("left", "+tie", SWITCH),
    ("left", "--compile", SWITCH),
    ("left", "--verbose", SWITCH),
    ("left", "--tags", "it collects values (action=append)"),
    ("given", "--rng-seed", "the trial's seed"),
]
SPEECH = [
    ("left", "--config", DEFAULT),
    ("left", "--work-dir", DEFAULT),
    ("given", "--seed", "the trial's seed"),
    ("left", "--threads", DEFAULT),
    ("left", "--peak-lr", "its default is computed when the script runs"),
    ("tuned", "--adam.lr", "optim_lr 0.0002 to 0.02, log"),
    ("tuned", "--weight-decay", "weight_decay 0.001 to 0.1, log"),
    ("given", "--epochs", "budget.max_train_steps"),
    ("left", "--max-updates", "the length of training is not tuned; --epochs is what the round gives"),
    ("left", "--loss-scale", "it is added under a condition, or in a loop"),
    ("yours", "corpus", REQUIRED),
    ("yours", "--hidden-size", f"required, and a width cannot be guessed without a default{REQUIRED[8:]}"),
]
LOGISTIC = [
    ("tuned", "--lr", "lr 0.005 to 0.5, log"),
    ("tuned", "--weight-decay", "weight_decay 1e-6 to 0.01, log"),
    ("left", "--batch-size", BATCH),
    ("given", "--steps", "budget.max_train_steps"),
    ("given", "--eval-every", "budget.eval_every_steps"),
    ("given", "--seed", "the trial's seed"),
]
REFUSED = {
    "speech": [
        (26, "its name is computed"),
        (29, "--smoothing: some of its keywords are computed (**)"),
        (42, "--quantize: it belongs to the subcommand export, which is not what a trial runs"),
    ]
}


@pytest.mark.parametrize(
    ("name", "wanted"), [("images", IMAGES), ("language", LANGUAGE), ("speech", SPEECH), ("logistic", LOGISTIC)]
)
def test_what_becomes_of_each_argument_of_a_script(
    name: str, wanted: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    draft = draft_of(script(tmp_path, name))
    assert rows(draft) == wanted
    assert [*draft.line.refused] == REFUSED.get(name, [])


@pytest.mark.parametrize(
    ("name", "way", "metric", "metrics"),
    [
        ("images", None, None, ()),
        ("language", "lines", "val_loss", ("val_loss", "train_loss")),
        ("speech", "mlflow", "dev/wer", ("train/loss", "dev/wer", "dev/loss")),
        ("logistic", "mlflow", "valid_accuracy", ("train_loss", "valid_accuracy")),
    ],
)
def test_how_a_script_reports_and_what_it_would_be_judged_by(
    name: str, way: str | None, metric: str | None, metrics: tuple[str, ...], tmp_path: Path
) -> None:
    reporting = draft_of(script(tmp_path, name)).reporting
    assert (reporting.way, reporting.objective, reporting.metrics) == (way, metric, metrics)


@pytest.mark.parametrize(
    ("name", "steps", "every", "unit"),
    [
        ("images", 90, 1, "epochs"),
        ("language", 2000, 50, "steps"),
        ("speech", 20, 1, "epochs"),
        ("logistic", 200, 20, "steps"),
    ],
)
def test_how_long_a_trial_is_and_how_often_it_evaluates(
    name: str, steps: int, every: int, unit: str, tmp_path: Path
) -> None:
    reading = draft_of(script(tmp_path, name)).reading
    assert (reading.steps, reading.every, reading.unit) == (steps, every, unit)


@pytest.mark.parametrize(
    ("name", "scientific", "nuisances", "fixed"),
    [
        (
            "images",
            "weight_decay",
            ["lr", "momentum"],
            ["activation", "width", "depth", "drop_path", "label_smoothing"],
        ),
        (
            "language",
            "dropout",
            ["learning_rate", "beta1"],
            ["n_layer", "n_embd", "activation", "beta2", "warmup_steps"],
        ),
        ("speech", "weight_decay", ["optim_lr"], []),
        ("logistic", "weight_decay", ["lr"], []),
    ],
)
def test_what_is_asked_first_and_what_is_tuned_beside_it(
    name: str, scientific: str, nuisances: list[str], fixed: list[str], tmp_path: Path
) -> None:
    asked = draft_of(script(tmp_path, name)).question
    assert asked.scientific.name == scientific
    assert [g.name for g in asked.nuisances] == nuisances
    assert sorted(asked.fixed) == sorted(fixed)


def test_what_a_person_must_do_is_said_in_one_sentence_each(tmp_path: Path) -> None:
    images, speech = (draft_of(script(tmp_path, name)) for name in ("images", "speech"))
    assert [s.partition(":")[0] for s in images.to_do] == [
        "data is required",
        "images.py reports nothing that can be read",
    ]
    assert len(speech.to_do) == 2
    assert draft_of(script(tmp_path, "logistic")).to_do == draft_of(script(tmp_path, "language")).to_do == ()
