"""Our runner of answers: the engine and transformers' `generate` on the same prompts.

It runs in a process of its own (`python -m benchmarks.evaluation.generating JOB`). All modes run in
turn in one process, so that they share the machine's state. lm-evaluation-harness generates by the
same `generate`, in batches in the order of prompts' lengths.

Belongs here: the CPU-seconds of each mode. Does not: what is measured (generation).
"""

import json
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.evaluation.ours import requests_of
from bioinstruct_dagster.evaluation.engine.answers import answers
from bioinstruct_dagster.evaluation.engine.plain_answers import plain_batch
from bioinstruct_dagster.evaluation.engine.requests import BASE, AnswerRequest, AnswerResult
from bioinstruct_dagster.evaluation.engine.subjects import AdapterSource, Subjects
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.experiments import BaseModelSpec

NEVER = -1  # no token: answers have equal lengths
_ONE_IN = 24  # of all tokens ends an answer, where answers end early

Found = dict[str, str]
Way = Callable[[Subjects, LoadedBaseModel, Sequence[AnswerRequest], int], Found]


def by_engine(
    subjects: Subjects, base: LoadedBaseModel, requests: Sequence[AnswerRequest], rows: int
) -> Found:
    """One adapter."""
    return _found(answers(subjects, base, {_first(subjects): requests}, rows=rows))


def by_base(
    subjects: Subjects, base: LoadedBaseModel, requests: Sequence[AnswerRequest], rows: int
) -> Found:
    """The base model alone."""
    return _found(answers(subjects, base, {BASE: requests}, rows=rows))


def mixed(
    subjects: Subjects, base: LoadedBaseModel, requests: Sequence[AnswerRequest], rows: int
) -> Found:
    """All adapters, each with its share of the requests: each batch holds all of them."""
    names = list(subjects.proofs)
    work = {name: requests[at :: len(names)] for at, name in enumerate(names)}
    return _found(answers(subjects, base, work, rows=rows))


def by_generate(
    subjects: Subjects, base: LoadedBaseModel, requests: Sequence[AnswerRequest], rows: int
) -> Found:
    """One adapter by transformers, in batches of rows of similar length."""
    found: Found = {}
    ordered = sorted(requests, key=lambda one: len(one.prompt_ids), reverse=True)
    with subjects.alone(_first(subjects)) as model:
        for start in range(0, len(ordered), rows):
            part = ordered[start : start + rows]
            prompts = [one.prompt_ids for one in part]
            tokens = plain_batch(model, prompts, part[0].max_new_tokens, base)
            for one, own in zip(part, tokens, strict=True):
                found[one.key] = AnswerResult.of(one.key, own, base).text
    return found


WAYS: dict[str, Way] = {
    "base": by_base,
    "one": by_engine,
    "mixed": mixed,
    "generate": by_generate,
}


def main(job: Mapping[str, Any]) -> None:
    """Run all modes of a job in turn, and write their CPU-seconds."""
    import torch

    torch.set_num_threads(job["threads"])
    spec = BaseModelSpec.model_validate(job["spec"])
    base = base_models.load(spec, Path(job["models"]), print)
    sources = {name: AdapterSource(Path(path)) for name, path in job["adapters"].items()}
    requests = [
        AnswerRequest(one.key, one.prompt_ids, job["tokens"])
        for one in requests_of(base, Path(job["prompts"]))
    ]
    vocabulary = base.model.get_input_embeddings().weight.shape[0]
    stops = {"equal": (NEVER,), "early": tuple(range(_ONE_IN, vocabulary, _ONE_IN))}
    figures = []
    with Subjects(base, sources, print) as subjects:
        if subjects.failures:
            raise next(iter(subjects.failures.values()))
        mixed(subjects, base, requests[:8], job["rows"])  # what is made once is made
        for lengths, ids in stops.items():
            stopping = replace(base, prompt=replace(base.prompt, stop_ids=ids))
            for number in range(job["rounds"]):
                found = {}
                for name, way in WAYS.items():
                    begun = time.process_time()
                    found[name] = way(subjects, stopping, requests, job["rows"])
                    figures.append(
                        {
                            "lengths": lengths,
                            "mode": name,
                            "round": number,
                            "cpu": time.process_time() - begun,
                            "answers": len(requests),
                        }
                    )
                same = sum(found["one"][key] == found["generate"][key] for key in found["one"])
                for one in figures[-len(WAYS) :]:
                    one["same"] = same
    Path(job["result"]).write_text(json.dumps({"figures": figures}), "utf-8")


def _first(subjects: Subjects) -> str:
    return next(iter(subjects.proofs))


def _found(results: Any) -> Found:
    return {one.key: one.text for _, one in results}


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
