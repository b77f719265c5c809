"""Decides by learned signs whether an input holds what its task needs, and names the signs.

It judges what no written form settles: short inputs whose wording is new. Belongs here: the
decision, and the strongest signs for it. Does not: the signs (signs), their weights
(grounding_weights), or their wording (sign_texts).
"""

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.grounding.learned.sign_texts import sign_texts
from bioinstruct_dagster.curation.quality.grounding.learned.signs import (
    TASK_WORD,
    asked_signs,
    is_short,
    told_signs,
)
from bioinstruct_dagster.curation.quality.grounding_weights import (
    DIGITS,
    LearnedWeights,
    Signs,
    asked_factor,
)
from bioinstruct_dagster.curation.quality.wording import RuleMatch, excerpt

MOST_TOLD = 5.0  # that an output adds to a score: the input decides first
LEAST_KNOWN_SHARE = 0.5  # of the words of a task that the judge can read


class LearnedJudge:
    """Scores rows by the weights of their signs.

    Args:
        weights: of the signs.
        least_score: a row of this score or more is ungrounded.
    """

    def __init__(self, weights: LearnedWeights, least_score: float) -> None:
        self._weights, self._least = weights, least_score
        self._promising = least_score - MOST_TOLD

    def check(self, row: RowTexts) -> RuleMatch | None:
        """The match for an input without what its task needs, with the strongest signs for it."""
        text = row.input.strip()
        if not is_short(text):
            return None
        asked = asked_signs(row.instruction, text)
        score = self._weights.asked_score(asked.signs)
        # Most rows are so clearly sound that no output could change it.
        if score < self._promising or not self._reads(asked.signs):
            return None
        told: Signs = []
        if row.output:
            told = told_signs(row.output, text, row.instruction, asked)
            score += min(MOST_TOLD, self._weights.told_score(told))
        score = round(score, DIGITS)
        if score < self._least:
            return None
        saw = excerpt(text or row.instruction)
        signs = self._strongest(asked.signs, told)
        return RuleMatch({"saw": saw, "as": "learned", "signs": signs}, score=score)

    def _reads(self, signs: Signs) -> bool:
        """Whether the judge knows the words of the task, which it doesn't in another language."""
        words = next(values for kind, values in signs if kind == TASK_WORD)
        known = sum(self._weights.knows(TASK_WORD, word) for word in words)
        return known > 0 and known >= LEAST_KNOWN_SHARE * len(words)

    def _strongest(self, asked: Signs, told: Signs) -> list[str]:
        """The signs that speak most for an ungrounded input, in words."""
        factor = asked_factor(asked)
        gains = [
            (-gain * scale, kind, value)
            for signs, weights, scale in (
                (asked, self._weights.asked, factor),
                (told, self._weights.told, 1.0),
            )
            for kind, values in signs
            for value in values
            if (gain := weights.get(kind, {}).get(value, 0)) > 0
        ]
        return sign_texts((kind, value) for _, kind, value in sorted(gains))
