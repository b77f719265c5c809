"""How many scored items repeat rows that the adapter was trained on, by experiment and task.

Belongs here: counting the marks of stored predictions. Does not: finding the repetitions
(evaluation.contaminated), or the scores without these items (evaluation.scoring).
"""

from bioinstruct_dagster.store.database import Store

# An average counts the items of its category's tasks.
_TRAINED_ON = """
    with repeated as (
        select base_model, recipe, task, count(distinct item_id) as items
        from eval_predictions
        where contaminated
        group by all
    ),
    of_category as (
        select distinct base_model, recipe, task, category
        from eval_scores
        where task not in ('average', 'held_out')
    )
    select base_model || '|' || recipe as experiment, task, '' as category, items from repeated
    union all
    select base_model || '|' || recipe, 'average', category, sum(items)::bigint
    from repeated
    join of_category using (base_model, recipe, task)
    group by all
"""


def items_trained_on(store: Store) -> dict[tuple[str, str, str], int]:
    """How many scored items repeat rows that the adapter was trained on, where any does.

    Returns:
        The number by experiment, task and category. The category is empty but for averages.
    """
    return {
        (row["experiment"], row["task"], row["category"]): row["items"]
        for row in store.rows(_TRAINED_ON)
    }
