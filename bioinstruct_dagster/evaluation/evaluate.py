"""The evaluation of one base model and its adapters: all questions, in one process, by one model.

It runs in the model process (`python -m bioinstruct_dagster.evaluation`) or in a notebook, without
Dagster and without the store. Belongs here: the order of work, from questions to parts of results.
Does not: several base models (evaluation.evaluate_study), or scores (evaluation.scoring).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.evaluation.asked import Asked, ask_all
from bioinstruct_dagster.evaluation.cache.parts import PartWriter
from bioinstruct_dagster.evaluation.engine.answers import answers
from bioinstruct_dagster.evaluation.engine.log_likelihoods import log_likelihoods
from bioinstruct_dagster.evaluation.engine.progress import ScoringProgress
from bioinstruct_dagster.evaluation.engine.requests import AnswerRequest, OptionRequest
from bioinstruct_dagster.evaluation.engine.subjects import Subjects
from bioinstruct_dagster.evaluation.questions import Questions, read_questions
from bioinstruct_dagster.evaluation.spec import (
    ROWS,
    TOKENS_PER_PASS,
    AdapterSpec,
    BaseSpec,
    EvaluationError,
)
from bioinstruct_dagster.evaluation.tasks.item_results import BASE, ItemResult
from bioinstruct_dagster.evaluation.tasks.keys import adapter_content, item_key
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.adapter_proof import check_folder, refuse_other_result
from bioinstruct_dagster.models.adapters import missing_file
from bioinstruct_dagster.models.base_models import CheckedBaseModel

Log = Callable[[str], None]
Report = Callable[[dict[str, Any]], None]


def evaluate_base(spec: BaseSpec, log: Log, report: Report) -> None:
    """Answer the questions of a base model's evaluation that have no stored result.

    Adapters that can be refused without the weights are refused before they are read. An adapter
    that is refused does not keep the others from being scored.

    Args:
        spec: the base model, its adapters and their questions.
        log: takes one line.
        report: takes messages with the key `kind`: `items` with `path` and `rows`, for each part of
            results; `answered` with `experiment` and `proof`; `failed` with `experiment` and
            `error`.

    Raises:
        BaseModelError: the base model has faults.
        EvaluationError: the other side computes other keys.
    """
    questions = read_questions(Path(spec.questions_path), spec.conditions)
    checked = base_models.check(spec.base, Path(spec.models_dir), log, spec.quantization)
    adapters = _accepted(spec, checked, report)
    if not adapters:
        return
    asked = ask_all(questions, checked, spec.conditions.seed, log)
    base = checked.load(log)
    precision = f"{checked.dtype} on {checked.device}"
    subjects = Subjects(
        base, {one.content: (Path(one.adapter_path), one.recipe, one.adapter_sha256) for one in adapters}
    )
    try:
        for one in adapters:
            if fault := subjects.failures.get(one.content):
                report({"kind": "failed", "experiment": one.experiment, "error": str(fault)})
        opened = [one for one in adapters if one.content not in subjects.failures]
        for one in opened:
            log(f"{one.experiment}: {subjects.proofs[one.content].line()}")
        if opened:
            work = {
                subject: [asked[place] for place in questions.places(subject, precision)]
                for subject in (BASE, *dict.fromkeys(one.content for one in opened))
            }
            writer = PartWriter(Path(spec.results_dir), report)
            for result in _results(subjects, base, work, spec, log):
                writer.add(replace(result, precision=precision))
            writer.flush()
        for one in opened:
            proof = subjects.proofs[one.content].to_json()
            report({"kind": "answered", "experiment": one.experiment, "proof": proof})
    finally:
        subjects.close()


def refuse_missing(adapter: AdapterSpec) -> None:
    """Refuse an adapter folder that lacks a file, or whose files are not as they were.

    Raises:
        EvaluationError: names the file.
        AdapterFaultError: names the first fault.
    """
    folder = Path(adapter.adapter_path)
    missing = missing_file(folder)
    if missing:
        raise EvaluationError(
            f"There is no adapter at {folder} ({missing} is missing). "
            "Materialize key:lora_adapter for this partition first."
        )
    check_folder(folder)
    if adapter_content(folder) != adapter.content:
        raise EvaluationError(
            f"The weights or the config of the adapter at {folder} were changed while it waited to "
            "be scored. Run the step again."
        )


def _accepted(spec: BaseSpec, base: CheckedBaseModel, report: Report) -> list[AdapterSpec]:
    """The adapters that can be of this base model; the others are reported as failed."""
    accepted = []
    for adapter in spec.adapters:
        try:
            refuse_missing(adapter)
            _refuse_other_base(adapter, base)
        except StatedError as error:
            report({"kind": "failed", "experiment": adapter.experiment, "error": str(error)})
        else:
            accepted.append(adapter)
    return accepted
