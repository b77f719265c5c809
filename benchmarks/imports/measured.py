"""`python -m benchmarks.imports.measured FILE FOLDER COLUMNS`: imports one set and prints figures.

It runs in a process of its own, so that peak memory is that of the import. The assets are those of
the production graph, with the default settings. Belongs here: the run, and reading its figures from
the store. Does not: the sets (shapes), or the report (report).
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import dagster as dg

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store

ASSETS = (
    "seed_tasks",
    "raw_instructions",
    "deduplicated_instructions",
    "categorized_instructions",
    "hf_dataset",
)
REJECTED = """
    select gate, reason, count(*) as rows
    from rejected_instructions
    group by all
    order by rows desc, reason
"""


def main(file: Path, folder: Path, columns: str) -> None:
    """Import the file into a store in the folder. Prints one line of JSON."""
    values = {"import_": str(file), "data_dir": folder}
    settings = Settings.of(**values, **({"import_columns": columns} if columns else {}))
    definitions = build_defs(settings)
    made: list[Any] = [*(definitions.assets or ()), *(definitions.asset_checks or ())]
    begun = time.perf_counter()
    result = dg.materialize(
        made,
        selection=dg.AssetSelection.assets(*ASSETS),
        resources=definitions.resources,
        instance=dg.DagsterInstance.ephemeral(),
        raise_on_error=False,
    )
    seconds = time.perf_counter() - begun
    ended = result.filter_events(lambda event: event.is_step_success)
    store = Store(settings.store.path, timeout=30)
    [rows] = store.rows(
        "select (select count(*) from raw_instructions) as read, "
        "(select count(*) from deduplicated_instructions) as kept, "
        "(select count(*) from hf_dataset) as in_data_set"
    )
    # A set without a kept row ends the run, which is a result. Any other failure is not.
    if not result.success and rows["kept"]:
        raise RuntimeError(str(result.get_step_failure_events()))
    print(
        json.dumps(
            {
                **rows,
                "rejected": store.rows(REJECTED),
                "seconds": seconds,
                "by_step": {
                    event.step_key: event.step_success_data.duration_ms / 1_000 for event in ended
                },
            }
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
