"""The files that hold an experiment's scores for others, written when the scores are stored.

On the card beside the weights (a table, and `model-index`), in the adapter's folder
`.eval_results/`, and as documents of every-eval-ever below the data folder. Belongs here: writing
them. Does not: their content (exchange.card_scores, exchange.hub_results,
exchange.every_eval_ever).
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.card.stored import project_version
from bioinstruct_dagster.dataset.written_files import rewrite
from bioinstruct_dagster.eval_sets.task import EvaluationTask
from bioinstruct_dagster.evaluation.exchange import every_eval_ever
from bioinstruct_dagster.evaluation.exchange.card_scores import (
    model_index,
    scores_text,
    sorted_by_task,
)
from bioinstruct_dagster.evaluation.exchange.hub_results import FOLDER, hub_results
from bioinstruct_dagster.evaluation.exchange.shared_scores import SharedScore, shared_scores
from bioinstruct_dagster.evaluation.planning import BasePlan, StoredAdapter
from bioinstruct_dagster.models.adapters import folder_name
from bioinstruct_dagster.models.card_text import hub_id
from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.experiments.names import partition_key
from bioinstruct_dagster.models.score_place import with_scores
from bioinstruct_dagster.new_files import new_file

DOCUMENTS = "reports/every_eval_ever"  # in the data folder
_CARD = "README.md"


def share_scores(
    plan: BasePlan, adapter: StoredAdapter, rows: Sequence[Mapping[str, Any]], data_dir: Path
) -> str | None:
    """Write an adapter's scores in all formats.

    Args:
        plan: with the tasks that were scored.
        adapter: whose scores they are.
        rows: of `eval_scores`, of this experiment.
        data_dir: the folder of all outputs.

    Returns:
        Why the files could not be written; None if they were. The scores are in the store anyway.
    """
    experiment = partition_key(adapter.experiment)
    try:
        write_shared_results(
            experiment=experiment,
            adapter=adapter.folder,
            base=adapter.base,
            rows=rows,
            tasks=[one.task for one in plan.chosen.tasks],
            whole_tasks={one.task.name: len(one.items) == one.total for one in plan.chosen.tasks},
            data_dir=data_dir,
        )
    except OSError as error:
        return f"{experiment}: the files of its scores can't be written: {error}"
    return None


def write_shared_results(  # an adapter, its scores, and where they go
    *,
    experiment: str,
    adapter: Path,
    base: BaseModelSpec,
    rows: Sequence[Mapping[str, Any]],
    tasks: Sequence[EvaluationTask],
    whole_tasks: Mapping[str, bool],
    data_dir: Path,
) -> list[Path]:
    """Write the scores of an experiment in all formats; what an earlier scoring wrote is replaced.

    Args:
        experiment: its name.
        adapter: the adapter's folder.
        base: its base model.
        rows: of `eval_scores`, of this experiment.
        tasks: that were scored.
        whole_tasks: by task, whether all of its items were scored, and not a sample.
        data_dir: the folder of all outputs.

    Returns:
        The files that were written.

    Raises:
        OSError: a file can't be written.
    """
    scores = sorted_by_task(shared_scores(rows, tasks))
    written = [_write_card(adapter / _CARD, scores)] if (adapter / _CARD).is_file() else []
    shutil.rmtree(adapter / FOLDER, ignore_errors=True)
    for name, text in hub_results(scores, whole_tasks).items():
        written.append(_write(adapter / FOLDER / name, text))
    return written + _write_documents(experiment, base, scores, data_dir / DOCUMENTS)


def _write_card(path: Path, scores: Sequence[SharedScore]) -> Path:
    card = path.read_text("utf-8")
    rewrite(path, with_scores(card, scores_text(scores), model_index(scores)))
    return path


def _write_documents(
    experiment: str, base: BaseModelSpec, scores: Sequence[SharedScore], folder: Path
) -> list[Path]:
    """A document for the adapter, and one for its base model, each alone in its folder."""
    name = folder_name(experiment)
    models: dict[every_eval_ever.Subject, str] = {
        "adapter": f"{every_eval_ever.UNPUBLISHED}/{name}",
        "base": hub_id(base.source) or f"{every_eval_ever.UNPUBLISHED}/{Path(base.source).name}",
    }
    written = []
    for subject, model in models.items():
        # The base model's scores are on this experiment's items, so they stand beside them.
        place = folder / every_eval_ever.BENCHMARK / name / subject
        shutil.rmtree(place, ignore_errors=True)
        if not any(subject == "adapter" or one.base for one in scores):
            continue
        content = every_eval_ever.document(
            scores, subject=subject, model=model, facts=_facts(scores, base, subject),
            version=project_version(),
        )  # fmt: skip
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        written.append(_write(place / every_eval_ever.file_name(content), text))
    return written


def _facts(
    scores: Sequence[SharedScore], base: BaseModelSpec, subject: every_eval_ever.Subject
) -> dict[str, str]:
    row = scores[0].adapter
    facts = {"base_fingerprint": row["base_fingerprint"]}
    if base.revision:
        facts["base_revision"] = base.revision
    if subject == "adapter":
        facts |= {
            "base_model": hub_id(base.source) or Path(base.source).name,
            "adapter_sha256": row["adapter_sha256"] or "unknown",
            "data_set_sha256": row["dataset_fingerprint"],
        }
    if any(one.rehearsal for one in scores):
        facts["rehearsal"] = "some or all of these scores are a rehearsal's and mean nothing"
    return facts


def _write(path: Path, text: str) -> Path:
    with new_file(path) as fresh:
        fresh.write_text(text, "utf-8")
    return path
