"""`python -m bioinstruct_dagster.eval_sets`: list the evaluation tasks, or get some from the hub.

Belongs here: the command. Does not: the items (items), or the download (hub).
"""

import argparse
import sys
from pathlib import Path

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.eval_sets.catalogue import read_tasks
from bioinstruct_dagster.eval_sets.hub import fetch_from_hub
from bioinstruct_dagster.eval_sets.items import items_of
from bioinstruct_dagster.settings import load_settings

FIXTURE_NOTE = " (a fixture for the embedded base model)"


@quiet_on_closed_pipe
def main() -> int:
    """Get the named tasks from the hub, and list what is at hand; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m bioinstruct_dagster.eval_sets",
        description="List the evaluation tasks with their items, after getting the named ones.",
    )
    parser.add_argument("task", nargs="*", help="a task to get from the Hugging Face hub")
    parser.add_argument(
        "--from",
        dest="mirror",
        type=Path,
        metavar="FOLDER",
        help="a folder that holds the hub's data sets as owner/name, for machines without network",
    )
    arguments = parser.parse_args()
    failed = False
    try:
        settings = load_settings().eval_sets
        catalogue = read_tasks(settings.tasks)
        for name in arguments.task:
            task = catalogue.task(name)
            print(f"{name}: {fetch_from_hub(task, settings.folder, mirror=arguments.mirror)}")
    except StatedError as error:
        print(error, file=sys.stderr)
        return 1
    for task in catalogue.tasks:
        try:
            found = items_of(task, settings.folder)
        except StatedError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        where = f"{len(found.items):>7,} items from {found.source}"
        if found.source == "none":
            where = f"no items{FIXTURE_NOTE if task.fixture else ''}"
        elif not found.items:  # a fixture does not stand in for files that are there
            where = f"no items: {found.absence(task, settings.folder)}"
        more = f", {found.unscored} without an answer" if found.items and found.unscored else ""
        print(f"{task.name:<20}{where}{more}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
