"""The import of whole instruction sets: rows kept, seconds and memory.

Belongs here: sets of the shapes that people publish, made from a seed, and their import through all
gates. Does not: the gates beside their peers (curation).
"""
