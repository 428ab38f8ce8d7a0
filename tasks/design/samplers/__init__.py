"""The samplers, one file each, and what a sampler is."""
