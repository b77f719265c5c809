"""The rows that experiments learn from: read once for a data set, encoded once for a base model.

Belongs here: which rows of a data set an experiment gets, as token ids. Does not: the tokens of one
row (models.encoding), or the optimization (training.loop).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.base_models import TokenizingBase
from bioinstruct_dagster.models.encoding import Example, LeftOutRow, encode_rows
from bioinstruct_dagster.models.experiments import Recipe
from bioinstruct_dagster.models.experiments.subsets import subset, validation_sample
from bioinstruct_dagster.store.fingerprints import sha256_of_rows
from bioinstruct_dagster.training.spec import TrainingSpec

T = TypeVar("T")
_TEXTS = ("row_id", "instruction", "input", "output")


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
    left_out: list[LeftOutRow]  # of the rows to learn from
    fingerprint: str  # of the rows to learn from: names and texts, in the order of the data set

    def counts(self) -> dict[str, Any]:
        """The numbers of rows, by column, and the rows that are not there as a whole."""
        shortened = sum(row.action == "input_shortened" for row in self.left_out)
        return {
            "train_rows": len(self.train),
            "rows_left_out": len(self.left_out) - shortened,
            "rows_shortened": shortened,
            "left_out": [asdict(row) for row in self.left_out],
        }

    def summary(self) -> str:
        """What became of the other rows, in words."""
        counts = self.counts()
        return (
            f"{counts['rows_left_out']} left out, {counts['rows_shortened']} shortened, "
            f"{len(self.validation)} to validate on"
        )


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

    def __init__(self, base: TokenizingBase, rows: DatasetRows) -> None:
        self._base = base
        self._rows = rows
        self._encoded: dict[tuple[int, str], _Encoded] = {}

    def rows_of(self, spec: TrainingSpec) -> ExperimentRows:
        """The rows of an experiment, in the order of the data set.

        Raises:
            SizeNotReachedError: the data set has fewer rows than the recipe asks for.
            TrainingError: the data set has no row for the recipe, or each of them is too long; or
                it lacks a row that the specification names.
        """
        recipe = spec.recipe
        train = (
            _named(self._rows.train, spec)
            if spec.row_ids
            else subset(self._rows.train, recipe, spec.seed)
        )
        validation = validation_sample(self._rows.validation, recipe, len(train), spec.seed)
        encoded = self._encode([*train, *validation], recipe)
        rows = ExperimentRows(
            _found(train, encoded.examples),
            _found(validation, encoded.examples),
            _found(train, encoded.left_out),
            sha256_of_rows((row for row in train if row["row_id"] in encoded.examples), _TEXTS),
        )
        if not rows.train:
            raise TrainingError(
                f"{spec.experiment}: there are no training rows of the categories "
                f"{', '.join(recipe.categories)} ({len(rows.left_out)} rows were left out: too "
                "long, or without an output). Generate more rows, or change the recipe's "
                "categories or max_length in the experiment file (BIOINSTRUCT_EXPERIMENTS)."
            )
        return rows

    def _encode(self, rows: Sequence[Mapping[str, Any]], recipe: Recipe) -> "_Encoded":
        known = self._encoded.setdefault((recipe.max_length, recipe.too_long), _Encoded())
        new = [row for row in rows if row["row_id"] not in known.row_ids]
        if new:
            encoded = encode_rows(new, self._base, recipe.max_length, recipe.too_long)
            known.row_ids.update(row["row_id"] for row in new)
            known.examples.update((example.row_id, example) for example in encoded.examples)
            known.left_out.update((row.row_id, row) for row in encoded.left_out)
        return known


def _named(rows: Iterable[dict[str, Any]], spec: TrainingSpec) -> list[dict[str, Any]]:
    """The rows that the specification names, in the order of the data set.

    Raises:
        TrainingError: the train split lacks one of them.
    """
    names = set(spec.row_ids)
    found = [row for row in rows if row["row_id"] in names]
    if lacking := len(names) - len(found):
        raise TrainingError(
            f"{spec.experiment}: the train split of the data set lacks {lacking:,} of the "
            f"{len(names):,} rows to learn from, because the data set was rebuilt. Run the step "
            "again."
        )
    return found


@dataclass
class _Encoded:
    """Rows that were encoded with one `max_length` and one rule for long rows, by `row_id`."""

    row_ids: set[str] = field(default_factory=set)
    examples: dict[str, Example] = field(default_factory=dict)
    left_out: dict[str, LeftOutRow] = field(default_factory=dict)


def _found(rows: Iterable[Mapping[str, Any]], by_row: Mapping[str, T]) -> list[T]:
    return [by_row[row["row_id"]] for row in rows if row["row_id"] in by_row]
