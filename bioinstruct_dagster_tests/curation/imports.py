"""The real graph over small imports of a test's own rows, as a user runs it.

Belongs here: what the tests of curation's assets and checks share. Does not: what they assert.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import INPUTS, Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.gate_order import DROPPING_GATES

Row = tuple[str, str, str]
CURATED = ("deduplicated_instructions",)
LABELLED = ("deduplicated_instructions", "categorized_instructions")

# Rows that every gate lets pass as they are.
SOUND: tuple[Row, ...] = (
    ("Name the vitamin whose lack causes scurvy in adults.", "", "Vitamin C."),
    ("List three warning signs of a stroke.", "", "A drooping face, a weak arm, slurred speech."),
    ("Describe how insulin lowers blood glucose.", "", "It lets muscle and fat take glucose up."),
    ("Explain why statins are taken for life.", "", "Cholesterol rises again without them."),
    ("Which electrolyte falls with thiazide diuretics?", "", "Sodium, and potassium as well."),
    ("Find the dose in the note.", "Takes aspirin 75 mg each morning.", "75 mg of aspirin."),
)


class Imported:
    """The project over an import, with an instance of its own; each run may change settings."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.store = Store(settings.store.path, timeout=30)
        self.instance = dg.DagsterInstance.ephemeral()

    def run(
        self,
        rows: Sequence[Row] | None = None,
        assets: Sequence[str] = CURATED,
        *,
        checked: bool = False,
        **changed: Any,
    ) -> dg.ExecuteInProcessResult:
        """Materialize these assets, and before them the import where rows are given.

        Novelty is `rouge` unless changed, because most tests compare similar instructions.
        """
        source = self.folder / "rows.jsonl"
        if rows is not None:
            names = ("instruction", "input", "output")
            lines = [json.dumps(dict(zip(names, row, strict=True))) for row in rows]
            source.write_text("\n".join(lines), "utf-8")
            assets = ("raw_instructions", *assets)
        settings = self.settings.changed(**{"import_": str(source), "novelty": "rouge", **changed})
        defs = build_defs(settings)
        selection = dg.AssetSelection.assets(*assets)
        return dg.materialize(
            [*defs.assets, *defs.asset_checks],
            selection=selection if checked else selection.without_checks(),
            resources=defs.resources,
            instance=self.instance,
            raise_on_error=False,
        )

    def kept(self) -> list[str]:
        """Instructions of the kept rows, in their order."""
        return self.values("select instruction from deduplicated_instructions order by ordinal")

    def dropped(self) -> dict[str, str]:
        """By instruction: the gate that dropped a row, and its rule."""
        rows = self.store.rows("select instruction, gate, reason from rejected_instructions")
        return {row["instruction"]: f"{row['gate']}: {row['reason']}" for row in rows}

    def values(self, statement: str) -> list[Any]:
        """The first column of a statement's rows."""
        return [next(iter(row.values())) for row in self.store.rows(statement)]

    def rules(self, **actions: str) -> Path:
        """A copy of the quality rules in which some have another action."""
        return rules_file(self.folder / f"rules-{len(list(self.folder.iterdir()))}.yaml", actions)


def rules_file(path: Path, actions: Mapping[str, str]) -> Path:
    """A copy of the shipped quality rules in which some have another action."""
    text = (INPUTS / "quality_rules.yaml").read_text("utf-8")
    for name, action in actions.items():
        rule = rf"(?s)(- id: {name}\n.*?\n    action: )\w+"
        text, found = re.subn(rule, rf"\g<1>{action}", text, count=1)
        assert found, name
    path.write_text(text, "utf-8")
    return path


def shown(
    result: dg.ExecuteInProcessResult, asset: str = "deduplicated_instructions"
) -> dict[str, Any]:
    """The metadata on the asset's page."""
    (event,) = result.asset_materializations_for_node(asset)
    return {name: value.value for name, value in event.metadata.items()}


def checked(result: dg.ExecuteInProcessResult) -> dict[str, int]:
    """How many rows each gate had to look at."""
    found = shown(result)
    told = dict(part.rsplit(" ", 1) for part in found["checked in this run"].split(", "))
    return {gate: int(told[gate].replace(",", "")) for gate in DROPPING_GATES}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    """Whether each check passed, of those that had something to compare."""
    return {
        check.check_name: check.passed
        for check in result.get_asset_check_evaluations()
        if check.metadata["judged"].value
    }


def found_faults(result: dg.ExecuteInProcessResult) -> list[dg.AssetCheckEvaluation]:
    """The checks that compared something and found a fault. Others may have judged nothing."""
    return [
        check
        for check in result.get_asset_check_evaluations()
        if not check.passed and check.metadata["judged"].value
    ]


def not_judged(result: dg.ExecuteInProcessResult) -> set[str]:
    """The checks that had nothing to compare."""
    return {
        check.check_name
        for check in result.get_asset_check_evaluations()
        if not check.metadata["judged"].value
    }


def why_it_failed(result: dg.ExecuteInProcessResult, step: str) -> str:
    """The message with which a step failed."""
    (failure,) = [event for event in result.get_step_failure_events() if event.step_key == step]
    return failure.step_failure_data.error.message
