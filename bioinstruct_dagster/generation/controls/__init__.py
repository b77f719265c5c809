"""Prompt controls: what new tasks are asked to be, by share, and what rows show of it."""
