"""Questions about the values that are compared."""
