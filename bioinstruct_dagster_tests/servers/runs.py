"""Runs of generation and the gates with a server as the teacher, and what they stored.

Belongs here: what the tests of all servers share. Does not: starting a server (running), or what is
special to one.
"""

from pathlib import Path
from typing import Any

import dagster as dg

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.servers.running import RunningServer

ASSETS = (
    "seed_tasks",
    "raw_instructions",
    "deduplicated_instructions",
    "categorized_instructions",
)
OUTCOMES = {"parsed", "truncated", "refused", "empty", "malformed", "wrong_schema"}


class Project:
    """The project with a server as its teacher, a goal of three rows, and at most six requests."""

    def __init__(self, server: RunningServer, folder: Path, **changed: Any) -> None:
        usual = {
            "teacher": "openai",
            "teacher_model": server.model,
            "openai_api_key": server.key,
            "openai_base_url": server.url,
            "data_dir": folder,
            "instructions": 3,
            "requests": 6,
            "tasks_per_request": 1,
            "output_tokens_per_task": 250,
            "concurrency": 2,
        }
        self.settings = Settings.of(**{**usual, **changed})
        self.store = Store(self.settings.store.path, timeout=30)

    def run(self, *assets: str) -> dg.ExecuteInProcessResult:
        """Materialize these assets, or all of `ASSETS`."""
        defs = build_defs(self.settings)
        return dg.materialize(
            [*defs.assets, *defs.asset_checks],
            selection=dg.AssetSelection.assets(*(assets or ASSETS)),
            resources=defs.resources,
            instance=dg.DagsterInstance.ephemeral(),
            raise_on_error=False,
        )

    def rows(self, query: str) -> list[dict[str, Any]]:
        """The rows of a query on the store."""
        return self.store.rows(query)


def why_it_failed(result: dg.ExecuteInProcessResult) -> str:
    """The message of the one step that failed."""
    (failure,) = result.get_step_failure_events()
    return failure.step_failure_data.error.message


def shown(result: dg.ExecuteInProcessResult, asset: str = "raw_instructions") -> dict[str, Any]:
    """The metadata of an asset's materialization."""
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}
