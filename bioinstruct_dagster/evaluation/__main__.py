"""`python -m bioinstruct_dagster.evaluation SPEC [RESULT]`: score one adapter in this process."""

import sys

from bioinstruct_dagster.evaluation.evaluate import EvaluationSpec, evaluate
from bioinstruct_dagster.models.process.child import run_from_files

if __name__ == "__main__":
    sys.exit(
        run_from_files(
            "bioinstruct_dagster.evaluation",
            lambda text, log, _report: evaluate(EvaluationSpec.from_json(text), log),
        )
    )
