"""Run them: the workload contract, a child process a trial, the training loop, checkpoints, workloads."""
