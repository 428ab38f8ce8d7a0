"""Trials as child processes of this machine: forked, watched, killed, reaped."""
