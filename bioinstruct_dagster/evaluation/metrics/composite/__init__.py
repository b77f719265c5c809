"""The judge-free composite: how much of a reference a summary says, and what it says wrongly."""
