"""The category gate: what kind of task each kept row is."""
