"""Comparisons of several finished rounds; nothing is run again."""
