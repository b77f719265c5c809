"""Curation side by side with its peers: `python -m benchmarks.curation`.

`texts.py` and `rows.py` make the material; `ours.py` and `peers/` hold one runner per measure, each
run in a fresh process by its own interpreter; `measures.py` says what is run, `report.py` what is
written. No runner knows of another.
"""
