"""`tasks.trials.supervised`: the project's own training loop as a workload; its function is `training.train`."""
