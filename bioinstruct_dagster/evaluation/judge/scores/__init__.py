"""Scores of a judge: from its grades and choices to rows with intervals."""
