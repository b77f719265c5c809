"""`python -m bioinstruct_dagster.evaluation SPEC RESULT`: score adapters in this process."""

import sys

from bioinstruct_dagster.evaluation.evaluate_study import evaluate_study
from bioinstruct_dagster.evaluation.spec import EvaluationSpec
from bioinstruct_dagster.models.process.child import run_from_files

if __name__ == "__main__":
    sys.exit(
        run_from_files(
            "bioinstruct_dagster.evaluation",
            lambda text, log, report: evaluate_study(EvaluationSpec.from_json(text), log, report),
        )
    )
