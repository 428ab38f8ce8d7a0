"""The dictionary of names: what the hyperparameters of training are called in the projects that people train with."""
