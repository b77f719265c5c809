"""The rows of the table `rows_left_out`: which rows of a recipe training did not see as a whole.

Belongs here: the table's rows, and the share of a recipe's rows that they are. Does not: leaving
rows out (models.encoding), or writing the table (training.assets).
"""

from collections.abc import Iterable
from typing import Any

from bioinstruct_dagster.models.encoding import LeftOutRow

LARGE_SHARE = 0.01  # of a recipe's rows; from here on, a check warns
EXAMPLES = 5  # row ids that a warning shows

# train_rows counts the rows that were trained on, the shortened ones among them.
SHARES_LEFT_OUT = """
    select
        base_model,
        recipe,
        count(*) as rows,
        count(*) filter (action = 'left_out') as left_out,
        count(*) filter (action = 'input_shortened') as input_shortened,
        count(*) filter (action = 'no_output') as no_output,
        any_value(train_rows) + count(*) filter (action <> 'input_shortened') as recipe_rows,
        sum(tokens_lost)::bigint as tokens_lost,
        array_agg(row_id order by tokens_lost desc, row_id)[:$examples] as examples
    from rows_left_out
    join lora_adapter using (base_model, recipe)
    group by base_model, recipe
    order by base_model, recipe
"""


def left_out_table(
    base_model: str, recipe: str, left_out: Iterable[LeftOutRow], *, rehearsal: bool
) -> list[dict[str, Any]]:
    """The table's rows of one experiment, which replace those of its last training.

    Args:
        base_model: of the experiment, as the experiment file names it.
        recipe: likewise.
        left_out: as `encode_rows` lists them.
        rehearsal: whether the data or the base model is rehearsal-made.
    """
    return [
        {
            "base_model": base_model,
            "recipe": recipe,
            "row_id": row.row_id,
            "tokens": row.tokens,
            "tokens_lost": row.tokens_lost,
            "action": row.action,
            "rehearsal": rehearsal,
        }
        for row in left_out
    ]
