"""Better, or luck? Fresh retrains on paired seeds, the gate that judges them, the verdict and the next command."""
