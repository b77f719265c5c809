"""The benchmark of generation clients: `python -m benchmarks.generation`.

All clients send their requests to `server.py`, which runs in its own process. `ours.py` and each
script in `peers/` is one client, run by its own interpreter. `measures.py` defines the measures and
`report.py` writes the tables. No client imports another. Every figure comes from the server's
ledger or the client's clocks.
"""
