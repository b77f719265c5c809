"""Asset checks of `data_worth`: its table, and a warning of a refresh that did harm.

Belongs here: what the UI warns of. Does not: the verdict (findings.worth.verdict).
"""

import dagster as dg

from bioinstruct_dagster.store.check_results import judged, not_judged
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.store.schema_checks import schema_check

data_worth_schema = schema_check("data_worth", key=("items",))

# The statement for a reader who wants the numbers of the verdict from the store.
VERDICT = "select * from data_worth where verdict is not null"
PRESENT = "select any_value(dataset_fingerprint) as fingerprint from hf_dataset"


@dg.asset_check(asset="data_worth")
def refresh_did_no_harm(store: dg.ResourceParam[Store]) -> dg.AssetCheckResult:
    """The refresh that was tested last did not make the data set worse. Warns otherwise.

    It is worse if the 95 % interval of the difference in held-out loss (with its rows minus
    without) is above zero. The check warns and never blocks: it is one comparison on one small
    recipe.
    """
    from bioinstruct_dagster.findings.worth.shown import sentence

    found = store.rows(VERDICT)
    if not found:
        return not_judged("No refresh was tested. Start the job data_worth.")
    row = found[0]
    if row["dataset_fingerprint"] != store.rows(PRESENT)[0]["fingerprint"]:
        return not_judged(
            f"The data set was rebuilt after {row['refresh']} was tested. Start the job data_worth "
            "again."
        )
    return judged(
        row["verdict"] != "worse",
        {
            name: row[name]
            for name in ("verdict", "difference", "ci_low", "ci_high", "n", "seeds", "detectable")
        },
        description=f"{sentence(row)} Look at the rows of {row['refresh']}: their raw texts, and "
        "what the gates say of them."
        if row["verdict"] == "worse"
        else sentence(row),
    )
