"""Stage 1: the expert-written seed tasks."""
