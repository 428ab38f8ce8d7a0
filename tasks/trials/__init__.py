"""Run them: the workload contract, trials in child processes, the training loop, checkpoints, workloads."""
