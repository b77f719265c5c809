"""What the gates left on rows that they let pass: marks for a person, and checks that were off.

The data set card and the report say it, because such rows are in the set like all others. Belongs
here: counting these rows, and the sentences. Does not: the marks of one row (curation.explanation).
"""

from typing import Literal

from bioinstruct_dagster.store.database import Store

# `off` is the rule of a gate that was told not to look. The privacy gate flags a name without any
# other identifier, or a doubtful detail, whatever its action is; its other flags are identifiers
# that were let stay.
MARKED = """
    select gate, rule = 'off' as off,
        rule in ('placeholder_person', 'possible_date', 'possible_identifier') as placeholder,
        count(distinct row_id) as rows,
        string_agg(distinct rule, ', ' order by rule) as rules
    from verdicts
    join gates using (gate)
    semi join {table} using (row_id)
    where verdict = 'flag' or rule = 'off'
    group by all
    order by any_value(gate_order), off, placeholder
"""


def marked_rows(store: Store, table: Literal["reviewed_instructions", "hf_dataset"]) -> list[str]:
    """A sentence for each kind of mark on the rows of a table, with counts; empty if none has one.

    Args:
        store: with the verdicts.
        table: whose rows are counted.
    """
    return [
        _sentence(row["gate"], row["rules"], row["rows"], off=row["off"], name=row["placeholder"])
        for row in store.rows(MARKED.format(table=table))
    ]


def _sentence(gate: str, rules: str, rows: int, *, off: bool, name: bool) -> str:
    if off:
        return f"{gate}: the gate was off, so it did not check {rows:,} of the rows."
    of_rows, hold, are = f"{rows:,} of the rows", "hold", "are"
    if rows == 1:
        hold, are = "holds", "is"
    if name and rules != "placeholder_person":
        return (
            f"{gate}: {of_rows} {hold} a name, a date or another detail that identifies "
            f"nobody by itself: {rules}."
        )
    if name:
        return f"{gate}: {of_rows} {hold} a person's name without any other identifier."
    if gate == "privacy":
        return (
            f"{gate}: {of_rows} {hold} identifiers that the gate found and let stay "
            f"(BIOINSTRUCT_PRIVACY=flag): {rules}. Read them before you give the set to anyone."
        )
    return f"{gate}: {of_rows} {are} marked for a person to read: {rules}."
