"""Novelty on several machines: the index in shards on a Ray cluster."""
