"""This project's runner for each measure, in the same frame as the peers' runners.

Each runner first makes a small call of the same kind, so that kernels are compiled before the clock
starts. Belongs here: calls that the assets make too. Does not: calls that no user would make.
"""

from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

from benchmarks.curation.peers.measured import Body, Job, run
from benchmarks.curation.stored import filled_store, incremental

_WARM_UP_TEXTS = 2_000  # enough for more than one thread
_FEW = 100
_TASK = """
version: 1
what: Generated items, as many as the measure says.
category: generation
source: {files: [items.jsonl], licence: generated, credentialed: false}
fields: {question: question, answer: answer, context: context?}
prompt: {instruction: Answer., input: "{question}"}
scoring: {kind: text}
"""


def novelty(job: Job) -> Body:
    """Self-Instruct's rule over texts in memory."""
    from bioinstruct_dagster.curation.novelty.rule import NoveltyFilter

    texts = job.read("texts")
    NoveltyFilter([]).check_texts(texts[:_WARM_UP_TEXTS])

    def body() -> dict[str, Any]:
        checked = NoveltyFilter([]).check_texts(texts)
        return {"removed": (~checked.novel).nonzero()[0].tolist}

    return body


def cold(job: Job) -> Body:
    """The first call of a process, with its imports."""
    texts = job.read("texts")[:_FEW]

    def body() -> dict[str, Any]:
        from bioinstruct_dagster.curation.novelty.rule import NoveltyFilter

        NoveltyFilter([]).check_texts(texts)
        return {}

    return body


def contamination(job: Job) -> Body:
    """The gate over rows and items in memory."""
    from bioinstruct_dagster.curation.contamination.gate import ContaminationGate
    from bioinstruct_dagster.curation.contamination.limits import ComparedItems
    from bioinstruct_dagster.curation.gates import GateResult, RowTexts
    from bioinstruct_dagster.eval_sets.items import EvaluationItem, collect_items

    rows = [RowTexts(*row) for row in job.read("rows")]
    given = job.read("items")

    def check(items: list[Any], tasks: list[RowTexts]) -> list[GateResult]:
        listed = [
            EvaluationItem(
                item["task"],
                str(number),
                item["question"],
                answers=(item["answer"],),
                context=(item["context"],) if item["context"] else (),
            )
            for number, item in enumerate(items)
        ]
        return ContaminationGate(ComparedItems.of(collect_items(listed))).check(tasks)

    check(given[:_FEW], rows[:_WARM_UP_TEXTS])

    def body() -> dict[str, Any]:
        checked = check(given, rows)
        return {"removed": lambda: [n for n, said in enumerate(checked) if said.rejected]}

    return body


def gates(job: Job) -> Body:
    """All gates on a store, as the assets of the stage run them."""
    from bioinstruct_dagster.curation.category.classifier import trained_classifier

    folder = job.folder / "eval"
    folder.mkdir()
    (job.folder / "tasks").mkdir()
    (job.folder / "tasks" / "benchmark.yaml").write_text(_TASK, "utf-8")
    (folder / "items.jsonl").write_text(Path(job.material["items"]).read_text("utf-8"), "utf-8")
    rows = job.read("rows")
    few = _filled(job.folder / "warm-up" / "store.duckdb", rows[:_FEW])
    _curated(few, job.folder)
    trained_classifier.cache_clear()  # a run trains its classifier once
    store = _filled(job.folder / "measured" / "store.duckdb", rows)

    def body() -> dict[str, Any]:
        spent = _curated(store, job.folder)
        kept = "select count(*) as rows from categorized_instructions"
        return {
            "spent": spent,
            "rows": len(rows),
            "kept": lambda: store.rows(kept)[0]["rows"],
        }

    return body


def _filled(path: Path, rows: list[list[str]]) -> Any:
    """A new store with the shipped seeds and these raw rows."""
    from bioinstruct_dagster.seeds.tasks import read_seed_tasks
    from bioinstruct_dagster.settings import Settings
    from bioinstruct_dagster.store.database import Store

    seeds = read_seed_tasks(Settings.of().seeds.file)
    store = Store(path)
    raw = [
        {
            "row_id": f"{number:024x}",
            "ordinal": number,
            "position": 0,
            "source": "benchmark",
            "instruction": row[0],
            "input": row[1],
            "output": row[2],
            "rehearsal": False,
        }
        for number, row in enumerate(rows)
    ]
    seed_rows = [seed.to_row(ordinal) for ordinal, seed in enumerate(seeds)]
    store.replace({"seed_tasks": seed_rows, "raw_instructions": raw})
    return store


def _curated(store: Any, folder: Path) -> dict[str, float]:
    """Check all raw rows and label the kept rows. Returns the CPU seconds by gate."""
    from bioinstruct_dagster.curation.assets import KEPT_ROWS, SEED_INSTRUCTIONS
    from bioinstruct_dagster.curation.category.labelling import label_rows
    from bioinstruct_dagster.curation.curate_rows import row_gates
    from bioinstruct_dagster.curation.curate_store import curate, write_labels
    from bioinstruct_dagster.curation.novelty.rule import NamedInstruction
    from bioinstruct_dagster.settings import Settings
    from bioinstruct_dagster.store.gate_order import DROPPING_GATES
    from bioinstruct_dagster.teacher.session import TeacherSession
    from bioinstruct_dagster.teacher.terms import Terms
    from bioinstruct_dagster.teacher.wire.endpoint import Endpoint

    spent: dict[str, float] = {}
    started = process_time()

    def log(message: str, *_: object) -> None:
        nonlocal started
        name = message.split(":", maxsplit=1)[0]
        if name in DROPPING_GATES:
            # A gate that takes long tells its progress too, so its parts are added.
            spent[name] = spent.get(name, 0.0) + process_time() - started
            started = process_time()

    settings = Settings.of(evaluation_tasks=folder / "tasks", eval_dir=folder / "eval")
    seeds = [
        NamedInstruction(row["seed_id"], row["instruction"])
        for row in store.rows(SEED_INSTRUCTIONS)
    ]
    curate(store, seeds, row_gates(settings), log)
    spent["novelty"] += process_time() - started  # the kept rows are written at the end
    started = process_time()
    nowhere = Endpoint("http://127.0.0.1:9", "no-key", rehearsal=False)
    labelling = label_rows(
        store.rows(KEPT_ROWS),
        TeacherSession(
            "openai",
            "gpt-4o-mini",
            nowhere,
            store,
            lambda _: None,
            Terms(max_usd=0.0),  # the teacher costs too much; the classifier labels everything
        ),
    )
    write_labels(store, labelling)
    return spent | {"category": process_time() - started}


def sharded(job: Job) -> Body:
    """The join on a running local Ray cluster."""
    from bioinstruct_dagster.curation.novelty.cluster.driver import check_sharded
    from bioinstruct_dagster.curation.novelty.cluster.ray_cluster import (
        LOCAL_CLUSTER,
        ray_connection,
    )
    from bioinstruct_dagster.curation.novelty.rule import NoveltyFilter

    texts = job.read("texts")
    workers = job.options["workers"]
    cluster = ray_connection(LOCAL_CLUSTER, workers)
    cluster.__enter__()
    check_sharded([], texts[:_WARM_UP_TEXTS], workers)

    def body() -> dict[str, Any]:
        checked = check_sharded([], texts, workers)

        def same() -> bool:
            cluster.__exit__(None, None, None)
            alone = NoveltyFilter([]).check_texts(texts)
            return bool((alone.novel == checked.novel).all())

        return {"same": same}

    return body


RUNNERS: dict[str, Callable[[Job], Body]] = {
    "novelty": novelty,
    "cold": cold,
    "contamination": contamination,
    "gates": gates,
    "sharded": sharded,
    "filled_store": filled_store,
    "incremental": incremental,
}

if __name__ == "__main__":
    run(RUNNERS, "bioinstruct-dagster")
