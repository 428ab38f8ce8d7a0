"""A Python script as a syntax tree: its arguments and its metrics are read, and nothing of it is ever run."""
