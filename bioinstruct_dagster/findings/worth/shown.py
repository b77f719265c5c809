"""What a person reads about a refresh: the sentence, the table and the line in the log.

Belongs here: words and rounding. Does not: the numbers (findings.worth.verdict).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.figures import sheet
from bioinstruct_dagster.figures.forest import PlottedScore, differences
from bioinstruct_dagster.figures.values import interval, signed
from bioinstruct_dagster.findings.worth.trial import BEFORE, Trial
from bioinstruct_dagster.findings.worth.verdict import BY_FIT
from bioinstruct_dagster.models.experiments.names import partition_key

# Above this, "equally many tokens" would be a lie: texts of one arm are cut into more tokens.
MOST_DIFFERENT_TOKENS = 0.05
_WORDS = {
    "better": "The refresh made the data set better.",
    "tied": "The refresh made no difference that this comparison can tell.",
    "worse": "The refresh made the data set worse.",
}
_KINDS = {"before": "from before the refresh", "added": "that the refresh added"}


def plan_line(trial: Trial) -> str:
    """What will be trained, for the log.

    Args:
        trial: the trial.
    """
    arms = next(iter(trial.arms.values()))
    return (
        f"{partition_key(trial.experiment)}: {len(trial.specs)} adapters for {trial.refresh.name}, "
        f"which added {len(trial.refresh.added):,} rows to {len(trial.refresh.before):,}. Each "
        f"learns from about {len(arms.without):,} rows; in every second one, {arms.added:,} of "
        "them are of the refresh."
    )


def sentence(row: Mapping[str, Any]) -> str:
    """The verdict in words, with the difference, its interval, and what could be detected.

    Args:
        row: of the table `data_worth`, on held-out rows from before the refresh.
    """
    words = _WORDS[row["verdict"]]
    if BY_FIT in row["reason"]:
        words += (
            f" Its outputs fit their own prompts less than before: {100 * row['fit_added']:.0f} % "
            f"in place of {100 * row['fit_before']:.0f} %, where 50 % is chance."
        )
    detectable = row["detectable"]
    limit = f" It detects differences from about {detectable:.3f}." if detectable else ""
    return (
        f"{words} With its rows, the loss of {row['n']:,} held-out rows changes by "
        f"{signed(row['difference'])} nats per token{_interval(row)}, over {row['seeds']} seeds on "
        f"equally many tokens.{limit}"
    )


def summary(rows: Sequence[Mapping[str, Any]]) -> str:
    """The first entry of the asset's page: the sentence, and the difference of each seed.

    Args:
        rows: of the table `data_worth`.
    """
    first = rows[0]
    points = {"all seeds": PlottedScore(first["difference"], first["ci_low"], first["ci_high"])}
    for number, value in enumerate(first["by_seed"], start=1):
        points[f"seed {number}"] = PlottedScore(value, None, None)
    drawing = differences("With minus without, nats/token", points, "lines")
    return sheet.summary(sentence(first), drawing)


def about(row: Mapping[str, Any]) -> str:
    """What was compared, for the page.

    Args:
        row: of the table `data_worth`.
    """
    words = (
        f"{row['refresh']}: {row['rows_added']:,} rows added to {row['rows_before']:,}. Trained: "
        f"{row['base_model']}, {row['recipe']}, on {row['train_rows_without']:,.0f} rows without "
        f"and {row['train_rows_with']:,.0f} with the refresh, {row['train_rows_added']:,.0f} of "
        "them its own."
    )
    apart = row["train_tokens_with"] / row["train_tokens_without"] - 1
    if abs(apart) > MOST_DIFFERENT_TOKENS:
        words += (
            f" The arms differ in tokens by {100 * apart:+.0f} %, so a part of the difference may "
            "come from that."
        )
    return sheet.summary(words)


def table(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The comparison on each kind of held-out rows.

    Args:
        rows: of the table `data_worth`.
    """
    return [
        {
            "held-out rows": _KINDS[row["items"]],
            "n": row["n"],
            "without (nats/token)": f"{row['loss_without']:.3f}",
            "with": f"{row['loss_with']:.3f}",
            "difference": f"{signed(row['difference'])}{_interval(row)}",
            "detectable": f"{row['detectable']:.3f}" if row["detectable"] else "unknown",
            "outputs that fit": _fit(row),
            "verdict": row.get("verdict") or "none: its own outputs may be wrong",
        }
        for row in sorted(rows, key=lambda row: row["items"] != BEFORE)
    ]


def _fit(row: Mapping[str, Any]) -> str:
    if row.get("fit_added") is None:
        return ""
    return f"{100 * row['fit_before']:.1f} % before, {100 * row['fit_added']:.1f} % added"


def _interval(row: Mapping[str, Any]) -> str:
    return interval(row["ci_low"], row["ci_high"])
