"""What the command `history` is made of: rounds and audits found by their ids, listed, shown, compared."""
