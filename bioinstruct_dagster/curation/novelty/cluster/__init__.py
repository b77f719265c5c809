"""Novelty past one machine: the index in shards on a Ray cluster."""
