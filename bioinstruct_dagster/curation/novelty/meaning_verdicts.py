"""Rows that say the same as an earlier row in other words, as verdicts in the store.

Belongs here: which rows are compared by meaning, and their verdicts. Does not: the measure itself
(meaning).
"""

from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.later_verdicts import replace_from_place, verdict_rows_from
from bioinstruct_dagster.curation.novelty.meaning import MeaningFilter, embed_stored
from bioinstruct_dagster.store.database import Store

MEANINGS_PLACE = 1

NOVEL_IN_ORDER = """
    select row_id, instruction
    from passing_instructions
    join verdicts as said using (row_id)
    where said.gate = 'novelty' and said.place = 0 and said.verdict = 'keep'
    order by ordinal
"""


def look_for_meaning(store: Store, meaning: MeaningFilter | None) -> int:
    """Drop rows that say the same as an earlier one; how many. None without a filter."""
    found: list[tuple[str, Finding]] = []
    if meaning:
        rows = store.rows(NOVEL_IN_ORDER)
        ids = [row["row_id"] for row in rows]
        vectors = embed_stored(store, meaning, [row["instruction"] for row in rows])
        found = list(zip(ids, meaning.findings(ids, vectors), strict=True))
    replace_from_place(store, "novelty", MEANINGS_PLACE, verdict_rows_from(found, MEANINGS_PLACE))
    return sum(finding.verdict == "reject" for _, finding in found)
