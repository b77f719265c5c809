"""Metrics: what one item is worth, from a result and the right answer. No statistics, no model."""
