"""A model process's turn on this machine: two at once would take each other's memory.

The locks are the operating system's, so the kernel releases them when their holder dies, also by
SIGKILL. A Dagster pool does not: a killed run keeps its place in it. Belongs here: which locks a
process needs, waiting for them, and what the log says meanwhile. Does not: the work
(models.process.child).
"""

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

_SECONDS_BETWEEN_TRIES = 0.5
_SECONDS_BETWEEN_LINES = 30.0
_MOST_BYTES = 500  # of what a holder writes about itself

Log = Callable[[str], None]


def visible_gpus() -> list[str]:
    """The names of the GPUs that this process may use, as CUDA_VISIBLE_DEVICES gives them."""
    import torch

    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    count = torch.cuda.device_count()  # asks the driver, and uses no memory of a GPU
    names = visible.split(",") if visible else [str(number) for number in range(count)]
    return [name.strip() for name in names][:count]


@contextmanager
def turn(work: str, gpus: Sequence[str], folder: Path, log: Log) -> Iterator[None]:
    """Wait until no other process uses the same GPUs, and keep others away inside the block.

    Without a GPU, processes of one data folder take turns: two trainings on one CPU only slow each
    other, and each plans with memory that the other one takes. Data folders do not wait for each
    other then, because nobody can tell whether a CPU has room for both.

    A child process does not inherit the locks, and must not ask for them.

    Args:
        work: what this process does, for the log of a process that waits: "trains base|recipe".
        gpus: the GPUs that it uses, by `visible_gpus`; empty for a CPU.
        folder: a folder inside the data folder, for the lock of a process without a GPU.
        log: says at once who is waited for, and again every 30 seconds.
    """
    places = {_gpu_lock(name): f"GPU {name} of this machine" for name in gpus}
    if not places:
        places = {folder / ".computing.lock": f"the data folder {folder.parent} on this CPU"}
    with ExitStack() as stack:
        # All processes ask in the same order, so that none waits for one that waits for it.
        for path in sorted(places):
            handle = _opened(path, log)
            if handle is not None:
                stack.callback(os.close, handle)  # releases the lock
                _wait(handle, places[path], log)
                _write(handle, f"process {os.getpid()}, which {work} since {_now()}")
                stack.callback(_write, handle, "")
        yield


def _gpu_lock(name: str) -> Path:
    name = re.sub(r"[^A-Za-z0-9-]", "_", name)
    return Path(tempfile.gettempdir(), f"bioinstruct-gpu-{name}.lock")


def _opened(path: Path, log: Log) -> int | None:
    """The file as a number for the kernel; None, and a line in the log, if it can't be had."""
    fault: OSError | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Anybody may write to the folder of temporary files: a link there is not followed. A file
        # of another user is opened without O_CREAT, which Linux refuses there.
        for flags in (os.O_RDWR, os.O_RDWR | os.O_CREAT | os.O_EXCL, os.O_RDWR, os.O_RDONLY):
            try:
                return os.open(path, flags | os.O_NOFOLLOW, 0o644)
            except (FileNotFoundError, FileExistsError, PermissionError) as error:
                fault = error
    except OSError as error:
        fault = error
    log(
        f"The file {path} can't be opened ({fault}), so this run does not wait for others that use "
        "the same GPU or CPU. If memory runs out, start one run after the other."
    )
    return None


def _wait(handle: int, place: str, log: Log) -> None:
    said = None
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = time.monotonic()
            if said is None or now - said >= _SECONDS_BETWEEN_LINES:
                said = now
                holder = _holder(handle) or "another process"
                log(
                    f"waiting: {place} is in use by {holder}. This run begins when that process "
                    "ends. To give up waiting, cancel this run."
                )
            time.sleep(_SECONDS_BETWEEN_TRIES)
        except OSError as error:  # a network drive without locks
            log(f"{place} can't be locked ({error.strerror}), so this run does not wait for others")
            return
        else:
            if said is not None:
                log(f"{place} is free; this run goes on")
            return


def _holder(handle: int) -> str:
    text = os.pread(handle, _MOST_BYTES, 0).decode("utf-8", "replace")
    return "".join(one for one in text if one.isprintable())


def _write(handle: int, text: str) -> None:
    """Say who holds the lock. It is for people, so a failure does not matter."""
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode()[:_MOST_BYTES], 0)
    except OSError:
        return  # the file is another user's, or the disk is full


def _now() -> str:
    return f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S}"
