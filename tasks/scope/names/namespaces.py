"""What a namespace says of the names in it: `optimizer.eps` is an optimizer's, `dbscan.eps` is not."""

from collections.abc import Mapping

from tasks.scope.names.dictionary.entry import Family
from tasks.scope.names.optimizers import optimizer_key, words

SAYS_NOTHING = words(
    """
    trainer train training training_args training_arguments trainer_args train_cfg train_config optimization fit
    hparams hp params hyperparameters hyper_parameters config cfg args kwargs init_args dict_kwargs workload
    experiment run settings options defaults common data dataset datamodule dataloader train_dataloader loader
    train_loader trial
    """
)
EVALUATION = words(
    """
    eval evaluation valid validation val test testing dev infer inference predict prediction generation generate
    serving val_dataloader test_dataloader
    """
)
_WORDS: Mapping[str, str] = {
    "optimizer": "optimizer optimizers optimiser optim opt optim_wrapper optimizer_config optimizer_args opt_args "
    "optimizer_kwargs opt_kwargs optimizer_params paramwise_cfg",
    "solver": "solver",
    "schedule": "schedule scheduler lr_scheduler lr_schedule lr_config sched learning_rate_schedule param_scheduler "
    "scheduler_params warmup lr",
    "model": "model net network architecture arch backbone encoder decoder head model_config model_args model_params "
    "model_kwargs classifier transformer mlp cnn resnet resnets",
    "augmentation": "augmentation augmentations augment aug data_aug transforms",
    "regularizer": "regularization regularisation regularizer regularizers reg",
    "clipping": "clip_grad clip_gradients grad_clip gradient_clipping clipping",
}
_KINDS: Mapping[str, str] = {word: kind for kind, words in _WORDS.items() for word in words.split()}
# The kinds of namespaces in which the names of a family are at home.
INSIDE: Mapping[Family, tuple[str, ...]] = {
    "optimizer choice": ("optimizer", "solver"),
    "optimizer": ("optimizer", "solver"),
    "schedule": ("schedule", "solver"),
    "length": ("solver",),
    "batch size": ("solver",),
    "architecture": ("model",),
    "regularizer": ("regularizer",),
    "augmentation": ("augmentation",),
    "clipping": ("clipping", "optimizer", "solver"),
}


def namespace_kind(word: str, written: str) -> str:
    """Of an optimizer, a schedule, a model …; foreign where it is of none. `written`: the word as the user wrote it."""
    return _KINDS.get(word) or ("optimizer" if optimizer_key(written) else "foreign")
