"""lm-evaluation-harness: a multiple-choice task for each set of items, run as its users run it.

Clocks begin with the process, so imports and loading are seen. The harness's own statistics are
turned off. It uses nothing of this project, because its interpreter does not have it.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path

IMPORTS = time.process_time()

import torch  # noqa: E402
from lm_eval import simple_evaluate  # noqa: E402
from lm_eval.models.huggingface import HFLM  # noqa: E402
from lm_eval.tasks import TaskManager  # noqa: E402


def main(job):
    """Score all sets of a job, and write values and CPU-seconds."""
    torch.set_num_threads(job["threads"])
    begun = time.process_time()
    adapter = {"peft": job["adapter"]} if job.get("adapter") else {}
    model = HFLM(
        pretrained=job["base"],
        batch_size=job["batch"],
        max_length=job["context"],
        dtype="float32",
        device="cpu",
        **adapter,
    )
    loaded = time.process_time()
    manager = TaskManager(include_path=job["tasks"], include_defaults=False)
    sets = {}
    for name in job["sets"]:
        before = time.process_time()
        found = simple_evaluate(
            model=model,
            tasks=[name],
            task_manager=manager,
            log_samples=True,
            bootstrap_iters=0,
            verbosity="ERROR",
        )
        seconds = time.process_time() - before
        samples = found["samples"][name]
        sets[name] = {
            "cpu": seconds,
            "items": len(samples),
            "values": {
                sample["doc"]["id"]: [float(one[0]) for one in sample["filtered_resps"]]
                for sample in samples
            },
        }
    whole = time.process_time()
    for name, one in sets.items():
        # The harness tokenises a prompt and an option as one text, so tokens may join across the
        # border.
        encode = model._encode_pair  # noqa: SLF001
        one["tokens"] = {
            item["id"]: [encode(item["prompt"], option) for option in item["options"]]
            for item in read_items(job, name)
        }
    Path(job["result"]).write_text(
        json.dumps(
            {
                "sets": sets,
                "load": loaded - begun,
                "imports": begun,
                "cpu": whole,
                "versions": {one: version(one) for one in ("lm_eval", "torch", "transformers")},
            }
        ),
        "utf-8",
    )


def read_items(job, name):
    """The items of a set."""
    with (Path(job["tasks"]) / f"{name}.jsonl").open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))
