"""`tasks.trials.command`: any program, in any language, as a workload; its function is `program.run`."""
