"""The five rooms of a round, in the order in which data flows, and the three stores beside them."""
