"""Promote: better, or luck? Fresh paired-seed retrains, the gate that judges them, and the incumbent."""
