"""One worker's part of a study: it keeps a base model in memory and trains one adapter at a time.

Belongs here: what experiments of a base model share, and how each of them ends. Does not: training
one adapter (training.train), or several workers (training.study.workers).
"""

import gc
import traceback
from collections.abc import Callable
from typing import Any

from bioinstruct_dagster.errors import StatedError, fault_words
from bioinstruct_dagster.models.experiments.subsets import SizeNotReachedError
from bioinstruct_dagster.training.base import SharedBase
from bioinstruct_dagster.training.rows import DatasetRows, read_rows
from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.study.spec import base_group
from bioinstruct_dagster.training.train import finished, train_adapter


class StudyTrainer:
    """Trains experiments one after the other. Give it those of one base model in a row."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._group: str | None = None
        self._shared: SharedBase | None = None
        self._fault: StatedError | None = None  # of the group's base model
        self._rows: dict[tuple[str, str], DatasetRows] = {}

    def outcome(self, spec: TrainingSpec, *, retrain: bool = False) -> dict[str, Any]:
        """Train an experiment, or reuse its adapter. A failure is an outcome, no exception.

        Returns:
            A message with the key `experiment` and the key `kind`: `adapter`, with `result` and
            `reused`; `failed`, with `error`; or `passed_over`, with `reason`.
        """
        try:
            result = None if retrain else finished(spec)
            if result is not None:
                self._log(
                    f"{spec.experiment}: same data, base model and recipe as "
                    f"{result['adapter_path']}: adapter reused"
                )
                return _message("adapter", spec, result=result, reused=True)
            result = train_adapter(spec, self._base(spec), self._log)
            return _message("adapter", spec, result=result, reused=False)
        except SizeNotReachedError as error:
            return _message("passed_over", spec, reason=str(error))
        except StatedError as error:
            _free_memory()
            return _message("failed", spec, error=fault_words(error))
        except Exception as error:  # noqa: BLE001  # the other experiments go on
            self._log(f"{spec.experiment}: {''.join(traceback.format_exception(error))}")
            self._shared = self._group = None  # it may be damaged
            _free_memory()
            return _message("failed", spec, error=fault_words(error))

    def _base(self, spec: TrainingSpec) -> SharedBase:
        """The experiment's base model. A group's base model is found and loaded once."""
        data = (spec.dataset_path, spec.dataset_fingerprint)
        if data not in self._rows:
            self._rows[data] = read_rows(spec)
        if base_group(spec) != self._group:
            self._shared, self._fault = None, None  # frees the memory of the last one first
            self._group = base_group(spec)
            try:
                self._shared = SharedBase(spec, self._rows[data], self._log)
            except StatedError as error:
                self._fault = error
        if self._shared is None:
            raise self._fault or AssertionError("a group has a base model or a fault")
        return self._shared


def _free_memory() -> None:
    """Give back what a failed training held, so that the next one finds it."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _message(kind: str, spec: TrainingSpec, **values: Any) -> dict[str, Any]:
    return {"kind": kind, "experiment": spec.experiment, **values}
