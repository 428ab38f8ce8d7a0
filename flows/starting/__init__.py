"""What `init` writes: an example that runs, or a first workload read from a script's argparse."""
