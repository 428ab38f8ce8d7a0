"""Checkpoints that can be trusted, and whether a program resumes from them as if it had never been killed."""
