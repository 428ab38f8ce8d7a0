"""Who is called when: the flows and the commands."""
