"""Recomputes the figures of a row: doses, conversions, sums, shares and the body-mass index."""
