"""Second looks at kept rows, without the verdicts that the store holds.

Belongs here: the most similar pair of a sample, and identifiers that a gate should have found. Does
not: the checks that report them (curation.checks), or the gates.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.novelty.rule import (
    MEASURES,
    members_of_measures,
    rouge_l_f1_of_texts,
)


class SimilarPair(NamedTuple):
    """Two rows and the ROUGE-L F1 of their instructions."""

    first: str
    second: str
    score: float


def most_similar_pair(rows: Sequence[Mapping[str, Any]]) -> SimilarPair | None:
    """The two rows whose instructions are most similar; None if no two can be compared.

    Args:
        rows: with row_id and instruction.
    """
    instructions = [row["instruction"] for row in rows]
    best: SimilarPair | None = None
    for measure, members in zip(MEASURES, members_of_measures(instructions), strict=True):
        texts = [instructions[i] for i in members]
        if len(texts) < 2:  # noqa: PLR2004  # a pair
            continue
        scores = rouge_l_f1_of_texts(texts, texts, measure)
        for i in range(len(texts)):
            scores[i, i] = -1.0
        i, j = divmod(int(scores.argmax()), len(texts))
        score = float(scores[i, j])
        if best is None or score > best.score:
            best = SimilarPair(rows[members[i]]["row_id"], rows[members[j]]["row_id"], score)
    return best


def rows_with_identifiers(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """The kinds of identifier that a new scan finds, by row id. Other rows are absent.

    The rules of the privacy gate read the texts again. Its language model does not.

    Args:
        rows: with row_id and the three texts.
    """
    from bioinstruct_dagster.curation.privacy.scan import scan  # with lists of countries

    found: dict[str, list[str]] = {}
    for row in rows:
        spans = [span for of_field in scan(RowTexts.of(row)).found for span in of_field]
        if spans:
            found[row["row_id"]] = sorted({span.kind for span in spans})
    return found


def kinds_in_words(found: Mapping[str, Sequence[str]]) -> str:
    """How many rows hold each kind of identifier, such as "date: 2, name: 1"."""
    counts = Counter(kind for kinds in found.values() for kind in kinds)
    return ", ".join(f"{kind.replace('_', ' ')}: {n}" for kind, n in counts.most_common())
