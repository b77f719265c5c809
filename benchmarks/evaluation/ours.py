"""Our runner: the evaluation's own engine on the same items, with one adapter or several.

It runs in a process of its own (`python -m benchmarks.evaluation.ours JOB`). Clocks begin with the
process, so imports, loading and the proof of adapters are seen.
"""

import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioinstruct_dagster.evaluation.engine.log_likelihoods import TOKENS_PER_PASS, log_likelihoods
from bioinstruct_dagster.evaluation.engine.requests import BASE, OptionRequest
from bioinstruct_dagster.evaluation.engine.subjects import AdapterSource, Subjects
from bioinstruct_dagster.models import base_models
from bioinstruct_dagster.models.base_models import LoadedBaseModel
from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.prompts import RowTokenizer


def main(job: Mapping[str, Any]) -> None:
    """Score all sets of a job by all subjects, and write values and CPU-seconds."""
    import torch

    torch.set_num_threads(job["threads"])
    begun = time.process_time()
    spec = BaseModelSpec.model_validate(job["spec"])
    base = base_models.load(spec, Path(job["models"]), print)
    sources = {name: AdapterSource(Path(path)) for name, path in job["adapters"].items()}
    with Subjects(base, sources, print) as subjects:
        loaded = time.process_time()
        named = tuple(sources) or (BASE,)
        sets = {name: scored(base, subjects, job, name, named) for name in job["sets"]}
    result = {
        "sets": sets,
        "load": loaded - begun,
        "imports": begun,
        "cpu": time.process_time(),
        "failures": {name: str(error) for name, error in subjects.failures.items()},
    }
    Path(job["result"]).write_text(json.dumps(result), "utf-8")


def scored(
    base: LoadedBaseModel,
    subjects: Subjects,
    job: Mapping[str, Any],
    name: str,
    named: tuple[str, ...],
) -> dict[str, Any]:
    """The values and CPU-seconds of one set."""
    begun = time.process_time()
    requests = requests_of(base, Path(job["tasks"]) / f"{name}.jsonl")
    values: dict[str, dict[str, Any]] = {subject: {} for subject in named}
    found = log_likelihoods(
        subjects,
        base,
        dict.fromkeys(named, requests),
        tokens_per_pass=job.get("tokens") or TOKENS_PER_PASS["cpu"],
        tell=lambda _: None,
        log=print,
    )
    for subject, result in found:
        values[subject][result.key] = result.log_likelihoods
    return {
        "cpu": time.process_time() - begun,
        "items": len(requests),
        "values": values,
        "tokens": {
            one.key: [[list(one.prompt_ids), list(option)] for option in one.option_ids]
            for one in requests
        },
    }


def requests_of(base: LoadedBaseModel, path: Path) -> list[OptionRequest]:
    """The items of a set as requests."""
    with path.open(encoding="utf-8") as file:
        items = [json.loads(line) for line in file]
    encoder = RowTokenizer(base.tokenizer, base.prompt)
    prompts = encoder.prompts([(item["instruction"], item["input"]) for item in items])
    options = encoder.responses([option for item in items for option in item["options"]])
    requests, at = [], 0
    for item, prompt in zip(items, prompts, strict=True):
        own = options[at : at + len(item["options"])]
        at += len(own)
        requests.append(OptionRequest(item["id"], tuple(prompt), tuple(map(tuple, own))))
    return requests


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
