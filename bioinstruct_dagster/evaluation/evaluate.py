"""The evaluation of one base model and its adapters: all questions, in one process, by one model.

It runs in the model process (`python -m bioinstruct_dagster.evaluation`) or in a notebook, without
Dagster and without the store. Belongs here: the order of work, from questions to parts of results.
Does not: several base models (evaluation.evaluate_study), or scores (evaluation.scoring).
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError, fault_words
from bioinstruct_dagster.evaluation.asked import Asked, ask_all
from bioinstruct_dagster.evaluation.cache.parts import PartWriter
from bioinstruct_dagster.evaluation.engine.answers import answers
from bioinstruct_dagster.evaluation.engine.log_likelihoods import (
    TOKENS_PER_PASS,
    log_likelihoods,
)
from bioinstruct_dagster.evaluation.engine.progress import ScoringProgress
from bioinstruct_dagster.evaluation.engine.requests import AnswerRequest, OptionRequest
from bioinstruct_dagster.evaluation.engine.subjects import AdapterSource, Subjects
from bioinstruct_dagster.evaluation.questions import read_questions
from bioinstruct_dagster.evaluation.spec import (
    AdapterSpec,
    BaseSpec,
    EvaluationError,
    refuse_incomplete,
)
from bioinstruct_dagster.evaluation.tasks.item_results import BASE, ItemResult
from bioinstruct_dagster.evaluation.tasks.keys import VLLM, adapter_content
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.adapter_proof import AdapterFaultError, check_folder
from bioinstruct_dagster.models.adapters import RESULT_FILE
from bioinstruct_dagster.models.base_models import CheckedBaseModel, LoadedBaseModel

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
            results; `answered` with `experiment` and `proof`, when all results of an adapter are
            handed over; `failed` with `experiment` and `error`.

    Raises:
        BaseModelError: the base model has faults.
        EvaluationError: this process computes other keys than the one that started it.
    """
    questions = read_questions(Path(spec.questions_path), spec.conditions)
    checked = base_models.check(spec.base, Path(spec.models_dir), log, spec.quantization)
    adapters = _accepted(spec, checked, report)
    if not adapters:
        return
    precision = f"{checked.dtype} on {checked.device}"
    if questions.precision not in {"", precision}:
        log(
            f"the stored results were computed in {questions.precision}, and this process computes "
            f"in {precision}: they are computed again, so that no comparison mixes the two"
        )
    contents = tuple(dict.fromkeys(one.content for one in adapters))
    places = {one: questions.places(one, precision) for one in (BASE, *contents)}
    wanted = sorted(set().union(*places.values()))
    asked = ask_all(questions, wanted, checked, spec.conditions.seed, log)
    base = checked.load(log)
    sources = {
        one.content: AdapterSource(Path(one.adapter_path), one.recipe, one.adapter_sha256)
        for one in adapters
    }
    with Subjects(base, sources) as subjects:
        opened = []
        for one in adapters:
            fault = subjects.failures.get(one.content)
            if fault is None:
                log(f"{one.experiment}: {subjects.proofs[one.content].line()}")
                opened.append(one)
            else:
                failed = {
                    "kind": "failed",
                    "experiment": one.experiment,
                    "error": fault_words(fault),
                }
                report(failed)
        if not opened:
            return
        work = {
            subject: [asked[place] for place in places[subject]]
            for subject in (BASE, *dict.fromkeys(one.content for one in opened))
        }
        writer = PartWriter(Path(spec.results_dir), report)
        try:
            for result in _results(subjects, base, work, spec, log):
                writer.add(replace(result, precision=precision))
        finally:
            writer.flush()  # also what was answered before a failure
        for one in opened:
            proof = subjects.proofs[one.content].to_json()
            report({"kind": "answered", "experiment": one.experiment, "proof": proof})


def _accepted(spec: BaseSpec, base: CheckedBaseModel, report: Report) -> list[AdapterSpec]:
    """The adapters that can be of this base model; the others are reported as failed."""
    accepted = []
    for adapter in spec.adapters:
        try:
            refuse_changed(adapter)
            _refuse_other_base(adapter, base)
        except StatedError as error:
            report({"kind": "failed", "experiment": adapter.experiment, "error": str(error)})
        else:
            accepted.append(adapter)
    return accepted


def refuse_changed(adapter: AdapterSpec) -> None:
    """Refuse an adapter folder that lacks a file, or whose files are not as they were.

    Raises:
        EvaluationError: names the file.
        AdapterFaultError: names the first fault.
    """
    folder = Path(adapter.adapter_path)
    refuse_incomplete(folder)
    check_folder(folder)
    if adapter_content(folder) != adapter.content:
        raise EvaluationError(
            f"The weights or the config of the adapter at {folder} were changed while it waited to "
            "be scored. Run the step again."
        )


def _refuse_other_base(adapter: AdapterSpec, base: CheckedBaseModel) -> None:
    """Refuse an adapter of another base model, or of another prompt than the base model has now.

    Raises:
        AdapterFaultError, EvaluationError: names both.
    """
    folder = Path(adapter.adapter_path)
    result = json.loads((folder / RESULT_FILE).read_text("utf-8"))
    if result["base_fingerprint"] != base.fingerprint:
        raise AdapterFaultError(
            "wrong base",
            folder,
            f"it was trained on the base model {result['base_fingerprint'][:60]}, but "
            f"{base.spec.source} is {base.fingerprint[:60]} now.",
            "Name the base model of training in the experiment file (BIOINSTRUCT_EXPERIMENTS), or "
            "materialize key:lora_adapter for this partition again.",
        )
    trained_with = result.get("prompt_version")
    if trained_with not in (None, base.prompt.version):
        raise EvaluationError(
            f"The adapter at {folder} was trained with the prompt {trained_with}, but the base "
            f"model's prompt is {base.prompt.version} now. Set `prompt` of the base model in the "
            "experiment file (BIOINSTRUCT_EXPERIMENTS) as it was, or materialize key:lora_adapter "
            "again."
        )


def _results(
    subjects: Subjects,
    base: LoadedBaseModel,
    work: Mapping[str, Sequence[Asked]],
    spec: BaseSpec,
    log: Log,
) -> Iterator[ItemResult]:
    """All results, as they come."""
    by_key = {one.key: one for asked in work.values() for one in asked}
    for subject, asked in work.items():
        yield from (one.result(subject, None) for one in asked if one.request is None)
    options = {
        subject: [one.request for one in asked if isinstance(one.request, OptionRequest)]
        for subject, asked in work.items()
    }
    prompts = {
        subject: [one.request for one in asked if isinstance(one.request, AnswerRequest)]
        for subject, asked in work.items()
    }
    if count := sum(map(len, options.values())):
        progress = ScoringProgress("log-likelihoods", count, count, log)
        for subject, found in log_likelihoods(
            subjects,
            base,
            options,
            tokens_per_pass=spec.tokens_per_pass or TOKENS_PER_PASS[base.device],
            tell=partial(_more, progress, [0]),
            log=log,
        ):
            yield by_key[found.key].result(subject, found)
    if count := sum(map(len, prompts.values())):
        progress = ScoringProgress("answers", count, count, log)
        for subject, answer in answers(
            subjects,
            base,
            prompts,
            rows=spec.rows,
            tell=progress.come_to,
            log=log,
            vllm=spec.conditions.answer_engine == VLLM,
        ):
            yield by_key[answer.key].result(subject, answer)


def _more(progress: ScoringProgress, done: list[int], items: int) -> None:
    """Tell that so many more items are done; `done` holds their number."""
    done[0] += items
    progress.come_to(done[0], done[0])
