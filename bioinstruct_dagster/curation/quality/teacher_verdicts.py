"""What a teacher says of kept rows, as verdicts in the store.

Belongs here: which rows a teacher is asked about, and the verdicts. Does not: the questions and the
reading of replies (llm_checks).
"""

from collections.abc import Callable, Mapping, Sequence

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.later_verdicts import replace_from_place, verdict_rows_from
from bioinstruct_dagster.curation.quality.llm_checks import (
    TeacherCheck,
    ask_checks,
    findings_of,
    stored_checks,
)
from bioinstruct_dagster.curation.quality.rules import LlmRule, QualityRule
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.rounds import Endpoint, Tally, Terms

# Places of findings within their gate, beyond those of the gate's own rules.
TEACHERS_PLACE = 100

KEPT = "select row_id, instruction, input, output from deduplicated_instructions order by ordinal"

# The kept rows, and those that the teacher had something to say of, as they read now.
LOOKED_AT = """
    select row_id, instruction, input, output
    from repaired_instructions
    where row_id in (select row_id from deduplicated_instructions)
        or row_id in (select row_id from verdicts where gate = $gate and place >= $place)
    order by ordinal
"""


class TeacherVerdicts:
    """The teacher's word on the rows that would be kept, as the quality rules want it."""

    def __init__(
        self, store: Store, rules: Sequence[QualityRule], *, teacher: str, model: str
    ) -> None:
        self._store = store
        self._rules = [rule for rule in rules if isinstance(rule, LlmRule)]
        self._teacher, self._model = teacher, model

    def ask(self, endpoint: Endpoint, log: Callable[[str], None], terms: Terms | None) -> Tally:
        """Ask about kept rows that the teacher was not asked about."""
        kept = [RowTexts.of(row) for row in self._store.rows(KEPT)]
        return ask_checks(
            kept,
            endpoint,
            self._store,
            teacher=self._teacher,
            model=self._model,
            log=log,
            terms=terms,
        )

    def apply(self) -> bool:
        """Write what it said as verdicts; whether they are others than before."""
        where = {"gate": "quality", "place": TEACHERS_PLACE}
        rows = self._store.rows(LOOKED_AT, where)
        tasks = [RowTexts.of(row) for row in rows]
        said: Mapping[RowTexts, TeacherCheck] = stored_checks(
            tasks, self._store, teacher=self._teacher, model=self._model
        )
        found = [
            (row["row_id"], finding)
            for row, task in zip(rows, tasks, strict=True)
            if task in said
            for finding in findings_of(said[task], self._rules)
        ]
        return replace_from_place(
            self._store, "quality", TEACHERS_PLACE, verdict_rows_from(found, TEACHERS_PLACE)
        )


def forget_teachers_word(store: Store) -> None:
    """No verdict rests on the teacher's word any more; what it said stays stored."""
    replace_from_place(store, "quality", TEACHERS_PLACE, [])
