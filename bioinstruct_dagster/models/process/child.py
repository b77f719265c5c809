"""The child's side of the model process: it reads a specification and reports what it made.

If Dagster Pipes starts the process, its log lines reach the run's event log, and its messages reach
models.process.parent while it runs. If you start it by hand, log lines are printed, and the file
RESULT holds what it made. It needs `dagster-pipes`, but not Dagster. Belongs here: the frame of the
process, for training and evaluation. Does not: the work itself (training.train,
evaluation.evaluate).
"""

import argparse
import json
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.compute.launcher import is_parcel
from bioinstruct_dagster.models.compute.places import NOTE
from bioinstruct_dagster.models.process.large_blocks import return_large_blocks
from bioinstruct_dagster.settings import load_settings

Log = Callable[[str], None]
Report = Callable[[dict[str, Any]], None]
Work = Callable[[str, Log, Report], None]
PIPES_VARIABLE = "DAGSTER_PIPES_CONTEXT"
ENDS_WITH_PARENT = "ends_with_parent"  # an extra of the Pipes session


def run_from_files(name: str, work: Work) -> int:
    """Run `work` on the file SPEC, and report its result.

    Args:
        name: the module's name, for the usage line.
        work: a function of the specification's text, a log function and a report function. It may
            report any number of messages, each a dictionary with the key `kind`.

    Returns:
        The exit status: 1 if `work` raised a stated error, which is reported as
        `{"kind": "error", "error": …}`. RESULT holds `{"messages": […]}` or `{"error": …}`.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {name}")
    parser.add_argument("spec", help="JSON file with the specification, or a parcel's URL")
    by_hand = PIPES_VARIABLE not in os.environ
    parser.add_argument(
        "result", type=Path, nargs=None if by_hand else "?", help="JSON file to write"
    )
    arguments = parser.parse_args()
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    # Waiting threads should sleep. Spinning threads slow each other down on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    # transformers 5 itself uses a name that it warns about.
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")
    return_large_blocks()
    messages: list[dict[str, Any]] = []
    made: dict[str, Any] = {"messages": messages}
    status = 0
    with _connection() as (log, send):
        deliver = send

        def report(message: dict[str, Any]) -> None:
            messages.append(message)
            deliver(message)

        try:
            if is_parcel(arguments.spec):
                text, deliver = _opened(arguments.spec, send)
            else:
                text = Path(arguments.spec).read_text("utf-8")
            work(text, log, report)
        except StatedError as error:
            print(error, file=sys.stderr)
            made, status = {"error": str(error)}, 1
            send({"kind": "error", **made})
    if arguments.result:
        arguments.result.write_text(json.dumps(made), "utf-8")
    return status


def _opened(url: str, send: Report) -> tuple[str, Report]:
    """The specification in a parcel, and the function that sends messages to where it came from."""
    from bioinstruct_dagster.models.compute.delivery import Delivery

    delivery = Delivery(url, load_settings(None).store.data_dir / "compute")
    delivery.end_without_home()

    def deliver(message: dict[str, Any]) -> None:
        # The log only announces the message, because a log may lose or cut a line.
        send({"kind": NOTE, "number": delivery.send(message)})

    return delivery.spec, deliver


@contextmanager
def _connection() -> Iterator[tuple[Log, Report]]:
    """The functions that log and that send a message to the parent, if there is one."""
    # Outside Dagster, open_dagster_pipes() would return a mock that drops all log lines.
    if PIPES_VARIABLE not in os.environ:
        yield lambda line: print(line, flush=True), lambda _: None
        return
    from dagster_pipes import open_dagster_pipes

    with open_dagster_pipes() as pipes:
        if pipes.extras.get(ENDS_WITH_PARENT):
            threading.Thread(target=_end_with_parent, daemon=True).start()
        # A study's workers report from several threads. A long line must not hold another.
        lock = threading.Lock()

        def log(line: str) -> None:
            with lock:
                pipes.log.info(line)

        def send(message: dict[str, Any]) -> None:
            with lock:
                pipes.report_custom_message(message)

        yield log, send


def _end_with_parent() -> None:
    """Wait until the parent has gone, even by SIGKILL, and end this process and its children."""
    # Nobody writes to this pipe. The kernel closes it when the parent has gone.
    os.read(0, 1)
    os.killpg(os.getpgid(0), signal.SIGTERM)
