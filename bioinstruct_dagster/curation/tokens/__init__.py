"""Texts as numbers, and the loops over them that several gates share."""
