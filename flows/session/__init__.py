"""A round's life: planned, begun or resumed, watched, stopped, closed."""
