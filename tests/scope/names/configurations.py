"""Twenty configurations as people have them: the names and the defaults of each project, sorted by what they truly are.

The names and values are facts, read in the projects that `tasks/scope/names/dictionary/entry.py` lists as sources. What
a name truly is was decided by hand, from the projects' own documentation, and the tests hold the dictionary against
it; `other` is what is no hyperparameter of training, or of no family that a guard asks about.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.record import Value
from tasks.scope.names.dictionary.entry import Family

Truth = Mapping[Family, Mapping[str, Value]]


def joined(*parts: Mapping[str, Value]) -> dict[str, Value]:
    """Several mappings as one."""
    return {name: value for part in parts for name, value in part.items()}


@dataclass(frozen=True)
class Configuration:
    """One project's configuration: `truth` has every name with its value under what it truly is."""

    name: str
    source: str
    truth: Truth

    @property
    def values(self) -> dict[str, Value]:
        """Every name with its value."""
        return {name: value for names in self.truth.values() for name, value in names.items()}


TRANSFORMERS = Configuration(
    "Transformers, TrainingArguments and a BERT",
    "transformers",
    {
        "batch size": {"per_device_train_batch_size": 8},
        "evaluation batch size": {"per_device_eval_batch_size": 8},
        "accumulation": {"gradient_accumulation_steps": 1},
        "length": {"num_train_epochs": 3.0, "max_steps": -1},
        "optimizer choice": {"optim": "adamw_torch"},
        "optimizer": {"learning_rate": 5e-5, "adam_beta1": 0.9, "adam_beta2": 0.999, "adam_epsilon": 1e-8},
        "schedule": {"lr_scheduler_type": "linear", "warmup_steps": 0, "warmup_ratio": 0.0},
        "clipping": {"max_grad_norm": 1.0},
        "regularizer": joined(
            {"weight_decay": 0.0, "label_smoothing_factor": 0.0, "hidden_dropout_prob": 0.1},
            {"attention_probs_dropout_prob": 0.1},
        ),
        "architecture": joined(
            {"num_hidden_layers": 12, "hidden_size": 768, "num_attention_heads": 12, "hidden_act": "gelu"},
            {"intermediate_size": 3072},
        ),
        "other": {
            "seed": 42,
            "eval_steps": 500,
            "save_steps": 500,
            "logging_steps": 500,
            "fp16": False,
            "eval_delay": 0,
        },
    },
)
TIMM = Configuration(
    "timm, train.py",
    "timm",
    {
        "batch size": {"batch-size": 128},
        "evaluation batch size": {"validation-batch-size": 128},
        "accumulation": {"grad-accum-steps": 1},
        "length": {"epochs": 300},
        "optimizer choice": {"opt": "sgd"},
        "optimizer": {"lr": 0.05, "momentum": 0.9, "opt-eps": 1e-8, "layer-decay": 0.75},
        "schedule": joined(
            {"sched": "cosine", "warmup-epochs": 5, "warmup-lr": 1e-5, "min-lr": 0.0, "decay-epochs": 90},
            {"cooldown-epochs": 0, "decay-rate": 0.1},
        ),
        "clipping": {"clip-grad": 1.0},
        "regularizer": {"weight-decay": 2e-5, "smoothing": 0.1, "drop": 0.0, "drop-path": 0.1},
        "augmentation": {
            "aa": "rand-m9",
            "mixup": 0.0,
            "cutmix": 0.0,
            "reprob": 0.0,
            "color-jitter": 0.4,
            "hflip": 0.5,
        },
        "architecture": {"model": "resnet50", "gp": "avg"},
        "other": {"img-size": 224, "workers": 4, "seed": 42, "log-interval": 50, "model-ema-decay": 0.9998},
    },
)
NANOGPT = Configuration(
    "nanoGPT, train.py",
    "nanogpt",
    {
        "batch size": {"batch_size": 12},
        "accumulation": {"gradient_accumulation_steps": 40},
        "length": {"max_iters": 600000},
        "optimizer": {"learning_rate": 6e-4, "beta1": 0.9, "beta2": 0.95},
        "schedule": {"decay_lr": True, "warmup_iters": 2000, "lr_decay_iters": 600000, "min_lr": 6e-5},
        "clipping": {"grad_clip": 1.0},
        "regularizer": {"weight_decay": 0.1, "dropout": 0.0},
        "architecture": {"n_layer": 12, "n_head": 12, "n_embd": 768, "block_size": 1024, "bias": False},
        "other": {"eval_iters": 200, "eval_interval": 2000, "dtype": "bfloat16", "compile": True, "device": "cuda"},
    },
)
LIGHTNING = Configuration(
    "Lightning, LightningCLI",
    "lightning",
    {
        "batch size": {"data.batch_size": 32},
        "accumulation": {"trainer.accumulate_grad_batches": 1},
        "length": {"trainer.max_epochs": 10, "trainer.max_steps": -1},
        "optimizer choice": {"optimizer.class_path": "torch.optim.AdamW"},
        "optimizer": {"optimizer.init_args.lr": 0.001, "optimizer.init_args.eps": 1e-8},
        "schedule": {"lr_scheduler.class_path": "CosineAnnealingLR", "lr_scheduler.init_args.T_max": 10},
        "clipping": {"trainer.gradient_clip_val": 1.0},
        "regularizer": {"optimizer.init_args.weight_decay": 0.01, "model.dropout": 0.1},
        "architecture": {"model.hidden_dim": 128, "model.num_layers": 4},
        "other": joined(
            {"trainer.precision": "16-mixed", "trainer.devices": 1, "seed_everything": 0, "data.num_workers": 4},
            {"trainer.val_check_interval": 1.0},
        ),
    },
)
KERAS = Configuration(
    "Keras, compile and fit",
    "keras",
    {
        "batch size": {"batch_size": 32},
        "evaluation batch size": {"validation_batch_size": 32},
        "accumulation": {"optimizer.gradient_accumulation_steps": 1},
        "length": {"epochs": 10, "steps_per_epoch": 100},
        "optimizer choice": {"optimizer.name": "RMSprop"},
        "optimizer": joined(
            {"optimizer.learning_rate": 0.001, "optimizer.rho": 0.9, "optimizer.momentum": 0.0},
            {"optimizer.epsilon": 1e-7},
        ),
        "schedule": {"decay_steps": 1000, "warmup_steps": 0},
        "clipping": {"optimizer.clipnorm": 1.0, "optimizer.global_clipnorm": 1.0},
        "regularizer": {"kernel_regularizer": "l2", "dropout_rate": 0.5, "optimizer.weight_decay": 0.004},
        "augmentation": {"random_flip": "horizontal", "random_rotation": 0.1},
        "architecture": {"units": 64, "filters": 32, "kernel_size": 3, "activation": "relu"},
        "other": {"validation_split": 0.0, "validation_steps": 10, "verbose": 1, "shuffle": True},
    },
)
ALGOPERF = Configuration(
    "AlgoPerf, tuning_search_space.json of NAdamW",
    "algoperf",
    {
        "optimizer": {"learning_rate": 0.001, "one_minus_beta1": 0.1, "beta2": 0.999},
        "schedule": {"warmup_factor": 0.05},
        "clipping": {"grad_clip": 1.0},
        "regularizer": {"weight_decay": 0.01, "label_smoothing": 0.1, "dropout_rate": 0.1},
    },
)
FAIRSEQ = Configuration(
    "fairseq, wav2vec 2.0 with Hydra",
    "fairseq",
    {
        "batch size": {"dataset.max_tokens": 1400000},
        "accumulation": {"optimization.update_freq": 1},
        "length": {"optimization.max_update": 400000},
        "optimizer choice": {"optimizer._name": "adam"},
        "optimizer": {"optimization.lr": 0.0005, "optimizer.adam_betas": "(0.9,0.98)", "optimizer.adam_eps": 1e-6},
        "schedule": {"lr_scheduler._name": "polynomial_decay", "lr_scheduler.warmup_updates": 32000},
        "clipping": {"optimization.clip_norm": 0.0},
        "regularizer": joined(
            {"optimizer.weight_decay": 0.01, "model.encoder_layerdrop": 0.05, "model.dropout_input": 0.1},
            {"model.dropout_features": 0.1},
        ),
        "augmentation": {"model.mask_prob": 0.65, "model.mask_length": 10},
        "architecture": {"model._name": "wav2vec2", "model.encoder_embed_dim": 768},
        "other": joined(
            {"dataset.num_workers": 6, "common.log_interval": 200, "checkpoint.save_interval_updates": 25000},
            {"model.feature_grad_mult": 0.1},
        ),
    },
)
FAIRSEQ_TRAIN = Configuration(
    "fairseq-train, a translation model",
    "fairseq",
    {
        "batch size": {"--batch-size": 64},
        "evaluation batch size": {"--batch-size-valid": 64},
        "accumulation": {"--update-freq": 1},
        "length": {"--max-update": 100000, "--max-epoch": 0},
        "optimizer choice": {"--optimizer": "adam"},
        "optimizer": {"--lr": 0.0005, "--adam-betas": "(0.9, 0.98)", "--adam-eps": 1e-8},
        "schedule": joined(
            {"--lr-scheduler": "inverse_sqrt", "--warmup-updates": 4000, "--warmup-init-lr": 1e-7},
            {"--stop-min-lr": 1e-9},
        ),
        "clipping": {"--clip-norm": 0.0},
        "regularizer": {
            "--dropout": 0.3,
            "--attention-dropout": 0.1,
            "--weight-decay": 0.0001,
            "--label-smoothing": 0.1,
        },
        "architecture": joined(
            {"--arch": "transformer_iwslt_de_en", "--encoder-layers": 6, "--decoder-layers": 6},
            {"--encoder-attention-heads": 4, "--encoder-ffn-embed-dim": 1024, "--activation-fn": "relu"},
        ),
        "other": {"--validate-interval": 1, "--patience": -1, "--beam": 5, "--max-valid-steps": 100},
    },
)
TORCHVISION = Configuration(
    "torchvision, references/classification/train.py",
    "torchvision",
    {
        "batch size": {"batch_size": 32},
        "length": {"epochs": 90},
        "optimizer choice": {"opt": "sgd"},
        "optimizer": {"lr": 0.1, "momentum": 0.9},
        "schedule": joined(
            {
                "lr_scheduler": "steplr",
                "lr_warmup_epochs": 0,
                "lr_step_size": 30,
                "lr_gamma": 0.1,
                "lr_min": 0.0,
            },
            {"lr_warmup_decay": 0.01},
        ),
        "clipping": {"clip_grad_norm": 1.0},
        "regularizer": {"wd": 1e-4, "norm_weight_decay": 0.0, "label_smoothing": 0.0},
        "augmentation": {"mixup_alpha": 0.0, "cutmix_alpha": 0.0, "auto_augment": "ta_wide", "random_erase": 0.0},
        "architecture": {"model": "resnet18"},
        "other": {
            "workers": 16,
            "print_freq": 10,
            "train_crop_size": 224,
            "val_resize_size": 256,
            "model_ema_steps": 32,
        },
    },
)
IMAGENET = Configuration(
    "pytorch/examples, imagenet",
    "examples",
    {
        "batch size": {"batch-size": 256},
        "length": {"epochs": 90},
        "optimizer": {"lr": 0.1, "momentum": 0.9},
        "regularizer": {"wd": 1e-4},
        "architecture": {"arch": "resnet18"},
        "other": {"workers": 4, "start-epoch": 0, "print-freq": 10, "pretrained": False},
    },
)
