"""Scores over several tasks, and over several seeds of one recipe."""
