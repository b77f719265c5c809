"""The benchmark of evaluation and its peer: `python -m benchmarks.evaluation`.

`material.py` makes items, base models and adapters. `ours.py` and `peers/` hold one runner per
tool, and each runs in a fresh process with its own interpreter. `measures.py` defines the measures
of log-likelihoods and `report.py` writes their tables. `generation.py` measures answers,
which `generating.py` computes.
"""
