"""`python -m benchmarks.judge`: how well a judge agrees with people, and whether it is needed.

It asks the judge that the settings name about every answer of a file of human scores, prints the
tables, and keeps the figures in the store, where `judged_answers` finds them. Replies are stored:
a second run pays nothing. Without a judge, it prints the scores that need none.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.documents import write_between_markers
from benchmarks.judge.report import tables
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.judge.agreement import RESAMPLES
from bioinstruct_dagster.evaluation.judge.choice import is_asked, open_judge, why_not_asked
from bioinstruct_dagster.evaluation.judge.human_scores import (
    HumanScore,
    HumanScoresError,
    read_human_scores,
)
from bioinstruct_dagster.evaluation.judge.measured import (
    JudgeStanding,
    agreement_rows,
    standing_of,
)
from bioinstruct_dagster.evaluation.judge.measuring import COMPARED, REPEATED, measure_judge
from bioinstruct_dagster.settings import Settings, load_settings
from bioinstruct_dagster.store.database import Store


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print the tables, and return the exit status."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings()
        path = options.scores or settings.judge.human_scores
        if path is None:
            raise HumanScoresError(
                "No file of human scores is named. Give it by --scores FILE, by `make bench-judge "
                "SCORES=FILE`, or by BIOINSTRUCT_JUDGE_HUMAN_SCORES."
            )
        scores = read_human_scores(path)[: options.answers]
        text, rows = _measured(settings, scores, options)
    except StatedError as error:
        print(f"benchmarks.judge: {error}", file=sys.stderr)
        return 1
    print(text)
    if options.json:
        options.json.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    if options.write:
        write_between_markers(text, "bench-judge")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.judge", description=__doc__)
    parser.add_argument("--scores", type=Path, help="JSONL file of human scores")
    parser.add_argument("--answers", type=int, help="measure on the first so many answers only")
    parser.add_argument(
        "--repeats", type=int, default=REPEATED, help="answers graded twice (%(default)s)"
    )
    parser.add_argument(
        "--pairs", type=int, default=COMPARED, help="pairs compared in both orders (%(default)s)"
    )
    parser.add_argument(
        "--resamples", type=int, default=RESAMPLES, help="of each interval (%(default)s)"
    )
    parser.add_argument(
        "--without-judge", action="store_true", help="print only the scores that need no judge"
    )
    parser.add_argument("--json", type=Path, help="write the figures here, as JSON lines")
    parser.add_argument("--write", action="store_true", help="write the tables into the docs")
    return parser


def _measured(
    settings: Settings, scores: tuple[HumanScore, ...], options: argparse.Namespace
) -> tuple[str, list[dict[str, Any]]]:
    """The tables and the rows of a measurement."""
    seed = settings.runs.seed
    if options.without_judge or not is_asked(settings):
        if not options.without_judge:
            print(why_not_asked(settings), file=sys.stderr)
        rows = agreement_rows(scores, None, seed=seed, resamples=options.resamples)
        return tables(rows, None, None), rows
    store = Store(settings.store.path, settings.store.lock_timeout)
    with store.write():
        pass  # makes the store, if there is none yet
    run_id = f"bench-judge {datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"  # the judge's caps need one
    with open_judge(
        settings, store, lambda line: print(line, file=sys.stderr), run_id=run_id
    ) as session:
        rows = measure_judge(
            session,
            scores,
            seed=seed,
            repeated=options.repeats,
            compared=options.pairs,
            resamples=options.resamples,
        )
        standing: JudgeStanding = standing_of(store, session.teacher, session.model)
        return tables(rows, session.model, standing), rows


if __name__ == "__main__":
    sys.exit(main())
