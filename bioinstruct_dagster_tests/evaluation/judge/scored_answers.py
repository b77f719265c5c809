"""Made-up answers with scores by people, for the tests of how a judge is measured.

Belongs here: their making. Does not: real human scores, which no test copies.
"""

import random

from bioinstruct_dagster.evaluation.judge.grades import SHARES, Grade, GradedText
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore

FACTS = 20  # of each reference
WORDS = ("cough", "fever", "rash", "pain", "nausea", "ibuprofen", "knee", "monday", "smoker")


def scored_answers(sources, *, seed=1, writers=()):
    """Four answers to each source. What people say of them does not depend on their lengths."""
    rng = random.Random(seed)
    return tuple(
        _scored(rng, source, place, writers[place % len(writers)] if writers else "")
        for source in range(sources)
        for place in range(4)
    )


def _scored(rng, source, place, writer):
    right, wrong = rng.randint(1, FACTS), rng.randint(0, 3)
    recall, precision = right / FACTS, right / (right + wrong)
    shares = {
        "factual_recall": recall,
        "factual_precision": precision,
        "factual_f1": 2 * recall * precision / (recall + precision),
        "hallucination_rate": wrong / (right + wrong),
        "omission_rate": 1 - recall,
    }
    words = " ".join(rng.choices(WORDS, k=rng.randint(3, 30)))
    text = GradedText(f"Talk {source}.", f"Note {source}: pain.", f"{source}.{place} {words}")
    return HumanScore(text, tuple(shares[name] for name in SHARES), writer)


def true_grade(score, *, slip=0):
    """The grade of a judge that counts as people do, up to a slip."""
    right = round((score.share("factual_recall") or 0) * FACTS)
    total = round(right / (score.share("factual_precision") or 1))
    right = min(FACTS, max(1, right + slip))
    return Grade(right, 0, FACTS - right, right, 0, max(0, total - right))


def length_grade(score):
    """The grade of a judge that counts words alone."""
    words = min(FACTS, len(score.text.answer.split()) // 2)
    return Grade(words, 0, FACTS + 1 - words, words, 0, 1)
