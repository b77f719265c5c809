"""What a run that nobody started by hand will probably take: dollars and hours, for its tags.

Each estimate comes from earlier runs. If no earlier run shows it, the estimate is "unknown", never
a guess. Belongs here: estimates and their words in tags. Does not: when a run starts
(experiment_sensors, schedules), or a round's own estimate before its first request
(teacher.money.estimates).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bioinstruct_dagster.models.current_dataset import train_rows
from bioinstruct_dagster.models.experiments import Experiment, ExperimentMatrix
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.store.database import Store

USD_TAG = "bioinstruct/estimated_usd"
GPU_HOURS_TAG = "bioinstruct/estimated_gpu_hours"
BASIS_TAG = "bioinstruct/estimate_from"
EXPERIMENTS_TAG = "bioinstruct/experiments"
UNKNOWN = "unknown"
NO_API = "0 (no request is sent to a paid model)"
_SHOWN = 5  # experiments in a tag

# What earlier trainings took. The tokens are those over all epochs, without padding.
TRAININGS = """
    select base_model, recipe, train_rows, train_tokens, device,
        (run_facts ->> 'useful_tokens_per_second')::double as tokens_per_second,
        coalesce((run_facts ->> 'ranks')::int, 1) as ranks
    from lora_adapter
    where train_rows > 0
"""
# The price of a kept row so far: all requests to the present teacher, over the rows that are kept.
PRICE_OF_ROWS = """
    select
        (select sum(usd) from completions where teacher = $teacher and model_asked = $model) as usd,
        (select count(*) from completions
            where teacher = $teacher and model_asked = $model and usd is null) as unpriced,
        (select count(*) from categorized_instructions
            semi join raw_instructions using (row_id)
            semi join (
                select row_id from raw_instructions
                join completions using (completion_id)
                where teacher = $teacher and model_asked = $model
            ) using (row_id)) as rows
"""


@dataclass(frozen=True)
class HoursEstimate:
    """The hours of a run on the devices of earlier runs.

    Attributes:
        hours: of the whole run; None if it is unknown.
        on_gpu: whether the earlier runs used a GPU.
        basis: what the estimate comes from, or what is missing.
        gpus: that work at the same time.
    """

    hours: float | None
    on_gpu: bool
    basis: str
    gpus: int = 1

    def gpu_hours(self) -> str:
        """The value of the tag."""
        if self.hours is None:
            return UNKNOWN
        if not self.on_gpu:
            return f"0 (earlier runs used a CPU: about {shown_hours(self.hours)} there)"
        return shown_hours(self.hours * self.gpus).removesuffix(" h")

    def tags(self, experiments: Sequence[Experiment]) -> dict[str, str]:
        """The tags of a run over these experiments, which sends no request to a paid model."""
        names = [partition_key(one) for one in experiments]
        rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return {
            USD_TAG: NO_API,
            GPU_HOURS_TAG: self.gpu_hours(),
            BASIS_TAG: self.basis,
            EXPERIMENTS_TAG: ", ".join(names[:_SHOWN]) + rest,
        }


def shown_hours(hours: float) -> str:
    """Hours with two digits that count, such as `0.016 h`."""
    return f"{hours:.2g} h" if hours < 10 else f"{hours:,.0f} h"  # noqa: PLR2004  # two digits


def training_hours(
    store: Store, matrix: ExperimentMatrix, experiments: Sequence[Experiment]
) -> HoursEstimate:
    """How long training will take, by tokens and throughput of earlier trainings.

    The tokens of an experiment are its rows now, times the tokens for each row and epoch of its own
    earlier training, or else of all earlier trainings on the same base model. The throughput is the
    median of the trainings on the same base model. Loading the base model is not counted.

    Args:
        store: with earlier adapters and the present data set.
        matrix: the experiments.
        experiments: to train.
    """
    earlier = store.rows(TRAININGS)
    hours, unknown, on_gpu, gpus = 0.0, [], False, 1
    tokens = 0.0
    for one in experiments:
        of_base = [row for row in earlier if row["base_model"] == one[0]]
        speeds = [row["tokens_per_second"] for row in of_base if row["tokens_per_second"]]
        if not speeds:
            unknown.append(one[0])
            continue
        needed = _tokens(store, matrix, one, of_base)
        tokens += needed
        hours += needed / median(speeds) / 3600
        on_gpu = on_gpu or any(row["device"] != "cpu" for row in of_base)
        gpus = max([gpus, *(row["ranks"] for row in of_base)])
    if unknown:
        named = ", ".join(dict.fromkeys(unknown))
        return HoursEstimate(None, on_gpu, f"no adapter was trained on {named} yet")
    return HoursEstimate(
        hours,
        on_gpu,
        f"about {tokens:,.0f} tokens to train, at the speed of {len(earlier)} earlier trainings",
        gpus,
    )


def _tokens(
    store: Store, matrix: ExperimentMatrix, one: Experiment, of_base: Sequence[Mapping[str, Any]]
) -> float:
    """The tokens over all epochs that an experiment will probably train on."""
    recipe = matrix.recipe(*one)
    rows = train_rows(store, recipe.categories)
    rows = min(rows, recipe.rows or rows)
    own = [row for row in of_base if row["recipe"] == one[1]]
    if own:
        return rows * float(own[0]["train_tokens"] / own[0]["train_rows"])
    by_epoch = []
    for row in of_base:
        if row["recipe"] in matrix.recipes:
            epochs = matrix.recipe(row["base_model"], row["recipe"]).epochs
            by_epoch.append(row["train_tokens"] / row["train_rows"] / epochs)
        else:  # the recipe was taken out of the file: its epochs are not known
            by_epoch.append(row["train_tokens"] / row["train_rows"])
    return rows * recipe.epochs * float(median(by_epoch))


def refresh_dollars(store: Store, teacher: str, model: str, rows: int) -> tuple[str, str]:
    """The dollars of so many new rows, and what that comes from, as the values of two tags.

    Args:
        store: with the completions so far.
        teacher: the setting BIOINSTRUCT_TEACHER.
        model: that will be asked.
        rows: how many kept rows are added.
    """
    if teacher == "rehearsal":
        return "0 (rehearsal)", "the rehearsal teacher costs nothing"
    if not store.path.exists():
        return UNKNOWN, "the store holds no completion yet"
    [found] = store.rows(PRICE_OF_ROWS, {"teacher": teacher, "model": model})
    if not found["rows"] or found["usd"] is None:
        return UNKNOWN, f"no kept row with a known price was written by {model} yet"
    if found["unpriced"]:
        return UNKNOWN, f"{found['unpriced']:,} completions of {model} have no price"
    basis = (
        f"{rows:,} rows at the mean price of {found['rows']:,} kept rows by {model}; later rows "
        "cost more, because fewer of them are new"
    )
    return f"{found['usd'] / found['rows'] * rows:.2f}", basis
