"""The guards: what can be said of a round before any compute is spent."""
