"""Intervals and pairwise comparisons of stored scores, over items and seeds."""
