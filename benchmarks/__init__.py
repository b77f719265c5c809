"""Benchmarks of this project and its peers. The package imports nothing from here."""
