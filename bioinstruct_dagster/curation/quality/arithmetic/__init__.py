"""Figures in a row: doses, conversions, sums, and whether they agree."""
