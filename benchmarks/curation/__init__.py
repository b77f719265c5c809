"""The benchmark of curation and its peers: `python -m benchmarks.curation`.

`texts.py` and `rows.py` make the texts. `ours.py` and `peers/` hold one runner per measure, and
each runs in a fresh process with its own interpreter. `measures.py` defines the measures and
`report.py` writes the tables. No runner imports another.
"""
