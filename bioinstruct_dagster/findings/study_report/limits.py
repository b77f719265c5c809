"""The section on limits: what the numbers can't say, from the numbers themselves where possible.

Belongs here: this section. Does not: the notes beside single tables.
"""

from collections.abc import Iterator

from bioinstruct_dagster.evaluation.metrics.paper import NOT_KNOWN, SOURCE
from bioinstruct_dagster.findings.stored_scores import HELD_OUT, experiment_name
from bioinstruct_dagster.findings.study_report.blocks import (
    Block,
    ReportList,
    ReportSection,
    ReportText,
)
from bioinstruct_dagster.findings.study_report.designs import sizes_of_ablation
from bioinstruct_dagster.findings.study_report.sources import ReportSources

FEW_ITEMS = 100  # below it, a share of one half has an interval wider than ± 10 points
ALWAYS = (
    (
        "The intervals are for other items of the same tasks. They say nothing about other tasks, "
        "other prompts or patients."
    ),
    (
        "Scores of a multiple-choice task compare the log-likelihoods of its options. They do not "
        "show whether a model would give safe advice."
    ),
    (
        "The held-out split has the same origin as the training rows. A lower loss there shows "
        "that the adapter learned this style and content, and not that it knows more medicine."
    ),
    "Losses of two base models are not comparable, because their tokens differ.",
)


def limits_section(sources: ReportSources) -> ReportSection:
    """What this report does not show."""
    return ReportSection("limits", "Limits", list(_blocks(sources)))


def _blocks(sources: ReportSources) -> Iterator[Block]:
    yield ReportList([*_found(sources), *ALWAYS])
    yield ReportText(f"What is not known of the paper ({SOURCE}): {' '.join(NOT_KNOWN)}")


def _found(sources: ReportSources) -> Iterator[str]:
    rows = sources.tables["leaderboard"]
    if any(row["rehearsal"] for row in rows):
        yield "Some or all scores are a rehearsal. They say nothing about medicine."
    if few := sorted({(row["n"], row["task"]) for row in rows if row["n"] < FEW_ITEMS}):
        named = ", ".join(dict.fromkeys(f"{task} ({n:,})" for n, task in few))
        yield f"Few items: {named}. With fewer than {FEW_ITEMS} items, only large effects show."
    if any(len(one.recipes) == 1 for one in sources.headlines):
        yield (
            "One seed: a training run with another seed may give another result. Train several "
            "seeds of a recipe before you compare recipes."
        )
    if older := {experiment_name(row) for row in rows if row["older"]}:
        yield f"Older data: {len(older):,} experiments are not of the present data set."
    if "differ" in (sizes := sizes_of_ablation(sources)):
        yield f"Ablation: {sizes[0].lower()}{sizes[1:]}"
    if repeated := [row for row in rows if row["items_trained_on"]]:
        named = ", ".join(sorted({row["task"] for row in repeated}))
        yield (
            f"Training rows repeat items of {named}. The table eval_scores holds the scores "
            "without them (items = 'without_contaminated')."
        )
    if rows and all(row["task"] == HELD_OUT for row in rows):
        yield (
            "No evaluation task is scored, only the held-out split. Whether the adapter answers "
            "questions of others better is not known."
        )
