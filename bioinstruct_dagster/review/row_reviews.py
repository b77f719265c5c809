"""What the judgements of all reviewers come to for each row: decision, category, and what follows.

Belongs here: the rules of agreement. Does not: reading judgements (handed_in.filled_files), or
figures over many rows (measures).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from bioinstruct_dagster.review.handed_in.judgements import RowJudgement
from bioinstruct_dagster.review.population import PopulationRow


@dataclass(frozen=True)
class RowReview:
    """The review of one row.

    Attributes:
        row: the row as it is now.
        judgements: of its present texts, by reviewer.
        decision: accept | reject | unsure | disputed. The majority of those that are sure decides;
            if as many accept as reject, the row is disputed.
        reason: of most reviewers who reject it; None if nobody does.
        category: that most reviewers name; None if nobody names one or no category has most.
        category_disputed: reviewers name categories and none has most.
    """

    row: PopulationRow
    judgements: tuple[RowJudgement, ...]
    decision: str
    reason: str | None
    category: str | None
    category_disputed: bool

    @property
    def excluded(self) -> bool:
        """Whether the row leaves the data set: a kept row that is rejected or disputed.

        A disputed row stays out until a third judgement decides, because putting a wrong row into
        a published set is worse than leaving out a right one.
        """
        return self.row.gate is None and self.decision in ("reject", "disputed")

    @property
    def wrongly_rejected(self) -> bool:
        """Whether reviewers accept the row although a gate rejected it."""
        return self.row.gate is not None and self.decision == "accept"

    @property
    def needs_adjudication(self) -> bool:
        """Whether reviewers contradict each other and nobody has decided."""
        return self.decision == "disputed" or (
            self.category_disputed and self.decision in ("accept", "unsure")
        )

    @property
    def labelled_by(self) -> str | None:
        """Who gave the category that counts, as the data set says it; None if nobody did."""
        if self.category is None:
            return None
        named = sorted(one.reviewer for one in self.judgements if one.category == self.category)
        return "human:" + " + ".join(named)


@dataclass(frozen=True)
class CurrentJudgements:
    """Judgements, parted by whether the store still has what they are about.

    Attributes:
        of_rows: by row, those of its present texts.
        outdated: judgements of rows whose texts have changed since.
        gone: judgements of rows that the store does not have.
    """

    of_rows: Mapping[str, tuple[RowJudgement, ...]]
    outdated: tuple[RowJudgement, ...]
    gone: tuple[RowJudgement, ...]


def current_judgements(
    judgements: Iterable[RowJudgement], rows: Mapping[str, PopulationRow]
) -> CurrentJudgements:
    """Part the judgements.

    Args:
        judgements: at most one for each reviewer and item.
        rows: the rows of the store that they name, by id.
    """
    of_rows: dict[str, list[RowJudgement]] = {}
    outdated, gone = [], []
    for judgement in judgements:
        row = rows.get(judgement.row_id)
        if row is None:
            gone.append(judgement)
        elif row.item_id != judgement.item_id:
            outdated.append(judgement)
        else:
            of_rows.setdefault(row.row_id, []).append(judgement)
    return CurrentJudgements(
        {row_id: tuple(found) for row_id, found in of_rows.items()}, tuple(outdated), tuple(gone)
    )


def row_review(row: PopulationRow, judgements: Sequence[RowJudgement]) -> RowReview:
    """The review of a row.

    Args:
        row: the row.
        judgements: of its present texts; one at least, and one of each reviewer at most.
    """
    votes = Counter(one.decision for one in judgements)
    accepts, rejects = votes["accept"], votes["reject"]
    if not accepts and not rejects:
        decision = "unsure"
    elif accepts == rejects:
        decision = "disputed"
    else:
        decision = "accept" if accepts > rejects else "reject"
    reasons = Counter(one.reason for one in judgements if one.reason)
    categories = Counter(one.category for one in judgements if one.category)
    category = _most(categories)
    return RowReview(
        row,
        tuple(sorted(judgements, key=lambda one: one.reviewer)),
        decision,
        min(reasons, key=lambda one: (-reasons[one], one), default=None),
        category,
        bool(categories) and category is None,
    )


def _most(counts: Mapping[str, int]) -> str | None:
    """The value that is counted more often than any other; None if there is none."""
    if not counts:
        return None
    most = max(counts.values())
    first = [value for value, n in counts.items() if n == most]
    return first[0] if len(first) == 1 else None
