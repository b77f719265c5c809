"""The evaluation of several base models, one after the other, each with all of its adapters.

It runs in the model process (`python -m bioinstruct_dagster.evaluation`), without Dagster. Belongs
here: the turn on this machine, and how each evaluation ends. Does not: one base model
(evaluation.evaluate).
"""

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError, fault_words
from bioinstruct_dagster.evaluation.evaluate import evaluate_base
from bioinstruct_dagster.evaluation.spec import BaseSpec, EvaluationSpec
from bioinstruct_dagster.models.process.turns import turn, visible_gpus

Log = Callable[[str], None]
Report = Callable[[dict[str, Any]], None]


def evaluate_study(spec: EvaluationSpec, log: Log, report: Report) -> None:
    """Score all adapters, and go on with the rest if one fails.

    Args:
        spec: the base models and their adapters.
        log: takes one line. Each line names its base model, or its experiment.
        report: takes messages, as `evaluate_base` sends them. Each adapter ends with a message
            `answered` or `failed`.
    """
    names = [adapter.experiment for one in spec.bases for adapter in one.adapters]
    if not names:
        return
    first, *more = names
    work = f"scores {first}{f' and {len(more)} more' if more else ''}"
    with turn(work, visible_gpus()[:1], Path(spec.bases[0].models_dir), log):
        for one in spec.bases:
            _evaluate(one, log, report)


def _evaluate(spec: BaseSpec, log: Log, report: Report) -> None:
    """One base model. What goes wrong for all of its adapters is the failure of each."""
    ended = set()
    name = spec.adapters[0].experiment.partition("|")[0]

    def reported(message: dict[str, Any]) -> None:
        ended.add(message.get("experiment"))
        report(message)

    def named(line: str) -> None:
        log(line if "|" in line.partition(": ")[0] else f"{name}: {line}")

    try:
        evaluate_base(spec, named, reported)
    except StatedError as error:
        fault = fault_words(error)
    except Exception as error:  # noqa: BLE001  # the other base models go on
        log(f"{name}: {''.join(traceback.format_exception(error))}")
        fault = fault_words(error)
    else:
        fault = "The model process ended well, but it reported nothing of this experiment."
    for one in spec.adapters:
        if one.experiment not in ended:
            report({"kind": "failed", "experiment": one.experiment, "error": fault})
