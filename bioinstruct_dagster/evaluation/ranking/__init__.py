"""Experiments beside each other: which scores may be ranked, and how a report prints them."""
