"""The only door to Hydra: overrides and YAML go in, frozen values come out."""
