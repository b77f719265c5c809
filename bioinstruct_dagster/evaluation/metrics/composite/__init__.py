"""The judge-free composite: how much of a reference a summary says, and what it says wrongly.

`composite` of `score` is the metric. `python -m bioinstruct_dagster.evaluation.metrics.composite`
scores a file.
"""

from bioinstruct_dagster.evaluation.metrics.composite.score import Composite, composite

__all__ = ["Composite", "composite"]
