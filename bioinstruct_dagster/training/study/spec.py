"""The specification of a study: its experiments, and how many workers train them.

Belongs here: what the model process gets. Does not: one experiment (training.spec).
"""

import json
from dataclasses import dataclass
from typing import Self

from bioinstruct_dagster.store.fingerprints import canonical_json
from bioinstruct_dagster.training.spec import TrainingSpec


@dataclass(frozen=True)
class StudySpec:
    """A set of experiments.

    `retrain` says to train again where an intact adapter exists. `workers` is the number of
    processes that train at the same time; 0 stands for one for each GPU. `ranks` is the number of
    processes that train one adapter together; if it is not 1, there is one worker.
    """

    experiments: tuple[TrainingSpec, ...]
    retrain: bool = False
    workers: int = 0
    ranks: int = 1

    def to_json(self) -> str:
        """The specification as JSON for the model process. `from_json` reads it."""
        return json.dumps(
            {
                "experiments": [json.loads(one.to_json()) for one in self.experiments],
                "retrain": self.retrain,
                "workers": self.workers,
                "ranks": self.ranks,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The specification that `to_json` wrote."""
        values = json.loads(text)
        experiments = tuple(
            TrainingSpec.from_json(json.dumps(one)) for one in values["experiments"]
        )
        return cls(experiments, values["retrain"], values["workers"], values["ranks"])


def base_group(spec: TrainingSpec) -> str:
    """What must be equal so that two experiments can use one base model in memory."""
    base = spec.base.model_dump(mode="json", exclude={"training", "licence"})
    return canonical_json([base, spec.recipe.quantization, spec.models_dir])
