"""The rule by which a store splits its set: decided at the first build, and kept.

Belongs here: reading and deciding the rule. Does not: the rules themselves (splits), or writing it
with the data set (dataset.assets).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bioinstruct_dagster.dataset.splits import SPLIT_RULES, SplitBy, suitable_rule
from bioinstruct_dagster.store.database import Store

# A store of an earlier version has a data set but no rule: it was split by instruction.
STORED_RULE = "select split_by from dataset_split_rule"
BUILT_ROWS = "select row_id from hf_dataset"


def stored_rule(store: Store) -> SplitBy:
    """The rule of the data set that the store holds."""
    found = {row["split_by"] for row in store.rows(STORED_RULE)}
    return next((rule for rule in SPLIT_RULES if rule in found), "instruction")


def rule_for(store: Store, rows: Sequence[Mapping[str, Any]]) -> SplitBy:
    """The rule for a build with these rows.

    As long as one row of the last data set is still there, its rule stays, so that no row changes
    its split. A set without any of these rows is another set, for which the rule is decided anew.
    """
    built = {row["row_id"] for row in store.rows(BUILT_ROWS)}
    if any(row["row_id"] in built for row in rows):
        return stored_rule(store)
    return suitable_rule(rows)
