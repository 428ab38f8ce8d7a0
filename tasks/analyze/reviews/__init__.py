"""Reviews: checks that look at the findings of the checks before them."""
