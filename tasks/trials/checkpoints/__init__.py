"""Checkpoints that can be trusted, and whether a program goes on from one as if nothing had happened."""
