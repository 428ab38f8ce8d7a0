"""What a round runs on: its code, data, packages and machine, and how it is run again."""
