"""How the experiments of one step ended: made, passed over or failed.

Belongs here: the account of a step over several experiments, and its error. Does not: the work
(training.study, evaluation.evaluate_study).
"""

from collections.abc import Iterable, Mapping
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

    def cancelled(
        self, waiting: Iterable[Experiment], checkpoints: Mapping[Experiment, int]
    ) -> str:
        """What a cancelled step has made, and how the experiments that it did not end go on.

        Args:
            waiting: all experiments of the step.
            checkpoints: the update of the last checkpoint, for each experiment that has one.
        """
        ended = {*self.made, *self.passed_over, *self.failed}
        rest = [one for one in waiting if one not in ended]
        begun = [one for one in rest if one in checkpoints]
        kept = "1 adapter is" if len(self.made) == 1 else f"{len(self.made)} adapters are"
        words = [f"Cancelled. {kept} {self.work} and kept."]
        words += [
            f"{partition_key(one)} goes on from its last checkpoint (update {checkpoints[one]}) "
            "when it is materialized again."
            for one in begun
        ]
        if fresh := len(rest) - len(begun):
            words.append(
                f"{fresh} {'experiment has' if fresh == 1 else 'experiments have'} to be "
                f"{self.work} from the beginning."
            )
        return " ".join(words)
