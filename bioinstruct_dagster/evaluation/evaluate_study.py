"""The evaluation of several adapters: each base model is loaded once, and scored alone once.

It runs in the model process (`python -m bioinstruct_dagster.evaluation`), without Dagster. Belongs
here: what adapters of one base model share, and how each evaluation ends. Does not: one adapter
(evaluation.evaluate).
"""

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.engine.predict import predict
from bioinstruct_dagster.evaluation.evaluate import (
    EvaluationSpec,
    evaluate_adapter,
    quantization_of,
    refuse_missing,
    test_rows,
)
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.process.turns import turn, visible_gpus
from bioinstruct_dagster.store.fingerprints import canonical_json


@dataclass(frozen=True)
class EvaluationStudySpec:
    """The adapters to score, by experiment (`rehearsal-llama|all`)."""

    adapters: Mapping[str, EvaluationSpec]

    def to_json(self) -> str:
        """The specification as JSON for the model process. `from_json` reads it."""
        return json.dumps({name: json.loads(one.to_json()) for name, one in self.adapters.items()})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The specification that `to_json` wrote."""
        values = json.loads(text)
        return cls({n: EvaluationSpec.from_json(json.dumps(one)) for n, one in values.items()})


@dataclass
class _ScoredBase:
    """A base model in memory, the rows, and its own predictions for them."""

    base: LoadedBaseModel
    rows: list[dict[str, Any]]
    predictions: list[dict[str, Any]]


def evaluate_study(
    spec: EvaluationStudySpec,
    log: Callable[[str], None],
    report: Callable[[dict[str, Any]], None],
) -> None:
    """Score all adapters, and go on with the rest if one fails.

    Args:
        spec: the adapters.
        log: takes one line. Each line names its experiment, or the base model that several share.
        report: takes a message about each adapter when it is scored, with the key `experiment` and
            the key `kind`: `scores`, with `result`; or `failed`, with `error`.
    """
    if not spec.adapters:
        return
    first, *more = spec.adapters
    work = f"scores {first}{f' and {len(more)} more' if more else ''}"
    models_dir = Path(spec.adapters[first].models_dir)
    with turn(work, visible_gpus()[:1], models_dir, log):
        _evaluate(spec, log, report)


def _evaluate(
    spec: EvaluationStudySpec,
    log: Callable[[str], None],
    report: Callable[[dict[str, Any]], None],
) -> None:
    groups: dict[str, dict[str, EvaluationSpec]] = {}
    for name, one in spec.adapters.items():
        groups.setdefault(_group(one), {})[name] = one
    for members in groups.values():
        scored: _ScoredBase | None = None
        for name, one in members.items():
            try:
                refuse_missing(one)
                scored = scored or _scored_base(one, _named(name.partition("|")[0], log))
                result = evaluate_adapter(
                    one, scored.base, scored.rows, scored.predictions, _named(name, log)
                )
                report({"kind": "scores", "experiment": name, "result": result})
            except StatedError as error:
                report({"kind": "failed", "experiment": name, "error": str(error)})
            except Exception as error:  # noqa: BLE001  # the other adapters go on
                log(f"{name}: {''.join(traceback.format_exception(error))}")
                cause = f"{type(error).__name__}: {error} (the log has the traceback)"
                report({"kind": "failed", "experiment": name, "error": cause})
                scored = None  # it may be damaged


def _scored_base(spec: EvaluationSpec, log: Callable[[str], None]) -> _ScoredBase:
    rows = test_rows(spec)
    base = base_models.load(spec.base, Path(spec.models_dir), log, quantization_of(spec))
    return _ScoredBase(base, rows, predict(base.model, base, rows, "base", log))


def _named(name: str, log: Callable[[str], None]) -> Callable[[str], None]:
    """A log whose lines begin with the experiment, or with the base model."""
    return lambda line: log(f"{name}: {line}")


def _group(spec: EvaluationSpec) -> str:
    """What must be equal so that two adapters can share the base model and its predictions."""
    base = spec.base.model_dump(mode="json", exclude={"training", "licence"})
    data = [spec.dataset_path, spec.dataset_fingerprint]
    return canonical_json([base, quantization_of(spec), spec.models_dir, *data])
