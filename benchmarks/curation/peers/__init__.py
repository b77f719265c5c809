"""One small script per peer, run by that peer's own interpreter; `measured.py` is their frame.

Each uses the peer as its documentation does. Does not belong here: anything of this project, which
those interpreters don't have.
"""
