"""Spellings of what the optimizer is, of its hyperparameters, of its schedule and of gradient clipping."""

from collections.abc import Mapping

from tasks.scope.names.dictionary.entry import Family

TABLES: Mapping[Family, str] = {
    "optimizer choice": """
optimizer whole
  optimizer            lightning keras fairseq ultralytics deepspeed tunebook
  optimiser            common
  optim                transformers
  opt                  timm torchvision
  optimizer_name       common
  optimizer_type       common
  optimizer_class      common
  optim_type           common
  opt_type             maxtext
  opt_name             common
optimizer inside
  component            torchtune
  name                 fairseq common
  type                 deepspeed
  class                common
  class_path           lightning
  target               common
  kind                 common
  cls                  common
nesterov whole
  nesterov             torch keras detectron2
  use_nesterov         common
  nesterovs_momentum   sklearn
""",
    "optimizer": """
learning_rate ends
  learning_rate        transformers nanogpt keras algoperf maxtext tunebook
  lr                   torch timm fairseq lightning torchvision examples mae detr
  base_lr              detectron2
  lr_base              timm
  base_learning_rate   common
  initial_learning_rate keras
  initial_lr           common
  init_lr              common
  learning_rate_init   sklearn
  lr_init              common
  peak_lr              common
  max_lr               torch
  blr                  mae
  lr0                  ultralytics
  lrate                common
part_learning_rate whole
  lr_backbone          detr
  lr_head              common
  lr_encoder           common
  lr_decoder           common
  lr_actor             common
  lr_critic            common
  lr_g                 common
  lr_d                 common
learning_rate inside
  rate                 common
  step_size            common
  alpha0               common
one_minus_momentum alone
  momentum             torch keras timm fairseq detectron2 sklearn ultralytics torchvision
  one_minus_momentum   tunebook
  sgd_momentum         common
  optimizer_momentum   common
  nesterov_momentum    common
  mom                  common
one_minus_beta1 alone
  beta1                nanogpt fairseq algoperf
  beta_1               keras sklearn
  b1                   common
  one_minus_beta1      algoperf tunebook
  one_minus_beta_1     common
  adam_beta1           transformers megatron
  adam_beta_1          common
  adam_b1              maxtext
one_minus_beta2 alone
  beta2                nanogpt algoperf
  beta_2               keras sklearn
  b2                   common
  one_minus_beta2      algoperf tunebook
  one_minus_beta_2     common
  adam_beta2           transformers megatron
  adam_beta_2          common
  adam_b2              maxtext
betas alone
  betas                torch deepspeed
  adam_betas           fairseq
  opt_betas            timm
epsilon alone
  adam_epsilon         transformers
  adam_eps             fairseq megatron maxtext
  opt_eps              timm
  optimizer_epsilon    common
  optimizer_eps        common
epsilon known
  epsilon              keras sklearn tunebook
  eps                  torch deepspeed
one_minus_rho known
  rho                  keras torch
  alpha                torch
  one_minus_rho        tunebook
one_minus_beta1 inside
  beta                 examples
momentum_decay known
  momentum_decay       torch
beta2_decay alone
  adafactor_decay_rate common
  beta_2_decay         keras
  beta2_decay          torch
beta2_decay known
  decay_rate           fairseq
clip_threshold known
  clip_threshold       fairseq keras
initial_accumulator_value alone
  initial_accumulator_value keras torch
dampening alone
  dampening            torch
amsgrad whole
  amsgrad              torch keras
layerwise_decay ends
  layer_decay          timm mae openclip
layerwise_decay whole
  layerwise_lr_decay   common
  llrd                 common
part_learning_rate whole
  bias_lr_factor       detectron2
  lr_mult              common
""",
    "schedule": """
scheduler whole
  schedule             tunebook
  scheduler            deepspeed
  lr_scheduler         lightning fairseq torchvision
  lr_schedule          benchmarks
  learning_rate_schedule keras
  lr_scheduler_type    transformers
  lr_scheduler_name    detectron2
  sched                timm
  scheduler_type       common
  scheduler_name       common
  schedule_type        common
  lr_decay_style       megatron
  decay_lr             nanogpt
  anneal_lr            cleanrl
  skip_scheduler       openclip
  cos_lr               ultralytics
  cosine_lr            common
  lr_policy            common
scheduler inside
  component            torchtune
  name                 fairseq common
  type                 deepspeed
  target               common
  class                common
  class_path           lightning
warmup ends
  warmup               common
  warmup_steps         transformers keras tunebook
  warmup_ratio         transformers
  warmup_factor        algoperf detectron2
  warmup_fraction      common
  warmup_proportion    common
  warmup_iters         nanogpt detectron2
  warmup_iterations    fairseq
  warmup_epochs        timm mae ultralytics
  warmup_epoch         common
  warmup_updates       fairseq
  warmup_samples       megatron
  warmup_tokens        common
  warmup_percent       common
  t_warmup             foundry
  warmup_length        common
  warmup_num_steps     deepspeed
  warmup_steps_fraction maxtext
  pct_start            torch
warmup_method ends
  warmup_method        detectron2 torchvision
  warmup_type          common
  warmup_momentum      ultralytics
warmup_learning_rate ends
  warmup_lr            timm
  warmup_init_lr       fairseq
  warmup_bias_lr       ultralytics
  warmup_learning_rate common
  warmup_min_lr        deepspeed
  warmup_max_lr        deepspeed
  warmup_decay         torchvision
  warmup_target        keras
min_learning_rate ends
  min_lr               nanogpt timm mae fairseq megatron
  lr_min               torchvision
  lr_min_ratio         common
  min_lr_ratio         common
  min_learning_rate    common
  final_lr             common
  final_lr_scale       fairseq
  final_learning_rate  common
  end_learning_rate    keras fairseq
  end_lr               common
  eta_min              torch
  lrf                  ultralytics
  lr_cooldown_end      openclip
  alpha_f              foundry
  start_factor         mmpretrain
  init_lr_scale        fairseq
  final_div_factor     torch
  div_factor           torch
  stop_min_lr          fairseq
decay_steps ends
  decay_steps          keras fairseq
  lr_decay_iters       nanogpt megatron
  lr_decay_steps       common
  lr_decay_samples     megatron
  lr_decay_epochs      common
  decay_epochs         timm
  decay_milestones     timm
  lr_drop              detr
  lr_step_size         torchvision
  lr_period_updates    fairseq
  total_num_update     fairseq
  total_num_steps      deepspeed
  post_warmup_steps    tunebook
  hold_steps           fairseq
  phase_ratio          fairseq
  cooldown_epochs      timm
  epochs_cooldown      openclip
  cooldown_steps       common
  lr_patience          fairseq
  patience_epochs      timm
  t_max                torch
  t_mult               torch fairseq
  t_mul                keras
decay_steps inside
  step_size            torch
  milestones           torch
  steps                detectron2
  patience             torch
decay_rate whole
  lr_gamma             torchvision
  lr_decay             common
  lr_decay_rate        common
  lr_decay_factor      common
  learning_rate_decay  common
  lr_shrink            fairseq
  lr_power             common
  decay_factor         common
  lr_k_decay           timm
  lr_cycle_mul         timm
  lr_cycle_decay       timm
  lr_cycle_limit       timm
  lr_noise             timm
  lr_noise_pct         timm
  lr_noise_std         timm
  lr_cooldown_power    openclip
  power_t              sklearn
decay_rate alone
  decay_rate           timm keras
decay_rate inside
  gamma                torch detectron2 examples
  power                keras fairseq
  factor               torch
  alpha                keras
""",
    "clipping": """
clip_norm ends
  clip_norm            fairseq tunebook
  clip_grad            timm mae
  grad_clip            nanogpt algoperf
  gradient_clip        common
  gradient_clip_val    lightning
  gradient_clip_value  common
  gradient_clipping    deepspeed
  grad_clipping        common
  grad_clip_norm       common
  grad_norm_clip       common
  gradient_clip_norm   common
  clip_grad_norm       torchvision
  clip_gradients       common
  clip_max_norm        detr
  max_grad_norm        transformers
  max_gradient_norm    common
  grad_max_norm        common
  clip_value           detectron2
  clipnorm             keras
  clipvalue            keras
  global_clipnorm      keras
  clip_mode            timm
  clip_type            detectron2
  gradient_clip_algorithm lightning
  clipping_threshold   foundry
  clipping_type        foundry
clip_norm alone
  clip                 examples
  max_norm             torch
""",
}
