"""Questions about the training pipeline: its validation set, and whether the model can fit at all."""
