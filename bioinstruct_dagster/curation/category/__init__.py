"""The category gate: labels each kept row with a kind of task."""
