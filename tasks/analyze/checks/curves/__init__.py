"""Questions about the training curves."""
