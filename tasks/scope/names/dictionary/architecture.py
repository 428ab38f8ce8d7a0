"""Spellings of architecture: what is built, how deep, how wide, and of which parts."""

from collections.abc import Mapping

from tasks.scope.names.dictionary.entry import Family

TABLES: Mapping[Family, str] = {
    "architecture": """
architecture alone
  model                timm mae torchvision ultralytics
  net                  common
  network              common
architecture whole
  arch                 fairseq examples
  architecture         tunebook
  backbone             detr
  model_name           common
  model_type           transformers
  model_name_or_path   transformers
  model_arch           common
  model_size           common
  network_type         common
  encoder_type         common
  decoder_type         common
architecture inside
  component            torchtune
  name                 fairseq common
  type                 common
  target               common
  class_path           lightning
  size                 common
  dim                  common
  dims                 common
  hidden               common
  variant              common
layers ends
  layers               fairseq tunebook
  n_layer              nanogpt transformers
  n_layers             common
  num_layers           megatron
  num_layer            common
  nlayers              examples
  n_hidden_layers      common
  num_hidden_layers    transformers
  hidden_layers        common
  enc_layers           detr
  dec_layers           detr
  num_decoder_layers   maxtext
  num_blocks           common
  n_blocks             common
  blocks               common
  block_depth          common
  num_res_blocks       common
  num_stages           common
  layers_per_block     common
  num_convs            detectron2
layers whole
  depth                benchmarks detectron2 tunebook
  model_depth          common
  net_depth            common
  network_depth        common
  depth_multiplier     common
  depths               common
  num_convolutions     common
width ends
  width                benchmarks tunebook
  hidden_size          transformers megatron
  hidden_sizes         common
  hidden_layer_sizes   sklearn
  hidden_dim           detr examples
  hidden_dims          common
  hidden_units         common
  hidden_features      common
  hidden_channels      common
  hidden_width         common
  num_hidden           common
  n_hidden             common
  nhid                 examples
  n_units              benchmarks
  num_units            common
  units                keras
  neurons              common
  n_neurons            common
  d_model              common
  dim_model            common
  model_dim            common
  d_ff                 common
  ffn_dim              common
  ffn_embed_dim        fairseq
  ffn_hidden_size      megatron
  dim_feedforward      detr
  intermediate_size    transformers
  mlp_dim              maxtext
  mlp_ratio            common
  mlp_hidden_size      common
  n_inner              transformers
  n_embd               nanogpt transformers
  n_embed              common
  embed_dim            fairseq
  embedding_dim        common
  embedding_size       common
  embed_size           common
  emb_dim              maxtext
  emsize               examples
  emb_size             common
  head_dim             maxtext
  channels             common
  num_channels         common
  n_channels           common
  base_channels        common
  out_channels         detectron2
  filters              keras
  num_filters          common
  n_filters            common
  width_per_group      detectron2
  width_multiplier     common
  ngf                  examples
  ndf                  examples
  nz                   examples
  latent_dim           common
  bottleneck_dim       common
width whole
  hidden               common
  hid_dim              common
heads ends
  heads                common
  n_head               nanogpt transformers
  n_heads              common
  num_heads            maxtext examples
  num_head             common
  nhead                examples
  nheads               detr
  num_attention_heads  transformers megatron
  attention_heads      fairseq
  attn_heads           common
  num_query_heads      maxtext
  num_key_value_heads  transformers
  num_kv_heads         maxtext
kernel ends
  kernel_size          keras
  kernel_sizes         common
  num_kernels          common
  kernel_num           common
  patch_size           timm
  num_groups           detectron2
  dilation             detr
  strides              keras
  num_experts          common
  lora_rank            common
  lora_r               common
  lora_alpha           torchtune
  expansion_ratio      foundry
  codebook_size        common
kernel whole
  kernel               common
activation ends
  activation           keras sklearn tunebook
  activation_fn        fairseq benchmarks
  activation_function  transformers
  hidden_act           transformers
  act_fn               common
  act_layer            timm
  nonlinearity         common
activation whole
  act                  common
  nonlin               common
normalization ends
  normalization        tunebook
  normalisation        common
  normalization_layer  common
  norm_layer           timm
  norm_type            common
  use_batch_norm       common
  batch_norm           common
  batchnorm            common
  layer_norm           common
  layernorm            common
  use_rmsnorm          nanogpt
  normalize_before     fairseq
  pre_norm             detr
  norm_first           common
  sync_bn              timm
  bn_sync              openclip
normalization whole
  norm                 detectron2
pooling ends
  pooling              common
  pool_type            common
  global_pool          mae
residual ends
  residual             common
  residuals            common
  use_residual         common
  skip_connections     common
  skip_connection      common
position whole
  position_embedding   detr
  position_embedding_type transformers
  rope_theta           transformers
  block_size           nanogpt
  bias                 nanogpt
  tied                 examples
  tie_weights          common
  use_bias             keras
""",
}
