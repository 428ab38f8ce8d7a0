"""Trials as child processes of this machine."""
