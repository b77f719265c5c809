"""The tables of a measurement of a judge.

Belongs here: their text. Does not: the figures (evaluation.judge of the package).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.documents import table_head, table_line
from bioinstruct_dagster.evaluation.judge.measured import JUDGE, JudgeStanding
from bioinstruct_dagster.evaluation.judge.rivals import (
    BOTH_LENGTHS,
    COMPOSITE,
    LENGTH_RATIO,
    REFERENCE_LENGTH,
    ROUGE,
)

_NAMES = {
    LENGTH_RATIO: "length of answer by length of reference",
    REFERENCE_LENGTH: "minus the reference's length",
    BOTH_LENGTHS: "both lengths, fitted to the other sources",
    ROUGE: "ROUGE-1",
    COMPOSITE: "composite",
}
_FIGURES = ("spearman", "partial", "within", "auroc")
_HEADS = (
    "score",
    "Spearman with factual F1",
    "partial, given both lengths",
    "mean within a source",
    "AUROC for any factual error",
    "judge minus score (Spearman)",
)
_MEANINGS = {
    "readable": "share of grades that could be read",
    "length_bias": "correlation of grade and length, once people's score is taken out",
    "family_gap": "grade minus people's score, own family less others",
    "first_preferred": "share of choices for the first place (0.5 without bias)",
    "order_consistent": "share of pairs with the same outcome in both orders",
    "pair_agreement": "share of pairs in which the answer wins that people score higher",
    "longer_preferred": "how much more often the longer answer wins than by people",
    "repeat_equal": "share of answers with equal grades on a repeat",
    "repeat_difference": "mean absolute difference of factual F1 on a repeat",
    "repeat_spearman": "rank correlation of factual F1 on a repeat",
    "tokens_per_grade": "tokens of a grade, prompt and reply",
    "usd_per_grade": "US dollars of a grade",
}


def tables(
    rows: Sequence[Mapping[str, Any]], model: str | None, standing: JudgeStanding | None
) -> str:
    """The tables as Markdown.

    Args:
        rows: of the measurement.
        model: the judge; None without one.
        standing: what the judge is worth; None without one.
    """
    found = {(row["figure"], row["subject"]): row for row in rows}
    subjects = [*_NAMES] if model is None else [JUDGE, *_NAMES]
    spearman = found["spearman", subjects[0]]
    lines = [
        (
            f"{spearman['n']} answers to {spearman['clusters']} sources, each with scores by "
            "people. Figures with 95 % intervals from a bootstrap over sources."
        ),
        "",
        *table_head(_HEADS),
    ]
    for subject in subjects:
        name = f"judge: {model}" if subject == JUDGE else _NAMES[subject]
        cells = [_cell(found.get((figure, subject))) for figure in _FIGURES]
        lines.append(table_line([name, *cells, _cell(found.get(("difference", subject)))]))
    if standing is not None:
        lines += ["", *table_head(["figure of the judge", "value", "n"])]
        lines += [
            table_line([meaning, _cell(found[figure, JUDGE]), str(found[figure, JUDGE]["n"])])
            for figure, meaning in _MEANINGS.items()
            if (figure, JUDGE) in found
        ]
        if ("family_gap", JUDGE) not in found:
            lines += [
                "",
                (
                    "The bias for the own family was not measured: the file does not name writers "
                    "of both kinds (field `model`)."
                ),
            ]
        lines += ["", f"State: `{standing.state}`. {standing.note}"]
    return "\n".join(lines)


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    value, low, high = row["value"], row["ci_low"], row["ci_high"]
    if row["figure"] in {"tokens_per_grade", "usd_per_grade"}:
        return f"{value:.4g}"
    return f"{value:.2f}" if low is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"
