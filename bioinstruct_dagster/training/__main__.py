"""`python -m bioinstruct_dagster.training SPEC [RESULT]`: train one adapter in this process."""

import sys

from bioinstruct_dagster.models.process.child import run_from_files
from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.train import train

if __name__ == "__main__":
    sys.exit(
        run_from_files(
            "bioinstruct_dagster.training",
            lambda text, log, _report: train(TrainingSpec.from_json(text), log),
        )
    )
