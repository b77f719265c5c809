"""The parent's side of the model process: it starts the process and relays its messages.

torch runs in a separate Python process. So an out-of-memory kill fails only one run, GPU memory is
free when the process ends, and Dagster never imports torch. Belongs here: a Dagster Pipes session
around a process. Does not: where the process runs (models.compute), or its work
(models.process.child).
"""

import json
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import dagster as dg

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.compute.launcher import (
    Ended,
    Job,
    Launcher,
    ModelProcessError,
    Order,
)
from bioinstruct_dagster.models.compute.local import LocalLauncher
from bioinstruct_dagster.models.process.child import ENDS_WITH_PARENT

_SECONDS_BETWEEN_LOOKS = 0.1
_SECONDS_BETWEEN_SWEEPS = 30.0
_PROTOCOL = "__dagster_pipes_version"
_PROTOCOL_VERSION = "0.1"


class ModelProcess:
    """Runs `python -m MODULE SPEC` where the launcher says, and yields its messages."""

    def __init__(self, launcher: Callable[[], Launcher] = LocalLauncher) -> None:
        self._launcher = launcher

    def stream(
        self, context: dg.AssetExecutionContext | dg.OpExecutionContext, module: str, spec: str
    ) -> Generator[dict[str, Any]]:
        """Each message of the module for a specification, while the process runs.

        The process and its children are ended when the iterator is closed, and when the run is
        interrupted while it waits here. To be sure of the first, write
        `with contextlib.closing(process.stream(…)) as messages`.

        Yields:
            What the module reported, in its order: dictionaries with the key `kind`. The messages
            before a failure are all yielded before the error is raised.

        Raises:
            StatedError: the module failed with a stated error, whose message this error has; or it
                was killed, and the message says so.
            dagster.Failure: it failed in another way; the run's log has the traceback.
        """
        launcher = self._launcher()
        reader = _LineReader(launcher.writer())
        error: str | None = None
        with dg.open_pipes_session(
            context=context,
            # A variable of the environment has a limit, which a file has not.
            context_injector=dg.PipesTempFileContextInjector()
            if launcher.same_machine
            else dg.PipesEnvContextInjector(),
            message_reader=reader,
            extras={ENDS_WITH_PARENT: launcher.same_machine},
        ) as session:
            job = launcher.job(
                Order(
                    module=module,
                    spec=spec,
                    step=context.op_execution_context.op.name,
                    # A run that is executed again does the same work.
                    run_id=context.run.root_run_id or context.run.run_id,
                    environment=dict(session.get_bootstrap_env_vars()),
                    log=context.log.info,
                )
            )
            try:
                job.start()
                reader.follow(job)
                for message in _messages(reader, session, job):
                    if message["kind"] == "error":
                        error = message["error"]
                    else:
                        yield message
                ended = job.ended()
            except BaseException:
                reader.cut_short = True
                raise
            finally:
                # Before the session closes, which waits for the end of the process's messages.
                job.stop()
        if error is not None:
            raise StatedError(error)
        _raise_fault(ended)


def _messages(
    reader: "_LineReader", session: dg.PipesSession, job: Job
) -> Iterator[dict[str, Any]]:
    """The job's messages as they come, until its log has ended."""
    taken = 0
    runs = True
    swept = time.monotonic()
    while runs:
        runs = reader.wait(_SECONDS_BETWEEN_LOOKS)
        for message in session.get_custom_messages()[taken:]:
            taken += 1
            yield from job.received(message)
        # A log that is broken for long would hold finished adapters back.
        if not runs or time.monotonic() - swept > _SECONDS_BETWEEN_SWEEPS:
            swept = time.monotonic()
            yield from job.rest()


def _raise_fault(ended: Ended | None) -> None:
    if ended is None:
        raise ModelProcessError(
            "The log of the model process ended before the process did, so it was stopped. Run the "
            "step again."
        )
    if ended.fault and ended.explained:
        raise ModelProcessError(ended.fault)
    if ended.fault:
        raise dg.Failure(f"{ended.fault} The run's log has its traceback.")


class _LineReader(dg.PipesMessageReader):
    """Hands each line of a job to Dagster Pipes, and lines that are no messages to stdout."""

    # Dagster's own reader of files fails for good on a long message that is half written.

    def __init__(self, writer: dict[str, str]) -> None:
        self._writer = writer
        self._handler: dg.PipesMessageHandler | None = None
        self._thread: threading.Thread | None = None
        self._fault: BaseException | None = None
        self.cut_short = False  # whether this side ended the process before its work was done

    @property
    def expected_writer_count(self) -> int:
        """One process writes. Without this, Dagster warns in each run of its own default."""
        return 1

    @contextmanager
    def read_messages(self, handler: dg.PipesMessageHandler) -> Iterator[dict[str, Any]]:
        self._handler = handler
        try:
            yield dict(self._writer)
        finally:
            if self._thread:
                self._thread.join()
            self._close(handler)

    def _close(self, handler: dg.PipesMessageHandler) -> None:
        """Close the session for a process that can't do so any more.

        Dagster would warn that the process did not close it, and advise to call its own functions.
        The error of the step says in our words what became of the process.
        """
        if self.cut_short and not handler.received_opened_message:
            handler.handle_message(_own_message("opened"))
        if handler.received_opened_message and not handler.received_closed_message:
            handler.handle_message(_own_message("closed"))

    def follow(self, job: Job) -> None:
        """Begin to read the job's lines, in a thread that ends with them."""
        self._thread = threading.Thread(target=self._read, args=(job,), daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Whether there may be more lines, after at most this time."""
        assert self._thread  # noqa: S101  # follow() comes first
        self._thread.join(seconds)
        if self._fault:
            raise self._fault
        return self._thread.is_alive()

    def no_messages_debug_text(self) -> str:
        return "The messages are read from the model process's own file or log."

    def _read(self, job: Job) -> None:
        assert self._handler  # noqa: S101  # the session is open
        try:
            for line in job.lines():
                message = _pipes_message(line)
                if message is None:
                    print(line, flush=True)
                else:
                    self._handler.handle_message(message)
        except Exception as error:  # noqa: BLE001  # raised where the messages are taken
            self._fault = error


def _own_message(method: Literal["opened", "closed"]) -> Any:
    return {_PROTOCOL: _PROTOCOL_VERSION, "method": method, "params": {}}


def _pipes_message(line: str) -> Any:
    """The line as a message of Dagster Pipes; None if it is another line of a log."""
    if _PROTOCOL not in line:
        return None
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) and _PROTOCOL in message else None
