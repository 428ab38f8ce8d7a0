"""May we believe it, and what did we learn? The checks, isolation, and what the round taught."""
