"""`python -m bioinstruct_dagster.training.study.worker [STUDY]`: train for another process.

Each line of stdout is a message. Each line of stdin is an experiment; a rank reads the file STUDY
instead. Belongs here: this process. Does not: who starts it (training.study.workers,
training.study.ranked).
"""

import json
import os
import queue
import sys
import threading
from pathlib import Path
from typing import Any

from bioinstruct_dagster.training.spec import TrainingSpec
from bioinstruct_dagster.training.study.run import train_study
from bioinstruct_dagster.training.study.spec import StudySpec
from bioinstruct_dagster.training.study.trainer import StudyTrainer


def main() -> int:
    """Train until stdin ends, or all experiments of the study's file."""
    # Libraries print to stdout. What they print goes to stderr, so that stdout holds messages only.
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def send(message: dict[str, Any]) -> None:
        messages.write(json.dumps(message) + "\n")
        messages.flush()

    def log(line: str) -> None:
        send({"kind": "log", "line": line})

    if len(sys.argv) > 1:
        study = StudySpec.from_json(Path(sys.argv[1]).read_text("utf-8"))
        # All ranks report the same, so one of them is enough.
        first = os.environ.get("RANK", "0") == "0"
        train_study(study, log, send if first else lambda _: None)
        return 0
    trainer = StudyTrainer(log)
    orders: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_receive, args=(orders,), daemon=True).start()
    while order := orders.get():
        values = json.loads(order)
        spec = TrainingSpec.from_json(json.dumps(values["spec"]))
        send(trainer.outcome(spec, retrain=values["retrain"]))
        orders.task_done()
    return 0


def _receive(orders: "queue.Queue[str]") -> None:
    """Read orders until stdin ends, and then end this process.

    If an experiment is under way then, the process that gave it is dead, and nobody would hear of
    the adapter. The experiment's checkpoint stays.
    """
    for line in sys.stdin:
        orders.put(line)
    if orders.unfinished_tasks:
        os._exit(1)
    orders.put("")


if __name__ == "__main__":
    sys.exit(main())
