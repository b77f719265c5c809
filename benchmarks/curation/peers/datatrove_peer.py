"""datatrove's n-gram decontamination: `NGramsDecontIndexer`, then `NGramsDecontFilter`.

12-grams, its default, with n-grams of the query too, or it would look at answers alone. Items come
from the pipeline; the indexer then still asks lighteval for further tasks, which an empty stand-in
answers. The filter runs as `LocalPipelineExecutor` does it, a worker per core.
"""

import json
import os
import sys
from pathlib import Path
from types import ModuleType

from datatrove.data import Document
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.decont.n_grams import (
    NGramsDecontConfig,
    NGramsDecontFilter,
    NGramsDecontIndexer,
)
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from loguru import logger
from measured import Body, Job, run

logger.remove()
NGramsDecontIndexer._requires_dependencies = []  # noqa: SLF001
WORKERS = os.cpu_count() or 1


def contamination(job: Job) -> Body:
    """Rows that the filter takes out."""
    items, rows = job.read("items"), job.read("rows")
    config = NGramsDecontConfig(find_query_ngrams=True)
    documents = [
        Document(
            text=item["answer"],
            id=str(n),
            metadata={"query": f"{item['context']}\n{item['question']}", "task": item["task"]},
        )
        for n, item in enumerate(items)
    ]
    (job.folder / "rows").mkdir(parents=True)
    for worker in range(WORKERS):
        with Path(f"{job.folder}/rows/{worker}.jsonl").open("w", encoding="utf-8") as file:
            file.writelines(
                json.dumps({"id": str(n), "text": "\n".join(rows[n])}) + "\n"
                for n in range(worker, len(rows), WORKERS)
            )
    _stand_in_for_lighteval()
    index, output = str(job.folder / "index"), job.folder / "removed"

    def body():
        NGramsDecontIndexer(index, config=config).run(iter(documents))
        LocalPipelineExecutor(
            pipeline=[
                JsonlReader(str(job.folder / "rows")),
                NGramsDecontFilter(index, config, JsonlWriter(str(output), compression=None)),
            ],
            tasks=WORKERS,
            workers=WORKERS,
            start_method="fork",  # what is imported is not imported again
            logging_dir=str(job.folder / "logs"),
        ).run()
        return {"removed": lambda: _removed(output)}

    return body


def _removed(folder: Path) -> list[int]:
    lines = (line for path in folder.rglob("*.jsonl") for line in path.open(encoding="utf-8"))
    return sorted(int(json.loads(line)["id"]) for line in lines)


def _stand_in_for_lighteval() -> None:
    class Registry:
        def __init__(self, **_options) -> None: ...

        def get_task_dict(self, _names) -> dict:
            return {}

    class LightevalTask:
        @staticmethod
        def load_datasets(_tasks) -> None: ...

    for name, members in {
        "lighteval": {},
        "lighteval.tasks": {},
        "lighteval.tasks.registry": {"Registry": Registry},
        "lighteval.tasks.lighteval_task": {"LightevalTask": LightevalTask},
    }.items():
        module = ModuleType(name)
        vars(module).update(members)
        sys.modules[name] = module


if __name__ == "__main__":
    run({"contamination": contamination}, "datatrove")
