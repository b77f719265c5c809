"""Generation clients side by side: `python -m benchmarks.generation`.

`server.py` is the endpoint all of them talk to, in a process of its own; `ours.py` and `peers/` are
one client each, run by its own interpreter; `measures.py` says what is run, `report.py` what is
written. No client knows of another, and every figure is read off the server's ledger or the
client's own clocks.
"""
