"""How the experiments of one step ended: made, passed over or failed.

Belongs here: the account of a step over several experiments, and its error. Does not: the work
(training.study, evaluation.evaluate_study).
"""

from dataclasses import dataclass, field

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.experiments import Experiment
from bioinstruct_dagster.models.experiments.names import partition_key


class ExperimentsFailedError(StatedError):
    """Some experiments of a step failed. The message names each with its reason."""


@dataclass
class ExperimentOutcomes:
    """The account of a step. `work` says what it does to an experiment, such as "trained"."""

    work: str
    made: list[Experiment] = field(default_factory=list)
    passed_over: dict[Experiment, str] = field(default_factory=dict)
    failed: dict[Experiment, str] = field(default_factory=dict)

    def refuse_failures(self) -> None:
        """Raise an error if any experiment failed.

        Raises:
            ExperimentsFailedError: names each failed experiment with its reason.
        """
        if not self.failed:
            return
        total = len(self.made) + len(self.passed_over) + len(self.failed)
        reasons = [f"{partition_key(one)}: {reason}" for one, reason in self.failed.items()]
        if total == 1:
            raise ExperimentsFailedError(reasons[0])
        listed = "".join(f"\n- {reason}" for reason in reasons)
        raise ExperimentsFailedError(
            f"{len(self.failed)} of {total} experiments could not be {self.work} (materialized: "
            f"{len(self.made)}, passed over: {len(self.passed_over)}):{listed}"
        )
