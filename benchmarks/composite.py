"""`python -m benchmarks.composite SCORES.jsonl`: how the judge-free composite agrees with people.

It sets the composite beside scores that need no judge either: lengths and ROUGE. The file holds
human scores of summaries, a JSON object a line: `dialogue`, `reference`, `summary`, `factual_f1`
and `factual_precision`. The tables go to docs/benchmarks.md.
"""

import argparse
import os
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.documents import machine, table_head, table_line, write_between_markers
from bioinstruct_dagster.evaluation.judge.agreement import (
    RESAMPLES,
    Floats,
    Indices,
    auroc,
    cluster_indices,
    spearman,
)
from bioinstruct_dagster.evaluation.judge.human_scores import HumanScore, read_human_scores
from bioinstruct_dagster.evaluation.judge.measured import agreement_with_people
from bioinstruct_dagster.evaluation.judge.rivals import (
    BOTH_LENGTHS,
    COMPOSITE,
    LENGTH_RATIO,
    REFERENCE_LENGTH,
    ROUGE,
    lengths_of,
    people_s_f1,
    scores_without_judge,
)
from bioinstruct_dagster.evaluation.metrics.composite import Composite, composite
from bioinstruct_dagster.evaluation.metrics.composite.weights import CompositeWeights

SEED, FOLDS = 7, 10
MARKER = "bench-composite"
# For choosing weights on some dialogues and measuring on others: half and double of each weight
# that the figures depend on most.
GRID = {"error": (0.1, 0.2, 0.4), "clause_power": (0.25, 0.5, 1.0), "beyond": (0.05, 0.1, 0.2)}


NAMES = {
    LENGTH_RATIO: "summary's length / reference's length",
    REFERENCE_LENGTH: "minus the reference's length",
    BOTH_LENGTHS: "both lengths, fitted to the other dialogues",
    ROUGE: "ROUGE-1",
}
Scores = Sequence[HumanScore]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and write them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.composite", description=__doc__)
    parser.add_argument("scores", type=Path, help="JSONL file of summaries with human scores")
    parser.add_argument("--no-write", action="store_true", help="leave docs/benchmarks.md as it is")
    parser.add_argument("--resamples", type=int, default=RESAMPLES, help="of the bootstrap")
    options = parser.parse_args(arguments)
    scores = read_human_scores(options.scores)
    tables = (_figures(scores, options.resamples), _chosen_apart(scores, options.resamples))
    text = "\n\n".join([_about(scores), *tables, _copies(scores)])
    print(text)
    if not options.no_write:
        write_between_markers(text, MARKER)
    return 0


def _composites(scores: Scores, weights: CompositeWeights | None = None) -> list[Composite]:
    texts = [score.text for score in scores]
    used = weights or CompositeWeights()
    return [composite(text.source, text.reference, text.answer, used) for text in texts]


def _about(scores: Scores) -> str:
    begun = time.process_time()
    _composites(scores)
    seconds = time.process_time() - begun
    return (
        f"{machine([f'numpy {np.__version__}'])} {len(scores)} summaries of"
        f" {len(_dialogues(scores))} dialogues;"
        f" {sum(score.has_factual_error for score in scores)} have a factual error. All"
        f" composites take {seconds:.1f} CPU-seconds, loading the word lists included. In brackets:"
        " 95 % intervals from a bootstrap over dialogues. Only the composite has a number of its"
        " own for errors; the AUROC of the others is that of the summary's length."
    )


def _dialogues(scores: Scores) -> list[Indices]:
    """The places of each dialogue's summaries."""
    return cluster_indices([score.text.source for score in scores])


def _figures(scores: Scores, resamples: int) -> str:
    lines = table_head(
        ["score", "Spearman", "given both lengths", "within a dialogue", "AUROC of any error"]
    )
    for name, (values, errors) in _rivals(scores).items():
        found = agreement_with_people(scores, values, errors, seed=SEED, resamples=resamples)
        figures = (found.spearman, found.partial, found.within, found.auroc)
        lines.append(table_line([name, *map(str, figures)]))
    return "\n".join(lines)


def _rivals(scores: Scores) -> dict[str, tuple[Floats, Floats]]:
    """For each score its name, the score, and how likely an error is by it."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    texts = [score.text for score in scores]
    rouge = [scorer.score(text.reference, text.answer)["rougeL"].fmeasure for text in texts]
    found = scores_without_judge(scores)
    plain = {shown: found[name][0] for name, shown in NAMES.items()} | {"ROUGE-L": np.array(rouge)}
    # A longer summary can hold more errors: of the scores without a view on errors, the summary's
    # length is the strongest sign of one.
    summary = lengths_of(scores)[:, 0]
    return {"**composite**": found[COMPOSITE]} | {
        name: (values, summary) for name, values in plain.items()
    }


def _chosen_apart(data: Scores, resamples: int) -> str:
    """The figures when weights are chosen on nine tenths of the dialogues, measured on the rest."""
    named: list[dict[str, Any]] = [dict(zip(GRID, values, strict=True)) for values in _choices()]
    grid = [CompositeWeights(**each) for each in named]
    found = [_composites(data, weights) for weights in grid]
    scores = np.array([[one.score for one in each] for each in found])
    errors = np.array([[one.factual_errors for one in each] for each in found])
    groups, human = _dialogues(data), people_s_f1(data)
    wrong = np.array([one.has_factual_error for one in data])
    score, error = np.empty(len(data)), np.empty(len(data))
    folds = min(FOLDS, len(groups))
    for fold in range(folds):
        held = np.concatenate(groups[fold::folds])
        rest = np.setdiff1d(np.arange(len(data)), held)
        score[held] = scores[
            max(range(len(grid)), key=lambda i: spearman(scores[i][rest], human[rest]))
        ][held]
        error[held] = errors[
            max(range(len(grid)), key=lambda i: auroc(errors[i][rest], wrong[rest]))
        ][held]
    figures = agreement_with_people(data, score, error, seed=SEED, resamples=resamples)
    spread = [spearman(each, human) for each in scores]
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


def _copies(scores: Scores) -> str:
    firsts = [scores[group[0]].text for group in _dialogues(scores)]
    copied = np.mean([composite(one.source, one.reference, one.source).score for one in firsts])
    own = np.mean([composite(one.source, one.reference, one.reference).score for one in firsts])
    mean = np.mean([one.score for one in _composites(scores)])
    return (
        f"A copy of the whole dialogue scores {copied:.2f} on average, a model's summary"
        f" {mean:.2f}, the reference itself {own:.2f}."
    )


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
