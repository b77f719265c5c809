"""Refuses a `.env` that would undo what a command of the Makefile pins.

`python -m bioinstruct_dagster.settings.pinned NAME …` ends with status 1 if `.env` sets one of
these variables to another value than the environment. Dagster's commands copy `.env` over the
environment, so a pinned rehearsal would ask a paid teacher. Belongs here: this comparison. Does
not: reading settings (reading), or the lines of `.env` (env_file).
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.settings.env_file import read_env_file
from bioinstruct_dagster.settings.fields import PROJECT_ROOT


def undone(names: Sequence[str], env_file: Path) -> list[str]:
    """The variables that `.env` sets to another value than the environment.

    Args:
        names: of the pinned variables.
        env_file: the file `.env`.
    """
    in_file = read_env_file(env_file).values
    return [name for name in names if in_file.get(name, here := os.environ.get(name, "")) != here]


@quiet_on_closed_pipe
def main(names: Sequence[str], env_file: Path = PROJECT_ROOT / ".env") -> int:
    """Say which lines of `.env` are in the way. Returns the exit status.

    Args:
        names: of the pinned variables.
        env_file: the file `.env`.
    """
    found = undone(names, env_file)
    if found:
        print(  # noqa: T201
            f"{env_file} sets {', '.join(found)} to another value than this command needs, and "
            "Dagster's commands copy the file over the environment. Nothing was started. Begin "
            "these lines with # while the command runs.",
            file=sys.stderr,
        )
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
