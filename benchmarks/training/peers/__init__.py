"""The modes measured beside ours, run by the peers' interpreter. `measured.py` is their frame.

Each script uses its peer as the peer's documentation does. Does not belong here: imports of this
project, which those interpreters do not have.
"""
