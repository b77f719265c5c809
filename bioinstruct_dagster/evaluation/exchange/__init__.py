"""Scores in the shared formats of the field, and on the adapter's card."""
