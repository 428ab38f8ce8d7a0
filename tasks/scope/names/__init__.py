"""What a hyperparameter is by its name, and what can be guessed of a space that was not declared."""
