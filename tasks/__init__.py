"""The six rooms of a round, in the order in which data flows; the ground floor; the ledger and the tracking."""
