"""`python -m benchmarks.composite SCORES.jsonl`: how the judge-free composite agrees with people.

It sets the composite beside scores that need no judge either: lengths and ROUGE. The file holds
human scores of summaries, a JSON object a line: `dialogue`, `reference`, `summary`, `factual_f1`
and `factual_precision`. The tables go to docs/benchmarks.md.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.documents import machine, table_head, table_line, write_between_markers
from bioinstruct_dagster.evaluation.judge.agreement import (
    RESAMPLES,
    Floats,
    HumanAgreement,
    agreement_of,
    auroc,
    cluster_indices,
    fitted_out_of_fold,
    length_of,
    spearman,
)
from bioinstruct_dagster.evaluation.metrics.composite import Composite, composite
from bioinstruct_dagster.evaluation.metrics.composite.weights import CompositeWeights

SEED, FOLDS = 7, 10
MARKER = "bench-composite"
# For choosing weights on some dialogues and measuring on others: half and double of each weight
# that the figures depend on most.
GRID = {"error": (0.1, 0.2, 0.4), "clause_power": (0.25, 0.5, 1.0), "beyond": (0.05, 0.1, 0.2)}


@dataclass(frozen=True)
class Scored:
    """The summaries with their human scores.

    Attributes:
        rows: the lines of the file.
        human: factual F1.
        wrong: whether people found a factual error: factual precision below 1.
        lengths: words of summary and reference, of shape (n, 2).
        dialogues: of each summary.
    """

    rows: Sequence[dict[str, Any]]
    human: Floats
    wrong: Sequence[bool]
    lengths: Floats
    dialogues: Sequence[str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.composite", description=__doc__)
    parser.add_argument("scores", type=Path, help="JSONL file of summaries with human scores")
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md as it is")
    parser.add_argument("--resamples", type=int, default=RESAMPLES, help="of the bootstrap")
    options = parser.parse_args(arguments)
    data = _read(options.scores)
    begun = time.process_time()
    found = _composites(data)
    seconds = time.process_time() - begun
    text = "\n\n".join(
        [
            _about(data, seconds),
            _figures(data, found, options.resamples),
            _chosen_apart(data, options.resamples),
            _copies(data, found),
        ]
    )
    print(text)
    if not options.no_write:
        write_between_markers(text, MARKER)
    return 0


def _read(path: Path) -> Scored:
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return Scored(
        rows,
        np.array([row["factual_f1"] for row in rows], dtype=np.float64),
        [row["factual_precision"] < 1 for row in rows],
        np.array(
            [[length_of(row["summary"]), length_of(row["reference"])] for row in rows],
            dtype=np.float64,
        ),
        [row["dialogue"] for row in rows],
    )


def _composites(data: Scored, weights: CompositeWeights | None = None) -> list[Composite]:
    return [
        composite(row["dialogue"], row["reference"], row["summary"], weights or CompositeWeights())
        for row in data.rows
    ]


def _about(data: Scored, seconds: float) -> str:
    return (
        f"{machine([f'numpy {np.__version__}'])} {len(data.rows)} summaries of"
        f" {len(set(data.dialogues))} dialogues; {sum(data.wrong)} have a factual error. All"
        f" composites take {seconds:.1f} CPU-seconds, loading the word lists included. In brackets:"
        " 95 % intervals from a bootstrap over dialogues. Only the composite has a number of its"
        " own for errors; the AUROC of the others is that of the summary's length."
    )


def _figures(data: Scored, found: Sequence[Composite], resamples: int) -> str:
    lines = table_head(
        ["score", "Spearman", "given both lengths", "within a dialogue", "AUROC of any error"]
    )
    for name, (scores, errors) in _rivals(data, found).items():
        each = _agreement(data, scores, errors, resamples)
        figures = (each.spearman, each.partial, each.within, each.auroc)
        lines.append(table_line([name, *map(str, figures)]))
    return "\n".join(lines)


def _agreement(data: Scored, scores: Floats, errors: Floats, resamples: int) -> HumanAgreement:
    return agreement_of(
        scores.tolist(),
        errors.tolist(),
        human=data.human.tolist(),
        has_error=data.wrong,
        lengths=data.lengths,
        clusters=data.dialogues,
        seed=SEED,
        resamples=resamples,
    )


def _rivals(data: Scored, found: Sequence[Composite]) -> dict[str, tuple[Floats, Floats]]:
    """For each score its name, the score, and how likely an error is by it."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rougeL"], use_stemmer=True)
    rouge = [scorer.score(row["reference"], row["summary"]) for row in data.rows]
    summary, reference = data.lengths.T
    fitted = fitted_out_of_fold(np.log1p(data.lengths), data.human, data.dialogues)
    plain = {
        "summary's length / reference's length": summary / reference,
        "minus the reference's length": -reference,
        "both lengths, fitted to the other dialogues": fitted,
        "ROUGE-1": np.array([one["rouge1"].fmeasure for one in rouge]),
        "ROUGE-L": np.array([one["rougeL"].fmeasure for one in rouge]),
    }
    # A longer summary can hold more errors: of the scores without a view on errors, the summary's
    # length is the strongest sign of one.
    return {
        "**composite**": (
            np.array([one.score for one in found]),
            np.array([one.factual_errors for one in found]),
        )
    } | {name: (scores, summary) for name, scores in plain.items()}


def _chosen_apart(data: Scored, resamples: int) -> str:
    """The figures when weights are chosen on nine tenths of the dialogues, measured on the rest."""
    grid = [CompositeWeights(**dict(zip(GRID, values, strict=True))) for values in _choices()]
    found = [_composites(data, weights) for weights in grid]
    scores = np.array([[one.score for one in each] for each in found])
    errors = np.array([[one.factual_errors for one in each] for each in found])
    groups = cluster_indices(data.dialogues)
    wrong = np.array(data.wrong)
    score, error = np.empty(len(data.rows)), np.empty(len(data.rows))
    folds = min(FOLDS, len(groups))
    for fold in range(folds):
        held = np.concatenate(groups[fold::folds])
        rest = np.setdiff1d(np.arange(len(data.rows)), held)
        score[held] = scores[
            max(range(len(grid)), key=lambda i: spearman(scores[i][rest], data.human[rest]))
        ][held]
        error[held] = errors[
            max(range(len(grid)), key=lambda i: auroc(errors[i][rest], wrong[rest]))
        ][held]
    figures = _agreement(data, score, error, resamples)
    spread = [spearman(each, data.human) for each in scores]
    return (
        f"Cross-validated: if the weights {', '.join(f'`{name}`' for name in GRID)} are chosen"
        f" among {len(grid)} combinations on nine tenths of the dialogues and measured on the"
        f" rest, Spearman is {figures.spearman}, given both lengths {figures.partial}, within a"
        f" dialogue {figures.within}, AUROC {figures.auroc}. Over all combinations, Spearman is"
        f" between {min(spread):.2f} and {max(spread):.2f}. The rules and word lists were not"
        " chosen this way: their author had read MTS-Dialog's summaries of the dialogues with an"
        " even number, with their human scores. On other dialogues the figures may be lower."
    )


def _choices() -> Iterator[tuple[float, ...]]:
    return product(*GRID.values())


def _copies(data: Scored, found: Sequence[Composite]) -> str:
    firsts = [data.rows[group[0]] for group in cluster_indices(data.dialogues)]
    copied, own = (
        np.mean([composite(row["dialogue"], row["reference"], row[text]).score for row in firsts])
        for text in ("dialogue", "reference")
    )
    mean = np.mean([one.score for one in found])
    return (
        f"A copy of the whole dialogue scores {copied:.2f} on average, a model's summary"
        f" {mean:.2f}, the reference itself {own:.2f}."
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
