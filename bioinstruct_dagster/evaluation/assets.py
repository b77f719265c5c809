"""Scores as an asset with one partition per experiment.

Belongs here: the step, and the rows in the store. Does not: what is asked (evaluation.planning),
asking it (evaluation.evaluate), or computing scores (evaluation.scoring).
"""

import shutil
import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg

from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.dataset.version import DatasetVersion
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.cache import stored
from bioinstruct_dagster.evaluation.evaluated import ScoringRun
from bioinstruct_dagster.evaluation.planning import PARTS, QUESTIONS, BasePlan, StoredAdapter, by_base
from bioinstruct_dagster.evaluation.questions import write_questions
from bioinstruct_dagster.evaluation.selection import chosen_tasks
from bioinstruct_dagster.evaluation.spec import EvaluationSpec
from bioinstruct_dagster.evaluation.tasks.keys import adapter_content
from bioinstruct_dagster.models.adapter_proof import check_adapter
from bioinstruct_dagster.models.adapters import stored_folder
from bioinstruct_dagster.models.current_dataset import current_dataset
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import experiment_columns, partition_key
from bioinstruct_dagster.models.gpu import GPU_POOL, gpu_tags
from bioinstruct_dagster.models.outcomes import ExperimentOutcomes
from bioinstruct_dagster.models.partitions import (
    ExperimentStep,
    experiment_key,
    experiment_partitions,
    experiments_of,
    single_run,
)
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.store.materialization import (
    OWNERS,
    markdown_table,
    materialization,
    materialized_before,
    partition_materialization,
    stating_errors,
)
