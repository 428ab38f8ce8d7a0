"""Trials that ran elsewhere: tables, Optuna's studies, MLflow's experiments."""
