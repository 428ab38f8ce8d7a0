"""Questions about the search: its edges, walls, density and size, and which hyperparameters matter."""
