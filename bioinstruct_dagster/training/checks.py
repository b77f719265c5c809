"""Checks on the adapters."""

import math
from pathlib import Path

import dagster as dg

from bioinstruct_dagster.models.adapters import WEIGHTS, weights_changed
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.schema_checks import schema_check

lora_adapter_schema = schema_check("lora_adapter", key=("base_model", "recipe"))

ADAPTERS = """
    select base_model, recipe, adapter_path, adapter_sha256, first_loss, last_loss
    from lora_adapter
"""


@dg.asset_check(asset="lora_adapter", blocking=True)
def adapters_are_intact(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Every adapter lies where the table says, unchanged, as safetensors, from a finite loss."""
    faults = {}
    for row in store.rows(ADAPTERS):
        folder = Path(row["adapter_path"])
        weights = folder / WEIGHTS
        if not weights.is_file():
            faults[f"{row['base_model']}|{row['recipe']}"] = f"{weights} is missing; train it again"
        elif weights_changed(folder, row["adapter_sha256"]):
            faults[f"{row['base_model']}|{row['recipe']}"] = (
                f"{weights} was changed since it was trained"
            )
        elif not math.isfinite(row["last_loss"]):
            faults[f"{row['base_model']}|{row['recipe']}"] = f"the loss ended at {row['last_loss']}"
    return dg.AssetCheckResult(
        passed=not faults, metadata={"faults": dg.MetadataValue.json(faults)}
    )
