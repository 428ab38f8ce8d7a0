"""The checks: one file a question, by what it is asked of."""
