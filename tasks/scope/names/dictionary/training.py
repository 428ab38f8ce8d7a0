"""Spellings of the batch, of gradient accumulation and of the length of training."""

from collections.abc import Mapping

from tasks.scope.names.dictionary.entry import Family

TABLES: Mapping[Family, str] = {
    "batch size": """
batch_size ends
  batch_size           nanogpt keras fairseq timm torchvision mae detr sklearn tunebook
  batch_sizes          common
  batchsize            common
  batch_size_per_gpu   common
  batch_size_per_device common
  batch_size_train     common
  train_bs             common
  train_batch          common
  minibatch_size       common
  mini_batch_size      common
  micro_batch_size     megatron
  microbatch_size      foundry
  global_batch_size    megatron
  train_batch_size     deepspeed
  per_device_batch_size maxtext
  per_device_train_batch_size transformers
  per_gpu_train_batch_size transformers
  train_micro_batch_size_per_gpu deepspeed
  samples_per_gpu      common
  samples_per_batch    common
  tokens_per_batch     common
  ims_per_batch        detectron2
  images_per_batch     common
  examples_per_batch   common
batch_size whole
  num_minibatches      cleanrl
  bs                   common
  bsz                  common
  minibatch            common
  mini_batch           common
batch_size whole
  dataset.max_tokens   fairseq
batch_size alone
  batch                ultralytics
""",
    "evaluation batch size": """
evaluation_batch_size whole
  eval_batch_size      tunebook
  per_device_eval_batch_size transformers
  validation_batch_size keras
  val_batch_size       common
  valid_batch_size     common
  test_batch_size      examples
  batch_size_valid     fairseq
  batch_size_val       common
  batch_size_eval      common
  batch_size_test      common
  max_tokens_valid     fairseq
""",
    "accumulation": """
accumulation ends
  gradient_accumulation_steps transformers nanogpt deepspeed keras
  gradient_accumulation common
  grad_accumulation    common
  grad_accumulation_steps common
  grad_accum_steps     timm
  grad_accum           common
  accumulate_grad_batches lightning
  accumulation_steps   common
  accum_steps          common
  accum_iter           mae
  accum_grad           common
  grad_acc_steps       common
  grad_acc             common
  gas                  common
  update_freq          fairseq
  accumulative_counts  common
  iter_size            common
""",
    "length": """
max_train_steps whole
  max_train_steps      tunebook
  num_train_steps      common
  total_train_steps    common
  train_steps          common
  training_steps       common
  num_training_steps   common
  train_iters          megatron
  train_iterations     common
  train_samples        megatron
  max_update           fairseq
  max_updates          common
  num_updates          common
  num_train_epochs     transformers
  train_epochs         common
  training_epochs      common
  max_epoch            fairseq
  max_epochs           lightning
  epoch_repeats        timm
  num_epochs           common
  n_epochs             examples
  total_epochs         common
  nb_epochs            common
  nb_epoch             common
  epochs               keras timm torchvision mae detr ultralytics examples
  epoch                common
  max_duration         common
  train_time           common
  max_train_time       common
  steps_per_epoch      keras
  max_steps_per_epoch  torchtune
  total_timesteps      cleanrl
  limit_train_batches  lightning
  train_tokens         common
  num_train_tokens     common
max_train_steps alone
  steps                maxtext
  n_steps              common
  num_steps            common
  max_steps            transformers lightning
  total_steps          torch
  iterations           common
  num_iterations       common
  n_iterations         common
  max_iterations       common
  n_iter               common
  num_iter             common
  num_iters            common
  max_iters            nanogpt
  max_iter             sklearn detectron2
  total_iters          common
  iters                common
  niter                examples
  max_time             lightning
  min_epochs           lightning
  min_steps            lightning
  duration             common
""",
}
