"""A round's life: planned, begun or gone on with, watched, stopped, closed."""
