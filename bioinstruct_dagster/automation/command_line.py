"""What `dagster` and `dg` print if a command names a wrong partition or a wrong configuration.

Dagster finds these faults before a run starts, and prints a long trace. Belongs here: the message
in place of the trace. Does not: faults of a running step (store.step_failures).
"""

import difflib
import re
import sys
from collections.abc import Callable, Iterator
from types import TracebackType

import dagster as dg

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.experiments import ExperimentMatrix
from bioinstruct_dagster.models.partitions import missing_partition, unknown_partitions

Hook = Callable[[type[BaseException], BaseException, TracebackType | None], object]
Options = dict[str, object]  # of the command, by name

# Those that start a run: `dagster asset materialize`, `dagster job execute` and `dg launch`.
_RUNNING_COMMANDS = {"materialize", "execute", "launch"}
# The words of Dagster by which its errors about partitions are told from others.
_NO_PARTITION = "no '--partition' option was provided"
_UNKNOWN_PARTITION = "containing the passed partition key"
_NOT_PARTITIONED = "none of the assets are partitioned"
_WRONG_VALUE = re.compile(
    r"Value (?P<value>.+) of type \"<class '\w+'>\" "
    r"is not valid for expected type \"(?P<kind>\w+)\""
)
_UNKNOWN_FIELD = re.compile(
    r'unexpected config entry "(?P<field>[^"]+)".*?Expected: "(?P<known>.+)"', re.DOTALL
)
_KINDS = {"Int": "a whole number", "Float": "a number", "String": "text", "Bool": "true or false"}


def state_errors(matrix: Callable[[], ExperimentMatrix]) -> None:
    """Let the command that loads this project state its errors without a trace.

    It has no effect where no command that starts a run loads the project, such as in the UI.

    Args:
        matrix: reads the experiments, if a message needs their names.
    """
    if not (options := _options()):
        return
    before: Hook = sys.excepthook

    def hook(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> object:
        message = stated(error, options, matrix)
        if message is None:
            return before(kind, error, trace)
        return sys.stderr.write(f"\n{message}\n")

    sys.excepthook = hook


def _options() -> Options | None:
    """The options of the command that loads this project; None if no command that runs does."""
    click = sys.modules.get("click")
    context = click.get_current_context(silent=True) if click else None
    return context.params if context and context.command.name in _RUNNING_COMMANDS else None


def runs_here() -> bool:
    """Whether this process is a command that starts a run, whose user reads what it prints."""
    return _options() is not None


def stated(
    error: BaseException, options: Options, matrix: Callable[[], ExperimentMatrix]
) -> str | None:
    """The message that stands for an error of a command; None if the error needs its trace.

    Args:
        error: that ended the command.
        options: of the command.
        matrix: reads the experiments.
    """
    if isinstance(error, StatedError):
        return str(error)
    if isinstance(error, dg.DagsterInvalidConfigError):
        faults = [_without_root(one.message) for one in error.errors]
        return "\n  ".join(["The run config has faults:", *faults])
    if _NOT_PARTITIONED in (said := str(error)):
        return (
            "None of the selected assets has partitions, and the command names one. Leave out "
            "--partition, or select lora_adapter, eval_scores or judged_answers."
        )
    if _NO_PARTITION in said:
        return missing_partition(matrix())
    if isinstance(error, dg.DagsterUnknownPartitionError) or _UNKNOWN_PARTITION in said:
        return unknown_partitions(matrix(), _keys(options))
    return None


def _without_root(message: str) -> str:
    """Dagster's message with the place as the launchpad shows it."""
    place = message.replace("path root:", "").replace(" at the root.", " at the top.")
    place = _WRONG_VALUE.sub(_value_fault, place)
    if found := _UNKNOWN_FIELD.search(place):
        known = list(dict.fromkeys(re.findall(r"(\w+)\??: ", found["known"])))
        near = difflib.get_close_matches(found["field"], known, n=1)
        meant = f"did you mean {near[0]!r}?" if near else f"There are {', '.join(known)}."
        return f"{place.split(' Expected: ')[0].rstrip('.')}; {meant}"
    return place


def _value_fault(found: re.Match[str]) -> str:
    return f"{found['value']} is not {_KINDS.get(found['kind'], found['kind'])}"


def _keys(options: Options) -> Iterator[str]:
    """The partition keys that the command names."""
    for name in ("partition", "partition_range"):
        if isinstance(given := options.get(name), str):
            yield from given.split("...")
