"""The verdicts on rows that repeat the meaning of an earlier row in other words.

Belongs here: which rows are compared by meaning, and writing their verdicts. Does not: the measure
(meaning).
"""

from bioinstruct_dagster.curation.gates import Finding
from bioinstruct_dagster.curation.later_verdicts import replace_from_place, verdict_rows_from
from bioinstruct_dagster.curation.novelty.meaning import MeaningFilter, embed_stored
from bioinstruct_dagster.store.database import Store

MEANING_PLACE = 1

NOVEL_ROWS = """
    select row_id, instruction, input
    from passing_instructions
    join verdicts as said using (row_id)
    where said.gate = 'novelty' and said.place = 0 and said.verdict = 'keep'
    order by ordinal
"""


def reject_repeated_meanings(
    store: Store, meaning: MeaningFilter | None, *, with_inputs: bool = False
) -> int:
    """Reject rows that repeat the meaning of an earlier row; returns the number of these rows.

    Without a filter, no row is rejected, and earlier verdicts of this stage are removed.

    Args:
        store: holds the rows and the verdicts.
        meaning: compares the texts.
        with_inputs: whether the text of a row is its instruction with its input. Otherwise the
            thousands of rows of one instruction would count as one.
    """
    found: list[tuple[str, Finding]] = []
    if meaning:
        rows = store.rows(NOVEL_ROWS)
        ids = [row["row_id"] for row in rows]
        texts = [
            f"{row['instruction']}\n\n{row['input']}"
            if with_inputs and row["input"]
            else row["instruction"]
            for row in rows
        ]
        vectors = embed_stored(store, meaning, texts)
        found = list(zip(ids, meaning.findings(ids, vectors), strict=True))
    replace_from_place(store, "novelty", MEANING_PLACE, verdict_rows_from(found, MEANING_PLACE))
    return sum(finding.verdict == "reject" for _, finding in found)
