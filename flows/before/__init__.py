"""Before compute is spent: the round as a plan, what it costs and can show, and its program on trial."""
