"""`Spelling`: one way to write a hyperparameter's name, where it is recognised, and who writes it so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Family = Literal[
    "optimizer choice",
    "optimizer",
    "schedule",
    "clipping",
    "regularizer",
    "augmentation",
    "architecture",
    "batch size",
    "evaluation batch size",
    "accumulation",
    "length",
    "other",
]
# Where a spelling is recognised, from the widest to the narrowest:
# ends    wherever a name's last part is it or ends with it (`attention_dropout`), in any namespace
# starts  as `ends`, and also where the last part begins with it (`dropout_features`)
# whole   where a name's last part is it, in any namespace
# alone   where the last part is it, without a namespace or in one that says nothing (`trainer.`, `params.`)
# known   as `alone`, but only in a round that is known to use an optimizer with such a hyperparameter (`eps`)
# inside  only in a namespace of its own kind (`optimizer.name`)
Rule = Literal["ends", "starts", "whole", "alone", "known", "inside"]

# Where the spellings were read. A spelling is a fact; nothing else is taken from these projects.
SOURCES: Mapping[str, str] = {
    "transformers": "Hugging Face Transformers: `TrainingArguments`, and the configurations of BERT and GPT-2",
    "timm": "PyTorch Image Models (timm): `train.py`, `timm.optim`, `timm.scheduler`",
    "lightning": "Lightning: `Trainer`, LightningCLI",
    "keras": "Keras 3: optimizers, schedules, `Model.fit`, layers",
    "fairseq": "fairseq: dataclass configurations, `fairseq.optim`",
    "nanogpt": "nanoGPT: `train.py`",
    "algoperf": "AlgoPerf (MLCommons): `tuning_search_space.json`",
    "torch": "PyTorch: `torch.optim`, `torch.optim.lr_scheduler`",
    "torchvision": "torchvision: `references/classification/train.py`",
    "examples": "pytorch/examples: the arguments of their `main.py`",
    "mae": "MAE: `main_pretrain.py`, `main_finetune.py`",
    "detr": "DETR: `main.py`",
    "detectron2": "Detectron2: `config/defaults.py`",
    "ultralytics": "Ultralytics YOLO: `cfg/default.yaml`",
    "megatron": "Megatron-LM: its training arguments",
    "deepspeed": "DeepSpeed: the configuration JSON",
    "sklearn": "scikit-learn: `MLPClassifier`",
    "maxtext": "MaxText: `configs/base.yml`",
    "openclip": "OpenCLIP: `open_clip_train/params.py`",
    "torchtune": "torchtune: `recipes/configs`",
    "foundry": "LLM Foundry (MosaicML): `scripts/train/yamls`",
    "mmpretrain": "MMPretrain: `configs/_base_/schedules`",
    "cleanrl": "CleanRL: `ppo.py`",
    "benchmarks": "FCNet and HPOBench: their search spaces",
    "tunebook": "tunebook itself, and the playbook's own words",
    "common": "in wide use, of no one project",
}


@dataclass(frozen=True)
class Spelling:
    """One spelling: `meaning` is the hyperparameter's name here, `text` what is looked for, after normalisation."""

    meaning: str
    family: Family
    rule: Rule
    text: str
    sources: tuple[str, ...]


def spellings_in(tables: Mapping[Family, str]) -> Iterator[Spelling]:
    """The spellings of a table: a line `meaning rule`, and under it, indented, each spelling with its sources.

    Raises:
        ValueError: a source that is not listed in SOURCES, or a spelling without one.
    """
    for family, table in tables.items():
        meaning, rule = "", ""
        for line in filter(str.strip, table.splitlines()):
            words = line.split()
            if not line.startswith(" "):
                meaning, rule = words
                continue
            text, *sources = words
            if not sources or not set(sources) <= SOURCES.keys():
                raise ValueError(f"{text}: no known source in {line!r}")
            yield Spelling(meaning, family, rule, text, tuple(sources))  # type: ignore[arg-type]
