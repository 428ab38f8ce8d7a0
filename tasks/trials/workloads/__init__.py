"""Workloads that come with the project: embedded data sets, small models, and landscapes without a model."""
