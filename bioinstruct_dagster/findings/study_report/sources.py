"""What a report is made from: the store's tables, the settings, and the headlines.

Belongs here: reading the tables of the findings once. Does not: what a section says of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.summaries.trained_on import items_trained_on
from bioinstruct_dagster.findings.made import FINDINGS, Sources
from bioinstruct_dagster.findings.stored_scores import with_repeated_items
from bioinstruct_dagster.findings.study_report.headline import Headline, headlines
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

FINDING = "select * from {name}"
MARKS = """
    select 'rows of the data set' as what, count(*) as n, count_if(rehearsal) as marked
    from hf_dataset
    union all
    select 'adapters', count(*), count_if(rehearsal) from lora_adapter
    union all
    select 'rows of the leaderboard', count(*), count_if(rehearsal) from leaderboard
"""


@dataclass(frozen=True)
class ReportSources:
    """What the sections read.

    Attributes:
        settings: the data folder, the evaluation sets, and the licence of the data set.
        findings: the store, the experiments, and the figures of others.
        tables: the rows of each finding by its name.
        headlines: one for each base model.
        tasks: the evaluation tasks of the catalogue by their names, in its order.
    """

    settings: Settings
    findings: Sources
    tables: Mapping[str, Sequence[Mapping[str, Any]]]
    headlines: Sequence[Headline]
    tasks: Mapping[str, EvaluationTask]

    @classmethod
    def of(cls, store: Store, settings: Settings, matrix: ExperimentMatrix) -> "ReportSources":
        """The sources by the settings.

        Raises:
            StatedError: the file of published figures or a task file is malformed.
        """
        findings = Sources.of(store, settings, matrix)
        repeated = items_trained_on(store)
        tables = {
            name: with_repeated_items(store.rows(FINDING.format(name=name)), repeated)
            for name in FINDINGS
        }
        found = headlines(
            tables["leaderboard"], tables["category_ablation"], tables["data_scaling"]
        )
        tasks = {task.name: task for task in read_tasks(settings.eval_sets.tasks).tasks}
        return cls(settings, findings, tables, found, tasks)

    @property
    def store(self) -> Store:
        """The store."""
        return self.findings.store

    def marks(self) -> list[dict[str, Any]]:
        """How much of the data set, the adapters and the scores is a rehearsal."""
        return [row for row in self.store.rows(MARKS) if row["marked"]]
