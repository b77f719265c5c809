"""One small script per peer, run by that peer's own interpreter. `measured.py` is their frame.

Each script uses its peer as the peer's documentation does, with cache or checkpoints switched on.
Does not belong here: imports of this project, which those interpreters do not have.
"""
