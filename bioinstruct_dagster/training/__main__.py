"""`python -m bioinstruct_dagster.training SPEC RESULT`: train a study in this process."""

import sys

from bioinstruct_dagster.models.process.child import run_from_files
from bioinstruct_dagster.training.study.run import train_study
from bioinstruct_dagster.training.study.spec import StudySpec

if __name__ == "__main__":
    sys.exit(
        run_from_files(
            "bioinstruct_dagster.training",
            lambda text, log, report: train_study(StudySpec.from_json(text), log, report),
        )
    )
