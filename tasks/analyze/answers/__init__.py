"""The answers to the questions, by kind of goal: what the trials say by themselves."""
