"""The commands, the spine of a round, and what both are made of."""
