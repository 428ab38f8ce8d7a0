"""The only door to Hydra and OmegaConf: overrides and YAML go in, frozen values come out."""
