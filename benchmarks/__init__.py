"""Measurements of this project beside its peers; nothing here is imported by the package."""
