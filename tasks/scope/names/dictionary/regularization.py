"""Spellings of regularizers, of their strengths and switches, and of data augmentation."""

from collections.abc import Mapping

from tasks.scope.names.dictionary.entry import Family

TABLES: Mapping[Family, str] = {
    "regularizer": """
regularizer whole
  regularizer          tunebook
  regulariser          common
  regularization       common
  regularisation       common
  regularization_type  common
  kernel_regularizer   keras
  bias_regularizer     keras
  activity_regularizer keras
weight_decay starts
  weight_decay         torch keras transformers nanogpt timm fairseq lightning algoperf mae detr detectron2 ultralytics
weight_decay ends
  wd                   torchvision examples
  weight_decay_rate    common
  decoupled_weight_decay common
  adam_weight_decay    keras
l2 whole
  l2                   common
  l2_reg               common
  l2_regularization    common
  l2_regularization_strength keras
  l2_strength          common
  l2_penalty           common
  l2_lambda            common
  l2_weight            common
  l2_coef              common
  reg_lambda           common
  lambda_l2            common
  reg_strength         common
  regularization_strength common
  reg                  common
l1 whole
  l1                   common
  l1_reg               common
  l1_regularization    common
  l1_regularization_strength keras
  l1_strength          common
  l1_penalty           common
  l1_lambda            common
  l1_weight            common
  l1_coef              common
  lambda_l1            common
  reg_alpha            common
dropout starts
  dropout              nanogpt fairseq transformers detr ultralytics examples tunebook
dropout ends
  dropout_rate         algoperf keras
  dropout_prob         transformers
  dropout_probability  common
  dropout_p            examples
  p_dropout            common
  dropout_ratio        common
  keep_prob            common
  pdrop                transformers
  p_drop               ultralytics
  drop_rate            common
  drop_prob            common
  layerdrop            fairseq
  layer_drop           common
  drop_block           timm
dropout alone
  drop                 timm
drop_path starts
  drop_path            timm mae
drop_path ends
  drop_connect         timm
  droppath             common
  drop_path_rate       common
  stochastic_depth     common
  stochastic_depth_prob common
  stochastic_depth_rate common
  survival_prob        common
label_smoothing ends
  label_smoothing      keras fairseq torchvision algoperf tunebook
  label_smoothing_factor transformers
  ls_alpha             common
  label_smooth         common
  cls_ls               ultralytics
label_smoothing whole
  smoothing            timm mae
noise ends
  gaussian_noise       keras
  input_noise          common
  weight_noise         common
  neftune_noise_alpha  transformers
gradient_penalty whole
  gradient_penalty     common
  gp_weight            common
  r1_gamma             common
z_loss whole
  z_loss               common
  z_loss_multiplier    common
""",
    "augmentation": """
augmentation starts
  augmentation         common
  augment              common
  aug                  common
  data_aug             common
  data_augmentation    common
  augs                 common
  augmentations        common
  randaugment          common
  rand_augment         keras
  auto_augment         torchvision ultralytics
  autoaugment          common
  trivial_augment      common
  augmix               common
augmentation ends
  aug_policy           common
  augmentation_policy  common
  augmentation_strength common
  aug_strength         common
  no_aug               timm
augmentation whole
  transform            common
  transforms           common
  aa                   timm mae
  ra_magnitude         common
  ra_num_ops           common
  aug_repeats          timm
  aug_splits           timm
  repeated_aug         common
  ra_sampler           torchvision
  train_crop_mode      timm
  tta                  timm
mixup starts
  mixup                timm mae ultralytics
mixup ends
  mixup_alpha          torchvision
  mix_up               keras
cutmix starts
  cutmix               timm mae ultralytics
cutmix ends
  cutmix_alpha         torchvision
  cut_mix              keras
random_erasing starts
  random_erasing       keras
  random_erase         torchvision
  cutout               common
random_erasing whole
  reprob               timm mae
  remode               timm mae
  recount              timm mae
  resplit              timm mae
  erasing              ultralytics
color_jitter starts
  color_jitter         timm mae
  hsv                  ultralytics
geometry whole
  hflip                timm
  vflip                timm
  fliplr               ultralytics
  flipud               ultralytics
  degrees              ultralytics
  translate            ultralytics
  shear                ultralytics
  perspective          ultralytics
  mosaic               ultralytics
  close_mosaic         ultralytics
  copy_paste           ultralytics
  random_crop          keras
  random_flip          keras
  random_rotation      keras
  random_zoom          keras
  rotation_range       common
  zoom_range           common
  crop_scale           common
  horizontal_flip      common
  grayscale_prob       timm
  gaussian_blur_prob   timm
  color_jitter_prob    timm
masking whole
  spec_augment         common
  specaugment          common
  mask_prob            fairseq
  mask_length          fairseq
  mask_channel_prob    fairseq
  mask_channel_length  fairseq
  time_mask            common
  freq_mask            common
""",
}
