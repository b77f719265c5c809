"""A study whose adapters are each trained by several ranks: data parallel on one machine.

Belongs here: starting the ranks by torchrun, and passing on what the first one reports. Does not:
what a rank does (training.study.worker, training.loop.ranks).
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bioinstruct_dagster.training.study.spec import StudySpec

_MODULE = "bioinstruct_dagster.training.study.worker"


def train_with_ranks(
    spec: StudySpec, log: Callable[[str], None], report: Callable[[dict[str, Any]], None]
) -> None:
    """Train the experiments one after the other, each by `spec.ranks` processes.

    Returns when each experiment was reported once. If a rank dies, torchrun ends all of them, and
    the experiments without a report have failed.
    """
    waiting = [one.experiment for one in spec.experiments]
    environment = dict(os.environ)
    share = max(1, (os.cpu_count() or 1) // spec.ranks)
    environment.setdefault("OMP_NUM_THREADS", str(share))
    with tempfile.TemporaryDirectory(prefix="bioinstruct-") as scratch:
        orders = Path(scratch, "study.json")
        orders.write_text(spec.to_json(), "utf-8")
        launch = ["torch.distributed.run", "--standalone", f"--nproc-per-node={spec.ranks}"]
        process = subprocess.Popen(  # noqa: S603  # this project's own module
            [sys.executable, "-m", *launch, "-m", _MODULE, str(orders)],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            for line in process.stdout or ():
                message: dict[str, Any] = json.loads(line)
                if message["kind"] == "log":
                    log(message["line"])
                else:
                    waiting.remove(message["experiment"])
                    report(message)
            status = process.wait()
        finally:
            process.terminate()  # torchrun passes it on to the ranks
            process.wait()
    for experiment in waiting:
        error = (
            f"One of {spec.ranks} ranks ended before this adapter was whole (torchrun: exit status "
            f"{status}). The log says why. If it does not, memory ran out: lower max_length or "
            "lora_rank of the recipe in the experiment file (BIOINSTRUCT_EXPERIMENTS)."
        )
        report({"kind": "failed", "experiment": experiment, "error": error})
