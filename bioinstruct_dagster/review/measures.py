"""What reviews say about the set and its filters: defect rate, precision, categories, agreement.

Belongs here: what each figure counts. Does not: its interval (estimates, kappa), or the rows'
reviews (row_reviews).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

from bioinstruct_dagster.review.estimates import StratumCount, weighted_share
from bioinstruct_dagster.review.kappa import kappa_with_interval
from bioinstruct_dagster.review.row_reviews import RowReview

# Which filters a reviewer cannot judge blindly, and why.
NOT_BLIND: Mapping[str, str] = {
    "privacy": "the identifiers are masked, so the reviewer judged by kind and context",
    "contamination": "the reviewer saw the words shared with the evaluation item, not the item",
}
DEFECT_NOTE = "of the rows that the gates kept, before rejected rows were taken out"
_SURE = ("accept", "reject")


@dataclass(frozen=True)
class SampledStratum:
    """A stratum as the last sample knows it.

    Attributes:
        name: of the stratum.
        kind: kept | uncertain | rejected.
        gate: that rejected the rows; None if they are kept.
        population: rows of the stratum.
        row_ids: of its sample.
    """

    name: str
    kind: str
    gate: str | None
    population: int
    row_ids: frozenset[str]


@dataclass(frozen=True)
class Measure:
    """One figure of the review.

    Attributes:
        figure: defect_rate | filter_precision | category_accuracy | kappa_decision |
            kappa_category.
        subject: which rows, filter or pair of reviewers it is about.
        value: a share from 0 to 1, or kappa.
        low: lower end of the 95 % interval; None if there is none.
        high: upper end; None likewise.
        judged: rows that it rests on.
        population: rows that these stand for; for kappa, the same rows.
        not_covered: rows of strata in which nothing was judged.
        note: what a reader must know beside it; may be empty.
    """

    figure: str
    subject: str
    value: float
    low: float | None
    high: float | None
    judged: int
    population: int
    not_covered: int
    note: str


class _Question(NamedTuple):
    """What a share counts: of the reviews that `counts`, those with a `hit`."""

    figure: str
    counts: Callable[[RowReview], bool]
    hit: Callable[[RowReview], bool]
    finite: bool = True  # about these rows alone, not about others of their kind


def measures(strata: Sequence[SampledStratum], reviews: Mapping[str, RowReview]) -> list[Measure]:
    """All figures that the reviews allow.

    Args:
        strata: of the last sample.
        reviews: by row. Rows outside the sample count in no share.
    """
    kept = [one for one in strata if one.kind != "rejected"]
    rejected = [one for one in strata if one.kind == "rejected"]
    uncertain = [one for one in kept if one.kind == "uncertain"]
    others = [one for one in kept if one.kind == "kept"]
    defects = [("all kept rows", kept, DEFECT_NOTE)]
    defects += [(one.name, [one], DEFECT_NOTE) for one in kept]
    precisions = [("all filters", rejected, "")]
    precisions += [(one.gate or "", [one], NOT_BLIND.get(one.gate or "", "")) for one in rejected]
    categories = [
        ("all kept rows", kept, ""),
        ("uncertain categories", uncertain, ""),
        ("other categories", others, ""),
    ]
    asked = [(_DEFECT, group) for group in defects]
    asked += [(_PRECISION, group) for group in precisions]
    asked += [(_CATEGORY, group) for group in categories]
    shares = [
        _share(question, subject, some, reviews, note) for question, (subject, some, note) in asked
    ]
    return [*(share for share in shares if share), *_agreement(reviews.values())]


def _share(
    question: _Question,
    subject: str,
    strata: Sequence[SampledStratum],
    reviews: Mapping[str, RowReview],
    note: str,
) -> Measure | None:
    """A share over strata; None if nothing was judged that it needs."""
    found = []
    for one in strata:
        judged = [reviews[row_id] for row_id in one.row_ids if row_id in reviews]
        judged = [review for review in judged if question.counts(review)]
        found.append(StratumCount(one.population, len(judged), sum(map(question.hit, judged))))
    share = weighted_share(found, finite=question.finite)
    if share is None:
        return None
    return Measure(
        question.figure,
        subject,
        share.value,
        share.low,
        share.high,
        share.judged,
        share.population,
        share.not_covered,
        note,
    )


def _agreement(reviews: Iterable[RowReview]) -> Iterator[Measure]:
    """Kappa of each pair of reviewers, on the rows that both judged."""
    decisions: dict[tuple[str, str], list[tuple[str, str]]] = {}
    categories: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for review in reviews:
        for one, other in combinations(review.judgements, 2):
            pair = (one.reviewer, other.reviewer)
            if one.decision in _SURE and other.decision in _SURE:
                decisions.setdefault(pair, []).append((one.decision, other.decision))
            if one.category and other.category:
                categories.setdefault(pair, []).append((one.category, other.category))
    for figure, by_pair in (("kappa_decision", decisions), ("kappa_category", categories)):
        for pair, answers in sorted(by_pair.items()):
            if (kappa := kappa_with_interval(answers)) is not None:
                yield Measure(
                    figure,
                    " and ".join(pair),
                    kappa.value,
                    kappa.low,
                    kappa.high,
                    kappa.rows,
                    kappa.rows,
                    0,
                    "of the sampled rows, not weighted"
                    + ("" if kappa.low is not None else "; all answers agree, so no interval"),
                )


def _decided(review: RowReview) -> bool:
    return review.decision in _SURE


def _rejects(review: RowReview) -> bool:
    return review.decision == "reject"


def _named(review: RowReview) -> bool:
    return review.category is not None and review.row.category is not None


def _same_category(review: RowReview) -> bool:
    return review.category == review.row.category


_DEFECT = _Question("defect_rate", _decided, _rejects)
_PRECISION = _Question("filter_precision", _decided, _rejects, finite=False)
_CATEGORY = _Question("category_accuracy", _named, _same_category)
