"""The rehearsal at full size, as `make demo` runs it: the adapter lowers the loss."""

import dagster as dg
import pytest

from bioinstruct_dagster.definitions import build_defs
from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster_tests.curation.imports import found_faults, not_judged

pytestmark = [pytest.mark.chain, pytest.mark.slow]

HELD_OUT_LOSS = """
    select subject, score, ci_high
    from eval_scores
    where task = 'held_out' and metric = 'loss' and category = 'all' and items = 'all'
"""


def test_the_adapter_lowers_the_held_out_loss_by_a_twentieth(tmp_path):
    settings = Settings.of(data_dir=tmp_path / "data")
    defs = build_defs(settings)
    result = dg.materialize(
        [*defs.assets, *defs.asset_checks],
        resources=defs.resources,
        partition_key="rehearsal-llama|all",
        instance=dg.DagsterInstance.ephemeral(),
    )
    # Rows on both sides of the split may be alike; the scores without them stand beside the others.
    faults = {e.check_name for e in found_faults(result)} - {"no_scored_item_was_trained_on"}
    assert faults == {"evaluation_sets_are_at_hand", "judge_is_proven"}
    assert not_judged(result) == {
        "kept_rows_are_no_evaluation_items",
        "kept_rows_are_what_was_asked_for",
    }
    scores = {row["subject"]: row for row in Store(settings.store.path).rows(HELD_OUT_LOSS)}
    assert scores["adapter"]["score"] < 0.95 * scores["base"]["score"]
    assert scores["difference"]["ci_high"] < 0
