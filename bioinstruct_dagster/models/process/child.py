"""The child's side of the model process: a specification in, a result out, log lines to Dagster.

Started by Dagster Pipes the lines reach the run's event log; by hand they are printed. Needs
`dagster-pipes`, not Dagster. Belongs here: the process around the work, the same for training and
evaluation.
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
    """Run `work` on the file SPEC, write what it returns to RESULT; the command line names both.

    Args:
        name: the module, for the usage line.
        work: takes the specification's text and a log function.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument("spec", type=Path, help="JSON file with the specification")
    parser.add_argument("result", type=Path, help="JSON file to write")
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Threads that wait should sleep: spinning ones slow each other down on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    # transformers 5 warns of a name that it uses itself.
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
    # Asked for first: outside Dagster, open_dagster_pipes() gives a mock that swallows everything.
    if _PIPES_VARIABLE not in os.environ:
        yield lambda line: print(line, flush=True)
        return
    from dagster_pipes import open_dagster_pipes

    with open_dagster_pipes() as pipes:
        yield pipes.log.info
