"""Conclusions without a gate of repeats: no retrains in the budget, or a workload without noise."""
