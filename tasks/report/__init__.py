"""Say it: the round in a terminal, on a page, in plots; and several finished rounds compared."""
