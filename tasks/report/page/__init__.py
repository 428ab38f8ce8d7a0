"""The page of a round: one HTML file that opens from disk."""
