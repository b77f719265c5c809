"""Experiments as Dagster partitions with the dimensions `base_model` and `recipe`.

A partition key is `rehearsal-llama|all`. Belongs here: the partitions, and a step over several of
them. Does not: the experiment file (models.experiments).
"""

import warnings
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.current_dataset import train_rows
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import UnknownExperimentError, partition_key
from bioinstruct_dagster.models.experiments.near_names import some
from bioinstruct_dagster.models.outcomes import ExperimentOutcomes
from bioinstruct_dagster.models.process.parent import ModelProcess
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

# The tags by which a run names its partition, or the ends of its range.
_PARTITION_TAGS = (
    "dagster/partition",
    "dagster/asset_partition_range_start",
    "dagster/asset_partition_range_end",
)


def experiment_partitions(matrix: ExperimentMatrix) -> dg.MultiPartitionsDefinition:
    """One partition for each base model and recipe.

    The partitions are fixed when Dagster loads the code location. Reload it after you edit the
    experiment file.
    """
    return dg.MultiPartitionsDefinition(
        {
            "base_model": dg.StaticPartitionsDefinition(list(matrix.base_models)),
            "recipe": dg.StaticPartitionsDefinition(list(matrix.recipes)),
        }
    )


def single_run() -> dg.BackfillPolicy:
    """The policy of an asset whose backfill makes one run for a range of partitions.

    Dagster warns on every start that the policy is in beta. The tests of `lora_adapter` cover what
    we need of it, so the warning is no news to a user.
    """
    warnings.filterwarnings("ignore", "Parameter `backfill_policy`", dg.BetaWarning)
    return dg.BackfillPolicy.single_run()


def experiment_key(base_model: str, recipe: str) -> dg.MultiPartitionKey:
    """The partition of an experiment."""
    return dg.MultiPartitionKey({"base_model": base_model, "recipe": recipe})


def experiments_of(context: dg.AssetExecutionContext, matrix: ExperimentMatrix) -> list[Experiment]:
    """The base model and the recipe of each partition that the step materializes.

    Raises:
        UnknownExperimentError: the run names no partition, or one that is not there.
        TypeError: the asset is not partitioned by `experiment_partitions`.
    """
    if not (context.has_partition_key or context.has_partition_key_range):
        raise UnknownExperimentError(missing_partition(matrix))
    try:
        keys = context.partition_keys
    except (dg.DagsterUnknownPartitionError, dg.DagsterInvalidInvocationError):
        named = [value for tag, value in context.run.tags.items() if tag in _PARTITION_TAGS]
        raise UnknownExperimentError(unknown_partitions(matrix, named)) from None
    experiments = []
    for key in keys:
        if not isinstance(key, dg.MultiPartitionKey):
            raise TypeError(f"{key!r} is not the key of an experiment partition.")
        experiments.append((key.keys_by_dimension["base_model"], key.keys_by_dimension["recipe"]))
    return experiments


def missing_partition(matrix: ExperimentMatrix) -> str:
    """What to tell a user whose run names no partition: which there are."""
    example = partition_key(matrix.experiments()[0])
    return (
        "The selected assets have a partition for each experiment, and the run names none. Name "
        f"one, such as --partition '{example}' on the command line. {_some_of(matrix)}"
    )


def unknown_partitions(matrix: ExperimentMatrix, keys: Iterable[str]) -> str:
    """What to tell a user about keys that are not those of partitions: which there are.

    Args:
        matrix: the experiments.
        keys: the keys that the run names; those of partitions are passed over.
    """
    there = {partition_key(one) for one in matrix.experiments()}
    told = []
    for key in keys:
        if key in there:
            continue
        try:
            found = matrix.names_of([key])
        except UnknownExperimentError as error:
            told.append(str(error))
        else:
            told.append(
                f"{key!r} is a pattern, and --partition takes one name. Name one, such as "
                f"'{partition_key(found[0])}', or take the job study, which takes patterns"
            )
    return "\n".join(
        [*(one.rstrip(".") + ("" if one[-1] == "?" else ".") for one in told), _some_of(matrix)]
    )


def _some_of(matrix: ExperimentMatrix) -> str:
    """Some of the base models and recipes of which the keys consist."""
    return (
        f"A name is base_model|recipe. The base models are {some(list(matrix.base_models))}; the "
        f"recipes are {some(list(matrix.recipes))}. The page of the asset lora_adapter lists all."
    )


@dataclass(frozen=True)
class ExperimentStep:
    """A step over experiments: its context and its resources."""

    context: dg.AssetExecutionContext | dg.OpExecutionContext
    matrix: ExperimentMatrix
    store: Store
    settings: Settings
    process: ModelProcess

    def of_reached_sizes(
        self, experiments: Iterable[Experiment], outcomes: ExperimentOutcomes
    ) -> Iterator[Experiment]:
        """The experiments whose number of rows the data set reaches. It passes over the others."""
        for one in experiments:
            recipe = self.matrix.recipe(*one)
            found = train_rows(self.store, recipe.categories) if recipe.rows else 0
            if recipe.rows and found < recipe.rows:
                reason = (
                    f"It needs {recipe.rows:,} training rows of its categories, and the data set "
                    f"has {found:,}. Generate more rows to train it."
                )
                self.passed_over(one, reason, outcomes)
            else:
                yield one

    def passed_over(self, one: Experiment, reason: str, outcomes: ExperimentOutcomes) -> None:
        """Note and log that there is nothing to do for an experiment."""
        outcomes.passed_over[one] = reason
        self.context.log.warning("%s: passed over. %s", partition_key(one), reason)

    def failed(self, one: Experiment, error: str, outcomes: ExperimentOutcomes) -> None:
        """Note and log that an experiment failed."""
        outcomes.failed[one] = error
        self.context.log.error("%s: not %s. %s", partition_key(one), outcomes.work, error)

    @contextmanager
    def told_if_cancelled(self, words: Callable[[], str]) -> Iterator[None]:
        """Log what a cancelled run leaves, and give Dagster's error for it the same words.

        The error has to stay Dagster's own: by its class, Dagster shows the run as cancelled and
        not as failed.

        Args:
            words: what the run leaves. It is called when the model process has ended.
        """
        try:
            yield
        except dg.DagsterExecutionInterruptedError:
            told = words()
            self.context.log.warning(told)
            raise dg.DagsterExecutionInterruptedError(told) from None
        except GeneratorExit:  # Dagster was cancelled while it stored an event of this step
            self.context.log.warning(words())
            raise

    def made_by(
        self,
        module: str,
        spec: str,
        waiting: Mapping[str, Experiment],
        outcomes: ExperimentOutcomes,
        shared: Callable[[dict[str, Any]], None] | None = None,
    ) -> Generator[tuple[Experiment, dict[str, Any]], None, None]:
        """Run a module in the model process, and note the experiments that it does not make.

        Args:
            module: its messages have the keys `kind` and `experiment`.
            spec: the module's specification.
            waiting: the experiments of the specification, by name.
            outcomes: the account, to which failures are added. If the process itself ends early,
                all experiments that it did not come to have failed.
            shared: takes each message without the key `experiment`, which several share.

        Yields:
            Each experiment that was made, and the message about it, as soon as it comes.
        """
        reason = "The model process ended well, but it reported nothing of this experiment."
        made = set()
        try:
            with closing(self.process.stream(self.context, module, spec)) as messages:
                for message in messages:
                    if shared and "experiment" not in message:
                        shared(message)
                        continue
                    one = waiting[message["experiment"]]
                    if message["kind"] == "failed":
                        self.failed(one, message["error"], outcomes)
                    elif message["kind"] == "passed_over":
                        self.passed_over(one, message["reason"], outcomes)
                    else:
                        made.add(one)
                        yield one, message
        except StatedError as error:
            reason = str(error)
        except dg.Failure as error:
            reason = error.description or reason
        for one in waiting.values():
            if one not in made and one not in outcomes.failed and one not in outcomes.passed_over:
                self.failed(one, reason, outcomes)
