"""The peer's runner, and the pins of its environment.

A runner imports nothing of this project, because its environment does not have it.
"""
