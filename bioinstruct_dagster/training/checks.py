"""Asset checks of `lora_adapter`: the table's schema, and the adapters' files."""

import math
from pathlib import Path

import dagster as dg

from bioinstruct_dagster.models.adapters import WEIGHTS_FILE, weights_changed
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.schema_checks import schema_check

lora_adapter_schema = schema_check("lora_adapter", key=("base_model", "recipe"))

ADAPTERS = """
    select base_model, recipe, adapter_path, adapter_sha256, first_loss, last_loss
    from lora_adapter
"""


@dg.asset_check(asset="lora_adapter", blocking=True)
def adapters_are_intact(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each adapter's weights file is in the stated folder and unchanged, and its loss is finite."""
    faults = {}
    for row in store.rows(ADAPTERS):
        folder = Path(row["adapter_path"])
        weights = folder / WEIGHTS_FILE
        if not weights.is_file():
            fault = f"{weights} is missing; materialize this partition again"
        elif weights_changed(folder, row["adapter_sha256"]):
            fault = f"{weights} has changed since training; materialize this partition again"
        elif not math.isfinite(row["last_loss"]):
            fault = f"the last loss is {row['last_loss']}; lower the recipe's learning rate"
        else:
            continue
        faults[f"{row['base_model']}|{row['recipe']}"] = fault
    return dg.AssetCheckResult(
        passed=not faults, metadata={"faults": dg.MetadataValue.json(faults)}
    )
