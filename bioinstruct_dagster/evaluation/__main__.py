"""`python -m bioinstruct_dagster.evaluation SPEC RESULT`: score one adapter in a process of its
own.
"""

import sys

from bioinstruct_dagster.evaluation.evaluate import EvaluationError, EvaluationSpec, evaluate
from bioinstruct_dagster.training.base_models import BaseModelError
from bioinstruct_dagster.training.entry import run_from_files

if __name__ == "__main__":
    sys.exit(
        run_from_files(
            "bioinstruct_dagster.evaluation",
            lambda text, log: evaluate(EvaluationSpec.from_json(text), log),
            stated=(EvaluationError, BaseModelError),
        )
    )
