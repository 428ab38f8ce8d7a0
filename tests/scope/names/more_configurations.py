"""The other ten of the twenty configurations, and all of them together."""

from tests.scope.names.configurations import (
    ALGOPERF,
    FAIRSEQ,
    FAIRSEQ_TRAIN,
    IMAGENET,
    KERAS,
    LIGHTNING,
    NANOGPT,
    TIMM,
    TORCHVISION,
    TRANSFORMERS,
    Configuration,
    joined,
)

LANGUAGE = Configuration(
    "pytorch/examples, word_language_model",
    "examples",
    {
        "batch size": {"batch_size": 20},
        "length": {"epochs": 40},
        "optimizer": {"lr": 20.0},
        "clipping": {"clip": 0.25},
        "regularizer": {"dropout": 0.2},
        "architecture": {"model": "LSTM", "emsize": 200, "nhid": 200, "nlayers": 2, "nhead": 2, "tied": False},
        "other": {"bptt": 35, "seed": 1111, "log-interval": 200},
    },
)
DCGAN = Configuration(
    "pytorch/examples, dcgan",
    "examples",
    {
        "batch size": {"batchSize": 64},
        "length": {"niter": 25},
        "optimizer": {"lr": 0.0002, "beta1": 0.5},
        "architecture": {"nz": 100, "ngf": 64, "ndf": 64},
        "other": {"workers": 2, "imageSize": 64, "manualSeed": 1, "ngpu": 1},
    },
)
MAE = Configuration(
    "MAE, main_finetune.py",
    "mae",
    {
        "batch size": {"batch_size": 64},
        "accumulation": {"accum_iter": 1},
        "length": {"epochs": 50},
        "optimizer": {"blr": 0.001, "layer_decay": 0.75},
        "schedule": {"min_lr": 1e-6, "warmup_epochs": 5},
        "clipping": {"clip_grad": 1.0},
        "regularizer": {"weight_decay": 0.05, "drop_path": 0.1, "smoothing": 0.1},
        "augmentation": {
            "aa": "rand-m9-mstd0.5-inc1",
            "reprob": 0.25,
            "mixup": 0.0,
            "cutmix": 0.0,
            "color_jitter": 0.4,
        },
        "architecture": {"model": "vit_large_patch16", "global_pool": True},
        "other": {"input_size": 224, "nb_classes": 1000, "num_workers": 10, "seed": 0},
    },
)
DETR = Configuration(
    "DETR, main.py",
    "detr",
    {
        "batch size": {"batch_size": 2},
        "length": {"epochs": 300},
        "optimizer": {"lr": 1e-4, "lr_backbone": 1e-5},
        "schedule": {"lr_drop": 200},
        "clipping": {"clip_max_norm": 0.1},
        "regularizer": {"weight_decay": 1e-4, "dropout": 0.1},
        "architecture": joined(
            {"backbone": "resnet50", "enc_layers": 6, "dec_layers": 6, "dim_feedforward": 2048},
            {"hidden_dim": 256, "nheads": 8, "pre_norm": False, "position_embedding": "sine"},
        ),
        "other": {"set_cost_class": 1.0, "eos_coef": 0.1, "bbox_loss_coef": 5.0, "num_workers": 2, "seed": 42},
    },
)
DETECTRON2 = Configuration(
    "Detectron2, SOLVER and MODEL",
    "detectron2",
    {
        "batch size": {"SOLVER.IMS_PER_BATCH": 16},
        "length": {"SOLVER.MAX_ITER": 40000},
        "optimizer choice": {"SOLVER.NESTEROV": False},
        "optimizer": {"SOLVER.BASE_LR": 0.001, "SOLVER.MOMENTUM": 0.9, "SOLVER.BIAS_LR_FACTOR": 1.0},
        "schedule": joined(
            {"SOLVER.LR_SCHEDULER_NAME": "WarmupMultiStepLR", "SOLVER.GAMMA": 0.1, "SOLVER.STEPS": 30000},
            {"SOLVER.WARMUP_FACTOR": 0.001, "SOLVER.WARMUP_ITERS": 1000},
        ),
        "clipping": {"SOLVER.CLIP_GRADIENTS.CLIP_VALUE": 1.0},
        "regularizer": {"SOLVER.WEIGHT_DECAY": 0.0001, "SOLVER.WEIGHT_DECAY_NORM": 0.0},
        "architecture": joined(
            {"MODEL.RESNETS.DEPTH": 50, "MODEL.RESNETS.NORM": "FrozenBN", "MODEL.RESNETS.NUM_GROUPS": 1},
            {"MODEL.RESNETS.WIDTH_PER_GROUP": 64},
        ),
        "other": {"SEED": -1, "TEST.EVAL_PERIOD": 0, "SOLVER.CHECKPOINT_PERIOD": 5000, "TEST.PRECISE_BN.NUM_ITER": 200},
    },
)
ULTRALYTICS = Configuration(
    "Ultralytics YOLO, default.yaml",
    "ultralytics",
    {
        "batch size": {"batch": 16},
        "length": {"epochs": 100},
        "optimizer choice": {"optimizer": "SGD"},
        "optimizer": {"lr0": 0.01, "momentum": 0.937},
        "schedule": {"lrf": 0.01, "cos_lr": False, "warmup_epochs": 3.0, "warmup_momentum": 0.8, "warmup_bias_lr": 0.1},
        "regularizer": {"weight_decay": 0.0005, "dropout": 0.0},
        "augmentation": joined(
            {"hsv_h": 0.015, "degrees": 0.0, "mosaic": 1.0, "mixup": 0.0, "fliplr": 0.5, "erasing": 0.4},
            {"auto_augment": "randaugment", "copy_paste": 0.0},
        ),
        "architecture": {"model": "yolo11n.pt"},
        "other": {"imgsz": 640, "box": 7.5, "cls": 0.5, "dfl": 1.5, "iou": 0.7, "patience": 100, "workers": 8},
    },
)
MEGATRON = Configuration(
    "Megatron-LM, training arguments",
    "megatron",
    {
        "batch size": {"micro-batch-size": 4, "global-batch-size": 256},
        "length": {"train-iters": 500000},
        "optimizer choice": {"optimizer": "adam"},
        "optimizer": {"lr": 0.00015, "adam-beta1": 0.9, "adam-beta2": 0.95, "adam-eps": 1e-8},
        "schedule": {"lr-decay-style": "cosine", "lr-decay-iters": 320000, "lr-warmup-fraction": 0.01, "min-lr": 1e-5},
        "clipping": {"clip-grad": 1.0},
        "regularizer": {"weight-decay": 0.1, "hidden-dropout": 0.1, "attention-dropout": 0.1},
        "architecture": {"num-layers": 24, "hidden-size": 1024, "num-attention-heads": 16, "ffn-hidden-size": 4096},
        "other": {"seq-length": 1024, "eval-iters": 10, "save-interval": 10000, "tensor-model-parallel-size": 1},
    },
)
DEEPSPEED = Configuration(
    "DeepSpeed, ds_config.json",
    "deepspeed",
    {
        "batch size": {"train_batch_size": 256, "train_micro_batch_size_per_gpu": 8},
        "accumulation": {"gradient_accumulation_steps": 1},
        "optimizer choice": {"optimizer.type": "AdamW"},
        "optimizer": {
            "optimizer.params.lr": 3e-5,
            "optimizer.params.betas": "[0.9, 0.999]",
            "optimizer.params.eps": 1e-8,
        },
        "schedule": joined(
            {"scheduler.type": "WarmupDecayLR", "scheduler.params.warmup_num_steps": 1000},
            {"scheduler.params.warmup_min_lr": 0.0, "scheduler.params.total_num_steps": 10000},
        ),
        "clipping": {"gradient_clipping": 1.0},
        "regularizer": {"optimizer.params.weight_decay": 0.01},
        "other": {"fp16.enabled": True, "zero_optimization.stage": 1, "steps_per_print": 2000},
    },
)
SKLEARN = Configuration(
    "scikit-learn, MLPClassifier",
    "sklearn",
    {
        "batch size": {"batch_size": 200},
        "length": {"max_iter": 200},
        "optimizer choice": {"solver": "adam", "nesterovs_momentum": True},
        "optimizer": {"learning_rate_init": 0.001, "momentum": 0.9, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
        "schedule": {"learning_rate": "constant", "power_t": 0.5},
        "regularizer": {"alpha": 0.0001},
        "architecture": {"hidden_layer_sizes": 100, "activation": "relu"},
        "other": {"tol": 1e-4, "random_state": 0, "early_stopping": False, "validation_fraction": 0.1, "shuffle": True},
    },
)
FCNET = Configuration(
    "FCNet, the search space of the benchmark",
    "benchmarks",
    {
        "batch size": {"batch_size": 16},
        "optimizer": {"init_lr": 0.0005},
        "schedule": {"lr_schedule": "cosine"},
        "regularizer": {"dropout_1": 0.0, "dropout_2": 0.3},
        "architecture": {"n_units_1": 64, "n_units_2": 512, "activation_fn_1": "relu", "activation_fn_2": "tanh"},
    },
)
CONFIGURATIONS = (
    *(TRANSFORMERS, TIMM, NANOGPT, LIGHTNING, KERAS, ALGOPERF, FAIRSEQ, FAIRSEQ_TRAIN, TORCHVISION, IMAGENET),
    *(LANGUAGE, DCGAN, MAE, DETR, DETECTRON2, ULTRALYTICS, MEGATRON, DEEPSPEED, SKLEARN, FCNET),
)
