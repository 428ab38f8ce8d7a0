"""Which experiments answer it? Quasi-random points and studies."""
