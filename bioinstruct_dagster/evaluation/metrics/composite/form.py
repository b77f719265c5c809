"""Whether a text has the form of a summary: short, and not copied from its source.

Without this, a copy of the source would win: it says all that the reference says, and nothing that
the source does not say. Belongs here: length and copied runs of words. Does not: what a text says.
"""

from bioinstruct_dagster.evaluation.metrics.composite.weights import CompositeWeights


def brevity(reference: str, summary: str, weights: CompositeWeights) -> float:
    """1 for a summary of at most the allowed length; beyond it, the allowed part of the length."""
    allowed = weights.length_allowed * len(reference.split()) + weights.words_allowed
    return min(1.0, allowed / max(1, len(summary.split())))


def own_words(source: str, reference: str, summary: str, weights: CompositeWeights) -> float:
    """1 for a summary in its own words, less for one that copies long runs from the source.

    A run that the reference has too is not copied: the person who wrote it kept it as well.
    """
    words = summary.lower().split()
    if not words:
        return 1.0
    length = weights.copied_run
    runs = _runs(source, length) - _runs(reference, length)
    copied = [False] * len(words)
    for start in range(len(words) - length + 1):
        if tuple(words[start : start + length]) in runs:
            copied[start : start + length] = [True] * length
    return 1.0 - weights.copied * sum(copied) / len(words)


def _runs(text: str, length: int) -> set[tuple[str, ...]]:
    words = text.lower().split()
    return {tuple(words[start : start + length]) for start in range(len(words) - length + 1)}
