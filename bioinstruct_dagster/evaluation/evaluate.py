"""The evaluation of one adapter: base model and adapter on the same held-out rows.

It runs in the model process (`python -m bioinstruct_dagster.evaluation`) or in a notebook, without
Dagster. Belongs here: the order of work, from a specification to scores. Does not: storing the
scores (evaluation.assets).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Self

from bioinstruct_dagster.dataset.build import read_split
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.engine.predict import predict
from bioinstruct_dagster.evaluation.statistics.intervals import score_items
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.adapter_proof import check_folder, open_proven
from bioinstruct_dagster.models.adapter_removal import adapter_removed_after
from bioinstruct_dagster.models.adapters import RESULT_FILE, missing_file
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.experiments import BaseModelSpec, Recipe

SPLIT = "test"


class EvaluationError(StatedError):
    """The adapter can't be scored. The message gives the reason."""


@dataclass(frozen=True)
class EvaluationSpec:
    """An adapter, its base model, the data set for its scores, and the seed of the bootstrap.

    With `recipe` and `adapter_sha256`, the adapter has to be that of the experiment file and of the
    store. Without them, it has to be what its own result file says.
    """

    base: BaseModelSpec
    adapter_path: str
    dataset_path: str
    dataset_fingerprint: str
    models_dir: str
    seed: int
    recipe: Recipe | None = None
    adapter_sha256: str | None = None

    def to_json(self) -> str:
        """The specification as JSON for the model process. `from_json` reads it."""
        recipe = self.recipe.model_dump(mode="json") if self.recipe else None
        base = self.base.model_dump(mode="json")
        return json.dumps(asdict(self) | {"base": base, "recipe": recipe})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The specification that `to_json` wrote."""
        values = json.loads(text)
        values["base"] = BaseModelSpec.model_validate(values["base"])
        if values["recipe"]:
            values["recipe"] = Recipe.model_validate(values["recipe"])
        return cls(**values)


def evaluate(spec: EvaluationSpec, log: Callable[[str], None]) -> dict[str, Any]:
    """Load the base model, and score it and the adapter on the test split.

    The adapter is proven before anything is scored (models.adapter_proof).

    Returns:
        A dict with the keys `scores`, `predictions`, `base_fingerprint` and `proof`.

    Raises:
        EvaluationError: there is nothing to score, or no adapter.
        AdapterFaultError: the adapter is not what it should be, or does not act.
    """
    refuse_missing(spec)
    rows = test_rows(spec)
    base = base_models.load(spec.base, Path(spec.models_dir), log, quantization_of(spec))
    return evaluate_adapter(spec, base, rows, None, log)


def quantization_of(spec: EvaluationSpec) -> Literal["none", "nf4"]:
    """How the base model is loaded: as for training, so that its logits are those of training."""
    return spec.recipe.quantization if spec.recipe else "none"


def test_rows(spec: EvaluationSpec) -> list[dict[str, Any]]:
    """The rows of the test split.

    Raises:
        EvaluationError: there is none.
    """
    rows = read_split(Path(spec.dataset_path), SPLIT, spec.dataset_fingerprint)
    if not rows:
        raise EvaluationError(
            f"The {SPLIT} split of {spec.dataset_path} is empty, so nothing can be scored. "
            "Generate more rows, then materialize key:hf_dataset and key:lora_adapter."
        )
    return rows


def refuse_missing(spec: EvaluationSpec) -> None:
    """Refuse an adapter folder that lacks a file.

    Raises:
        EvaluationError: names the file.
    """
    missing = missing_file(Path(spec.adapter_path))
    if missing:
        raise EvaluationError(
            f"There is no adapter at {spec.adapter_path} ({missing} is missing). "
            "Materialize key:lora_adapter for this partition first."
        )
    check_folder(Path(spec.adapter_path))


def evaluate_adapter(
    spec: EvaluationSpec,
    base: LoadedBaseModel,
    rows: Sequence[Mapping[str, Any]],
    of_base: list[dict[str, Any]] | None,
    log: Callable[[str], None],
) -> dict[str, Any]:
    """Score an adapter of a loaded base model, which is as before afterwards.

    Args:
        spec: the adapter.
        base: its base model in memory.
        rows: of the test split.
        of_base: the predictions of the base model alone, if they are known.
        log: takes one line.

    Returns:
        A dict with the keys `scores`, `predictions`, `base_fingerprint` and `proof`.

    Raises:
        EvaluationError: there is nothing to score, or no adapter.
        AdapterFaultError: the adapter is not what it should be, or does not act.
    """
    refuse_missing(spec)
    _refuse_other_prompt(spec, base)
    with adapter_removed_after(base.model):
        model, proof = open_proven(
            base, Path(spec.adapter_path), recipe=spec.recipe, adapter_sha256=spec.adapter_sha256
        )
        log(proof.line())
        of_adapter = predict(model, base, rows, "adapter", log)
    if of_base is None:
        of_base = predict(base.model, base, rows, "base", log)
    if not of_base:
        raise EvaluationError(
            f"Every row of the {SPLIT} split of {spec.dataset_path} is too long to score. "
            "Generate shorter rows."
        )
    return {
        "scores": [asdict(score) for score in score_items(of_base, of_adapter, spec.seed)],
        "predictions": of_base + of_adapter,
        "base_fingerprint": base.fingerprint,
        "proof": proof.to_json(),
    }


def _refuse_other_prompt(spec: EvaluationSpec, base: LoadedBaseModel) -> None:
    """Refuse an adapter that was trained with another prompt than the base model has now.

    Raises:
        EvaluationError: names both prompts. An adapter without a result file is not refused.
    """
    path = Path(spec.adapter_path) / RESULT_FILE
    if not path.is_file():
        return
    trained_with = json.loads(path.read_text("utf-8")).get("prompt_version")
    if trained_with not in (None, base.prompt.version):
        raise EvaluationError(
            f"The adapter at {spec.adapter_path} was trained with the prompt {trained_with}, but "
            f"the base model's prompt is {base.prompt.version} now. Set `prompt` of the base model "
            "in the experiment file (BIOINSTRUCT_EXPERIMENTS) as it was, or materialize "
            "key:lora_adapter again."
        )
