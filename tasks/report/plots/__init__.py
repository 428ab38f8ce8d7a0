"""The plots of a round. Matplotlib lives here alone."""
