"""Confidence intervals and comparisons of scores."""
