"""The rows that experiments learn from: read once for a data set, encoded once for a base model.

Belongs here: which rows of a data set an experiment gets, as token ids. Does not: the tokens of one
row (models.encoding), or the optimization (training.loop).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.encoding import Example, encode_all
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.subsets import subset


class TrainingError(StatedError):
    """No adapter can be trained from the specification. The message gives the reason."""


@dataclass(frozen=True)
class DatasetRows:
    """The rows of the splits that training reads: `train` for updates, `validation` to stop."""

    train: list[dict[str, Any]]
    validation: list[dict[str, Any]]


@dataclass(frozen=True)
class ExperimentRows:
    """The rows of one experiment as token ids, and the rows that are too long for it."""

    train: list[Example]
    validation: list[Example]
    left_out: list[dict[str, Any]]  # the columns of the table `rows_left_out`

    def counts(self) -> dict[str, Any]:
        """The numbers of rows, by column, and the rows that are not there as a whole."""
        shortened = sum(row.get("action") == "input_shortened" for row in self.left_out)
        return {
            "train_rows": len(self.train),
            "rows_left_out": len(self.left_out) - shortened,
            "rows_shortened": shortened,
            "left_out": self.left_out,
        }

    def summary(self) -> str:
        """What became of the other rows, in words."""
        counts = self.counts()
        return f"{counts['rows_left_out']} left out, {counts['rows_shortened']} shortened"


def read_rows(spec: TrainingSpec) -> DatasetRows:
    """The rows of the specification's version of the data set.

    Raises:
        DatasetError: the folder does not hold this version.
    """
    train, validation = (
        read_split(Path(spec.dataset_path), split, spec.dataset_fingerprint)
        for split in ("train", "validation")
    )
    return DatasetRows(train, validation)


class RowEncoder:
    """Gives experiments of one base model their rows, and encodes no row twice.

    Experiments share the encoding of a row if they have the same `max_length` and the same rule
    for long rows.
    """

    def __init__(self, base: LoadedBaseModel, rows: DatasetRows) -> None:
        self._base = base
        self._rows = rows
        self._encoded: dict[tuple[int, str], dict[str, Example | None]] = {}

    def rows_of(self, spec: TrainingSpec) -> ExperimentRows:
        """The rows of an experiment, in the order of the data set.

        Raises:
            SizeNotReachedError: the data set has fewer rows than the recipe asks for.
            TrainingError: the data set has no row for the recipe, or each of them is too long.
        """
        recipe = spec.recipe
        train = subset(self._rows.train, recipe, spec.seed)
        validation = _of_categories(self._rows.validation, recipe)
        encoded = self._encode([*train, *validation], recipe)
        examples = [example for row in train if (example := encoded[row["row_id"]])]
        left_out = [{"row_id": row["row_id"]} for row in train if encoded[row["row_id"]] is None]
        if not examples:
            raise TrainingError(
                f"{spec.experiment}: there are no training rows of the categories "
                f"{', '.join(recipe.categories)} ({len(left_out)} rows were too long). Generate "
                "more rows, or change the recipe's categories or max_length in "
                "data/experiments.yaml."
            )
        return ExperimentRows(
            examples,
            [example for row in validation if (example := encoded[row["row_id"]])],
            left_out,
        )

    def _encode(
        self, rows: Sequence[Mapping[str, Any]], recipe: Recipe
    ) -> Mapping[str, Example | None]:
        known = self._encoded.setdefault((recipe.max_length, recipe.too_long), {})
        new = [row for row in rows if row["row_id"] not in known]
        examples, _ = encode_all(new, self._base.tokenizer, recipe.max_length)
        known.update({row["row_id"]: None for row in new})
        known.update({example.row_id: example for example in examples})
        return known


def _of_categories(rows: list[dict[str, Any]], recipe: Recipe) -> list[dict[str, Any]]:
    return [row for row in rows if row["category"] in recipe.categories]
