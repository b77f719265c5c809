"""Asset checks of `lora_adapter`: its schema, its files, rows left out, and the right data set."""

import math

import dagster as dg

from bioinstruct_dagster.dataset.checks import older_results_check
from bioinstruct_dagster.dataset.older_results import OLDER_RESULT_CHECKS, made_results
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.figures.values import number_of
from bioinstruct_dagster.models.adapters import WEIGHTS_FILE, stored_folder, weights_changed
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.check_results import judged, not_judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.materialization import markdown_table
from bioinstruct_dagster.store.schema_checks import schema_check
from bioinstruct_dagster.training.left_out import EXAMPLES, LARGE_SHARE, SHARES_LEFT_OUT

lora_adapter_schema = schema_check("lora_adapter", key=("base_model", "recipe"))

ADAPTERS = """
    select base_model, recipe, adapter_path, adapter_sha256, first_loss, last_loss
    from lora_adapter
"""

PROOFS = """
    select base_model, recipe, (proof ->> 'change')::double as change,
        (proof ->> 'noise')::double as noise
    from lora_adapter
    order by base_model, recipe
"""
TRAIN_AGAIN = "Materialize the partition of key:lora_adapter again, with retrain: true."
NO_ADAPTER = "The store holds no adapter. Materialize key:lora_adapter first."


@dg.asset_check(asset="lora_adapter", blocking=True)
def adapters_are_intact(
    store: dg.ResourceParam[Store], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Each adapter's weights file is in the stated folder and unchanged, and its loss is finite."""
    faults = {}
    adapters = store.rows(ADAPTERS)
    if not adapters:
        return not_judged(NO_ADAPTER)
    for row in adapters:
        experiment = f"{row['base_model']}|{row['recipe']}"
        try:
            folder = stored_folder(row["adapter_path"], settings.store.data_dir)
        except StatedError as error:
            faults[experiment] = str(error)
            continue
        weights = folder / WEIGHTS_FILE
        if not weights.is_file():
            fault = f"{weights} is missing; materialize this partition again"
        elif weights_changed(folder, row["adapter_sha256"]):
            fault = f"{weights} has changed since training; materialize this partition again"
        elif not math.isfinite(row["last_loss"]):
            fault = f"the last loss is {row['last_loss']}; lower the recipe's learning rate"
        else:
            continue
        faults[experiment] = fault
    listed = "\n".join(f"{experiment}: {fault}." for experiment, fault in faults.items())
    return judged(
        not faults,
        {"adapters": len(adapters), "faults": dg.MetadataValue.json(faults)},
        warns=False,
        description=listed
        or f"{number_of(len(adapters), 'adapter')}: the weights are in place and unchanged, and "
        "the last loss is finite.",
    )


@dg.asset_check(asset="lora_adapter", blocking=True)
def adapters_act_on_their_base(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each adapter changes the base model's logits by more than rounding can.

    Training measures this on prompts that are the same for all adapters, and stores it as `proof`.
    """
    proofs = store.rows(PROOFS)
    if not proofs:
        return not_judged(NO_ADAPTER)
    known = [row for row in proofs if row["change"] is not None and row["noise"] is not None]
    silent = [row for row in known if not row["change"] > row["noise"]]
    without = [f"{row['base_model']}|{row['recipe']}" for row in proofs if row not in known]
    if not known:
        return not_judged(f"No proof is stored of {', '.join(without)}. {TRAIN_AGAIN}")
    said = [
        f"{row['base_model']}|{row['recipe']}: the greatest change of a logit is "
        f"{row['change']:.2g}, and rounding alone makes {row['noise']:.2g}. {TRAIN_AGAIN} If the "
        "fault stays, raise the learning rate or name other target modules in the recipe."
        for row in silent
    ]
    if without:
        said.append(f"Not judged, because no proof is stored: {', '.join(without)}. {TRAIN_AGAIN}")
    least = min(known, key=lambda row: row["change"])
    found = (
        f"{number_of(len(known), 'adapter')}: each changes its base model. The least change of the "
        f"greatest logit is {least['change']:.2g} ({least['base_model']}|{least['recipe']}), and "
        f"rounding alone makes {least['noise']:.2g}."
    )
    return judged(
        not silent,
        {"changes": dg.MetadataValue.md(markdown_table(known))},
        warns=False,
        description=" ".join([*said] if silent else [found, *said]),
    )


@dg.asset_check(asset="lora_adapter")
def few_rows_are_left_out(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each adapter saw nearly all rows of its recipe as a whole. Warns from 1 % of the rows on.

    A row that is longer than the recipe's `max_length` or the base model's context is left out, or
    its input is shortened; a row without an output is left out. The table `rows_left_out` lists
    them all.
    """
    if not store.rows(ADAPTERS):
        return not_judged(NO_ADAPTER)
    rows = store.rows(SHARES_LEFT_OUT, {"examples": EXAMPLES})
    large = [row for row in rows if row["rows"] >= LARGE_SHARE * row["recipe_rows"]]
    lines = [
        f"{row['base_model']}|{row['recipe']}: {row['rows']} of {row['recipe_rows']} rows "
        f"({row['rows'] / row['recipe_rows']:.1%}) were not trained on as a whole: "
        f"{row['left_out']} too long, {row['input_shortened']} with a shortened input, "
        f"{row['no_output']} without an output; such as {', '.join(row['examples'])}."
        for row in large
    ]
    if lines:
        lines.append(
            "Raise `max_length` of the recipe, name a base model with a longer context, or set "
            "`too_long: shorten_input`."
        )
    return judged(
        not large,
        {
            "experiments_with_rows_left_out": len(rows),
            "rows_left_out": dg.MetadataValue.md(
                markdown_table([row | {"examples": ", ".join(row["examples"])} for row in rows])
            ),
        },
        description="\n".join(lines)
        or f"No adapter left out {LARGE_SHARE:.0%} of its rows or more.",
    )


@dg.asset_check(asset="lora_adapter", name=OLDER_RESULT_CHECKS["lora_adapter"])
def adapters_are_of_the_present_data_set(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """Each adapter was trained on the present version of the data set. Warns otherwise.

    An older adapter is kept, and the report marks it. When the data set is rebuilt, this check gets
    a new result.
    """
    return older_results_check(made_results(store), "lora_adapter")
