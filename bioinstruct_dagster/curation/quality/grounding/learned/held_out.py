"""Tests the judge on the rows of each writer by weights learned from all other rows.

Another writer's rows are new to the judge in wording, so this shows what to expect of other data.
Belongs here: the scores, and the table of shares. Does not: learning (training), or what the
written forms find besides (grounding.check).
"""

from collections.abc import Sequence

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.grounding.learned.examples import GroundingExample
from bioinstruct_dagster.curation.quality.grounding.learned.judge import LearnedJudge
from bioinstruct_dagster.curation.quality.grounding.learned.training import learn

LEAST_SCORES = (0.0, 0.3, 0.6, 0.9, 1.2)


def writers_of_both_kinds(examples: Sequence[GroundingExample]) -> list[str]:
    """The writers of both ungrounded and sound rows."""
    labels: dict[str, set[str]] = {}
    for one in examples:
        labels.setdefault(one.writer, set()).add(one.want)
    return sorted(writer for writer, wanted in labels.items() if len(wanted) > 1)


def held_out_judge(
    examples: Sequence[GroundingExample], writer: str, least_score: float
) -> LearnedJudge:
    """A judge that has not learned from the rows of this writer."""
    return LearnedJudge(learn([one for one in examples if one.writer != writer]), least_score)


def held_out_table(examples: Sequence[GroundingExample]) -> str:
    """The shares of ungrounded rows found and sound rows lost, by writer and least score."""
    lines = ["found / lost by least score " + ", ".join(map(str, LEAST_SCORES))]
    for writer in writers_of_both_kinds(examples):
        own = [one for one in examples if one.writer == writer]
        weights = learn([one for one in examples if one.writer != writer])
        shares = [_shares(LearnedJudge(weights, least), own) for least in LEAST_SCORES]
        lines.append(
            f"writer {writer}: " + ", ".join(f"{found:.1%} / {lost:.1%}" for found, lost in shares)
        )
    return "\n".join(lines)


def _shares(judge: LearnedJudge, rows: Sequence[GroundingExample]) -> tuple[float, float]:
    rejected = {"drop": 0, "keep": 0}
    for one in rows:
        texts = RowTexts(one.instruction, one.input, one.output)
        rejected[one.want] += judge.check(texts) is not None
    counts = {want: sum(one.want == want for one in rows) for want in rejected}
    return rejected["drop"] / counts["drop"], rejected["keep"] / counts["keep"]
