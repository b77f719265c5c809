"""Where the metrics of training go: TensorBoard files, and MLflow or Trackio by a setting.

A tracker is never a reason for training to fail. Belongs here: opening them, and TensorBoard. Does
not: which metrics there are (training.progress), or the process of a tracker
(training.tracker_process).
"""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bioinstruct_dagster.training.progress import MetricSink
from bioinstruct_dagster.training.spec import TrackerKind
from bioinstruct_dagster.training.tracker_process import TrackerProcess

_EVENTS = "events.out.tfevents."


def open_sinks(
    name: str,
    log: Callable[[str], None],
    *,
    tensorboard: Path | None,
    tracker: TrackerKind,
    folder: Path,
    parameters: Mapping[str, Any],
) -> list[MetricSink]:
    """The places that keep the metrics of a training run.

    Args:
        name: the experiment.
        log: receives a line about a place that can't be used.
        tensorboard: the folder of TensorBoard files; None for no such files.
        tracker: the value of BIOINSTRUCT_TRACKER.
        folder: where MLflow's database or Trackio's files are, if their own variables do not name
            another place.
        parameters: what is trained, and with which values. Those with the name of a secret are left
            out.
    """
    sinks: list[MetricSink] = []
    if tensorboard is not None:
        sinks += TensorBoardFiles.opened(tensorboard, log)
    if tracker != "off":
        if find_spec(tracker) is None:
            log(
                f"{name}: BIOINSTRUCT_TRACKER is {tracker}, but the package is not installed, so "
                f"nothing is reported to it. Run pip install 'bioinstruct-dagster[{tracker}]'."
            )
        else:
            sinks.append(TrackerProcess(tracker, name, log, folder, parameters))
    return sinks


class TensorBoardFiles:
    """Metrics as TensorBoard's event files."""

    _said = False  # that the package is missing; one line a process is enough

    def __init__(self, folder: Path, log: Callable[[str], None]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._folder = folder
        self._log = log
        self._writer: Any = SummaryWriter(str(folder))

    @classmethod
    def opened(cls, folder: Path, log: Callable[[str], None]) -> list[MetricSink]:
        """The files in a folder; none, and a line in the log, if they can't be written."""
        if find_spec("tensorboard") is None:
            if not TensorBoardFiles._said:
                TensorBoardFiles._said = True
                log(
                    "No TensorBoard files are written, because the package is not installed. Run "
                    "pip install 'bioinstruct-dagster[tensorboard]'."
                )
            return []
        try:
            return [cls(folder, log)]
        except Exception as error:  # noqa: BLE001  # no fault of it may end training
            log(f"No TensorBoard files are written: {type(error).__name__}: {error}")
            return []

    def write(self, update: int, metrics: Mapping[str, float]) -> None:
        """Keep the metrics of one update."""
        if self._writer is None:
            return
        try:
            for name, value in metrics.items():
                self._writer.add_scalar(name, value, update)
        except Exception as error:  # noqa: BLE001  # no fault of it may end training
            self._drop(error)

    def close(self) -> None:
        """Write the rest. The names of the files lose the machine's name, as they may be shared."""
        if self._writer is None:
            return
        try:
            self._writer.close()
            self._writer = None
            _number_files(self._folder)
        except Exception as error:  # noqa: BLE001  # no fault of it may end training
            self._drop(error)

    def _drop(self, error: Exception) -> None:
        self._writer = None
        self._log(f"TensorBoard's files end here: {type(error).__name__}: {error}")


def _number_files(folder: Path) -> None:
    """Rename event files with a machine's name to the next free numbers.

    The folder of a resumed run also holds the files of the run before it.
    """
    found = {path.name.removeprefix(_EVENTS): path for path in folder.glob(f"{_EVENTS}*")}
    # TensorBoard's own names are the time, the machine, the process and a count.
    new = sorted(name for name in found if "." in name)
    taken = len(found) - len(new)
    for number, name in enumerate(new, start=taken):
        found[name].rename(folder / f"{_EVENTS}{number}")
