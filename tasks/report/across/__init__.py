"""Several finished rounds, held against each other: nothing is run again."""
