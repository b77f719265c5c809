"""Whether an input holds the text that its task needs. `check` decides; the other modules read."""
