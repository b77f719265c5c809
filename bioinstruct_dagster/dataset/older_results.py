"""Adapters and scores that rest on an older version of the data set than the present one.

A rebuilt data set gets another fingerprint. What was made from the older one stays in the store,
and must not be taken for a result on the present rows. Belongs here: finding such results, and the
names of the checks that warn of them. Does not: those checks (each stage's module `checks`).
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from bioinstruct_dagster.store.database import Store

# The check of each asset that warns of its older results.
OLDER_RESULT_CHECKS: Mapping[str, str] = {
    "lora_adapter": "adapters_are_of_the_present_data_set",
    "eval_scores": "scores_are_of_the_present_data_set",
    "judged_answers": "judge_scores_are_of_the_present_data_set",
}
SHORT = 12  # hex digits of a fingerprint in a sentence

# A score whose adapter was trained again since then is older too. The base model's scores name no
# adapter.
_RESULTS = """
    with present as (select any_value(dataset_fingerprint) as fingerprint from hf_dataset),
    made as (
        select 'lora_adapter' as asset, base_model, recipe, dataset_fingerprint, adapter_sha256
        from lora_adapter
        union all
        select distinct 'eval_scores', base_model, recipe, dataset_fingerprint, adapter_sha256
        from eval_scores
        union all
        select distinct 'eval_scores', base_model, recipe, dataset_fingerprint, null
        from eval_scores_over_seeds
        union all
        select distinct 'judged_answers', base_model, recipe, dataset_fingerprint, adapter_sha256
        from judge_scores
    )
    select made.asset, made.base_model, made.recipe,
        any_value(present.fingerprint) as present,
        arg_max(
            made.dataset_fingerprint, made.dataset_fingerprint is distinct from present.fingerprint
        ) as found,
        bool_or(made.dataset_fingerprint is distinct from present.fingerprint) as of_older_data,
        coalesce(bool_or(made.adapter_sha256 <> now.adapter_sha256), false) as of_older_adapter
    from made
    cross join present
    left join lora_adapter as now using (base_model, recipe)
    group by made.asset, made.base_model, made.recipe
    order by made.asset, made.base_model, made.recipe
"""


class MadeResult(NamedTuple):
    """What the store holds of an experiment: its adapter, its scores, or a judge's scores.

    Attributes:
        asset: that made it.
        base_model: of the experiment.
        recipe: of the experiment.
        why_older: why it is not a result on the present data set, in words; None if it is one.
    """

    asset: str
    base_model: str
    recipe: str
    why_older: str | None

    @property
    def experiment(self) -> str:
        """The name of the experiment."""
        return f"{self.base_model}|{self.recipe}"


def made_results(store: Store) -> list[MadeResult]:
    """All adapters and scores in the store, by asset and experiment."""
    return [
        MadeResult(row["asset"], row["base_model"], row["recipe"], _why_older(row))
        for row in store.rows(_RESULTS)
    ]


def older_experiments(results: Iterable[MadeResult], asset: str) -> dict[str, str]:
    """The experiments whose result of an asset is older, with the reason."""
    return {
        one.experiment: one.why_older for one in results if one.asset == asset and one.why_older
    }


def advice_of(asset: str) -> str:
    """What brings the results of an asset up to date."""
    if asset == "lora_adapter":
        return "Materialize key:lora_adapter for these partitions to train on the present rows."
    return f"Materialize key:lora_adapter and key:{asset} for these partitions again."


def of_older_data(found: str, present: str) -> str:
    """That a result is of another fingerprint than that of the present data set, in words."""
    return f"of an older data set ({found[:SHORT]}; the present one is {present[:SHORT]})"


def _why_older(row: Mapping[str, Any]) -> str | None:
    if row["present"] is None:
        return "the store holds no data set now"
    if row["of_older_data"]:
        return of_older_data(row["found"], row["present"])
    return "of an adapter that was trained again since then" if row["of_older_adapter"] else None
