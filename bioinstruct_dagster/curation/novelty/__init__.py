"""The novelty gate: rows that repeat a seed or an earlier row."""
