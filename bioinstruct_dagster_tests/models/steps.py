"""A model process whose work stands in its specification, and a step of a real run around it."""

import json
import time
from pathlib import Path

import dagster as dg

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.process.parent import ModelProcess

MODULE = "work_of_a_test"
WORK = """
import json, os, signal, subprocess, sys, time
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.process.child import run_from_files

def wait_for(path):
    while not os.path.exists(path):
        time.sleep(0.01)

def work(text, log, report):
    for step in json.loads(text):
        match step:
            case {"report": message}: report(message)
            case {"log": line}: log(line)
            case {"print": line}: print(line, flush=True)
            case {"long": size}: report({"kind": "long", "text": "ä" * size})
            case {"wait_for": path}: wait_for(path)
            case {"children": path, "own_group": own}:
                child = subprocess.Popen(["sleep", "600"], start_new_session=own)
                with open(path, "a") as file:
                    file.write(f"{os.getpid()} {child.pid} ")
            case {"deaf": True}: signal.signal(signal.SIGTERM, signal.SIG_IGN)
            case {"signal": number}: os.kill(os.getpid(), number)
            case {"state": message}: raise StatedError(message)
            case {"raise": message}: raise ValueError(message)

sys.exit(run_from_files("work", work))
"""


def in_a_run(use):
    """What `use` returns, called with the context of a step of a real run."""
    returned = []

    @dg.asset
    def adapters(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        returned.append(use(context))
        return dg.MaterializeResult()

    dg.materialize([adapters])
    return returned[0]


def messages_and_error(process: ModelProcess, *steps, module: str = MODULE):
    """All messages of a stream, and the error at its end."""

    def use(context):
        messages = []
        try:
            messages.extend(process.stream(context, module, json.dumps(steps)))
        except (StatedError, dg.Failure) as error:
            return messages, error
        return messages, None

    return in_a_run(use)


def alive(pid: int) -> bool:
    """Whether the process runs."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def any_alive(pids: Path) -> bool:
    """Whether one of the processes whose numbers are in the file runs."""
    return any(alive(int(pid)) for pid in pids.read_text("utf-8").split())


def await_that(condition) -> None:
    """Wait until it holds; fail if it does not after a long time."""
    for _ in range(6_000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
