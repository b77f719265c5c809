"""The measure of answers: a batch that mixes eight adapters beside one adapter, and `generate`.

Belongs here: sizes, jobs, and the table of its figures. Does not: running a mode (generating), or
the measures of log-likelihoods (measures).
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.documents import table_head, table_line
from benchmarks.evaluation.material import ADAPTERS, adapters
from benchmarks.evaluation.measures import EMBEDDED, WHOLE, Figure, Plan
from benchmarks.training.runs import RunError
from bioinstruct_dagster.models.experiments import BaseModelSpec

NAME = "answers"
_ROWS = 32
_PROMPTS = "texts"
_TITLES = {
    "base": "base model alone",
    "one": "one adapter",
    "mixed": f"{ADAPTERS} adapters in each batch",
    "generate": "one adapter, transformers' generate",
}
_LENGTHS = {"equal": "all as long as allowed", "early": "about one token in 24 ends an answer"}


def answers(plan: Plan) -> Iterator[Figure]:
    """Answers of the embedded base model, and of SmolLM2-135M, in batches of 32 rows."""
    whole = plan.sizes is WHOLE
    folders = adapters(plan.session.folder / "answers-adapters", EMBEDDED, plan.models, ADAPTERS)
    yield from _measured(
        plan, "embedded", EMBEDDED, folders, {"count": 96 if whole else 8, "tokens": 32}
    )
    if not plan.real_base.is_dir():
        return
    spec = BaseModelSpec(source=str(plan.real_base), dtype="float32")
    # One adapter under eight names: its weights are held, read and multiplied eight times.
    (folder,) = adapters(
        plan.session.folder / "answers-smollm2-adapters", spec, plan.models, 1
    ).values()
    eight = {f"adapter-{number}": folder for number in range(ADAPTERS)}
    yield from _measured(
        plan, "smollm2", spec, eight, {"count": 32 if whole else 8, "tokens": 16 if whole else 4}
    )


def _measured(
    plan: Plan, name: str, spec: BaseModelSpec, folders: dict[str, Path], size: dict[str, int]
) -> Iterator[Figure]:
    made = plan.material(f"answers-{name}", spec, {_PROMPTS: size["count"]})
    folder = plan.session.folder / "runs" / f"answers-{name}"
    folder.mkdir(parents=True)
    job, result = folder / "job.json", folder / "result.json"
    content = {
        "spec": spec.model_dump(mode="json"),
        "models": str(plan.models),
        "adapters": {one: str(path) for one, path in folders.items()},
        "prompts": str(made.tasks / f"{_PROMPTS}.jsonl"),
        "tokens": size["tokens"],
        "rows": _ROWS,
        "rounds": 3 if plan.sizes is WHOLE else 1,
        "threads": plan.session.threads,
        "result": str(result),
    }
    job.write_text(json.dumps(content), "utf-8")
    command = [sys.executable, "-m", "benchmarks.evaluation.generating", str(job)]
    try:
        plan.session.command(command, folder / "output.log", timeout=3_600.0)
    except RunError as error:
        yield Figure(NAME, "one", name, error=str(error))
        return
    for one in json.loads(result.read_text("utf-8"))["figures"]:
        values = {key: one[key] for key in ("lengths", "cpu", "answers", "same")}
        yield Figure(NAME, one["mode"], name, one["round"], values)


def render(figures: Sequence[Figure]) -> str:
    """The section of the report; empty without figures of this measure."""
    own = [figure for figure in figures if figure.measure == NAME]
    if not own:
        return ""
    note = (
        f"Prompts of the full-text set, batches of {_ROWS} rows, float32. CPU-seconds are those of "
        "the answers alone: loading and the proof of adapters are left out. Eight adapters share "
        "the requests of one, so each batch holds all of them. lm-evaluation-harness generates by "
        "transformers' `generate`."
    )
    return f"### Answers\n\n{note}\n\n" + "\n".join(_table(own))


def _table(figures: Sequence[Figure]) -> Iterator[str]:
    yield from table_head(
        ("base model", "lengths", "mode", "CPU-s", "against one adapter", "same answers")
    )
    for figure in figures:
        if figure.error:
            yield table_line([figure.set, "", "", f"not measured: {figure.error}", "", ""])
    sets = dict.fromkeys((one.set, one.values["lengths"]) for one in figures if not one.error)
    for name, lengths in sets:
        runs: dict[str, dict[int, Any]] = {}
        for one in figures:
            if (one.set, one.values.get("lengths")) == (name, lengths):
                runs.setdefault(one.mode, {})[one.round] = one.values
        for mode, of_mode in runs.items():
            seconds = [one["cpu"] for one in of_mode.values()]
            times = median(one["cpu"] / runs["one"][at]["cpu"] for at, one in of_mode.items())
            least = min(one["same"] for one in of_mode.values())
            same = f"{least} of {of_mode[0]['answers']}" if mode == "generate" else ""
            yield table_line(
                [
                    name,
                    _LENGTHS[lengths],
                    _TITLES[mode],
                    f"{median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})",
                    f"{times:.2f} x",
                    same,
                ]
            )
