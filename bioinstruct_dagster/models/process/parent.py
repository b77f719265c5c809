"""The parent's side of the model process: it starts the process through Dagster Pipes.

torch runs in a separate Python process. So an out-of-memory kill fails only one run, GPU memory is
free when the process ends, and Dagster never imports torch. Belongs here: starting the process and
reading its result. Does not: the work in the process (models.process.child).
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import dagster as dg

from bioinstruct_dagster.errors import StatedError


class ModelProcess:
    """Runs `python -m MODULE SPEC RESULT` and reads the file RESULT."""

    def __init__(self, python: str = sys.executable) -> None:
        self._python = python

    def run(self, context: dg.AssetExecutionContext, module: str, spec: str) -> dict[str, Any]:
        """The result of a module for a specification. Its log lines appear in the run.

        Raises:
            StatedError: the module failed with a stated error, whose message this error has.
            dagster.DagsterError: the process failed in another way.
        """
        with tempfile.TemporaryDirectory() as scratch:
            spec_file, result_file = Path(scratch, "spec.json"), Path(scratch, "result.json")
            spec_file.write_text(spec, "utf-8")
            try:
                dg.PipesSubprocessClient().run(
                    context=context,
                    command=[self._python, "-m", module, str(spec_file), str(result_file)],
                )
            except dg.DagsterError as failure:
                reason = _stated_error(result_file)
                if reason is None:
                    raise  # a kill, or a fault of this project: the log has the traceback
                raise StatedError(reason) from failure
            result: dict[str, Any] = json.loads(result_file.read_text("utf-8"))
            return result


def _stated_error(result_file: Path) -> str | None:
    if not result_file.exists():
        return None
    error = json.loads(result_file.read_text("utf-8")).get("error")
    return str(error) if error else None
