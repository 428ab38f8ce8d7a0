"""May we believe it, and what did we learn? One module a family of checks, isolation, plots, the report."""
