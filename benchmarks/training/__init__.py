"""The benchmark of training and its peers: `python -m benchmarks.training`.

`law.py` and `material.py` make rows and base models. `ours.py` and `peers/` hold one runner per
mode, and each runs in a fresh process with its own interpreter. `measures.py` defines the measures
and `report.py` writes the tables. `gpu.py` is a session of its own, for one GPU.
"""
