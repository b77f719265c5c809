"""The child's side of the model process: it reads a specification and writes a result.

If Dagster Pipes starts the process, its log lines reach the run's event log. If you start it by
hand, they are printed. It needs `dagster-pipes`, but not Dagster. Belongs here: the frame of the
process, for training and evaluation. Does not: the work itself (training.train,
evaluation.evaluate).
"""

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError

Log = Callable[[str], None]
_PIPES_VARIABLE = "DAGSTER_PIPES_CONTEXT"


def run_from_files(name: str, work: Callable[[str, Log], dict[str, Any]]) -> int:
    """Run `work` on the file SPEC, and write its result to the file RESULT.

    Args:
        name: the module's name, for the usage line.
        work: a function of the specification's text and a log function.

    Returns:
        The exit status: 1 if `work` raised a stated error, whose message RESULT then holds.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument("spec", type=Path, help="JSON file with the specification")
    parser.add_argument("result", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Waiting threads should sleep. Spinning threads slow each other down on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    # transformers 5 itself uses a name that it warns about.
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
    with _log() as log:
        try:
            result, status = work(arguments.spec.read_text("utf-8"), log), 0
        except StatedError as error:
            print(error, file=sys.stderr)
            result, status = {"error": str(error)}, 1
    arguments.result.write_text(json.dumps(result), "utf-8")
    return status


@contextmanager
def _log() -> Iterator[Log]:
    # Outside Dagster, open_dagster_pipes() would return a mock that drops all log lines.
    if _PIPES_VARIABLE not in os.environ:
        yield lambda line: print(line, flush=True)
        return
    from dagster_pipes import open_dagster_pipes

    with open_dagster_pipes() as pipes:
        yield pipes.log.info
