"""What do we want to learn? The goal, the role of every hyperparameter, and the guards that speak before compute."""
