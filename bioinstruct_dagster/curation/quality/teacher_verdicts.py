"""Writes a teacher's checks of kept rows as verdicts in the store.

Belongs here: which rows a teacher is asked about, and the verdicts. Does not: the question and the
findings (llm_checks).
"""

from collections.abc import Sequence

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.later_verdicts import replace_from_place, verdict_rows_from
from bioinstruct_dagster.curation.quality.llm_checks import quality_question, teacher_findings
from bioinstruct_dagster.curation.quality.rule_settings import QualityRule
from bioinstruct_dagster.curation.quality.rules import LlmRule
from bioinstruct_dagster.store.database import Store
from bioinstruct_dagster.teacher.answers import ask_about, stored_answers
from bioinstruct_dagster.teacher.feeds import Tally
from bioinstruct_dagster.teacher.session import TeacherSession

# The place of a row's first teacher finding in the quality gate, above those of its other rules.
FIRST_TEACHER_PLACE = 100

KEPT_TEXTS = (
    "select row_id, instruction, input, output from deduplicated_instructions order by ordinal"
)

# The kept rows and the rows with a teacher's verdict, with their repaired texts.
ROWS_WITH_CHECKS = """
    select row_id, instruction, input, output
    from repaired_instructions
    where row_id in (select row_id from deduplicated_instructions)
        or row_id in (select row_id from verdicts where gate = $gate and place >= $place)
    order by ordinal
"""


def ask_about_kept_rows(session: TeacherSession) -> Tally:
    """Ask this teacher about the kept rows that it has not checked before.

    Raises:
        TeacherError, BudgetError, StoreBusyError: see rounds.ask.
    """
    texts = [RowTexts.of(row) for row in session.store.rows(KEPT_TEXTS)]
    tally, _ = ask_about(session, quality_question(), texts)
    return tally


def write_teacher_verdicts(session: TeacherSession, rules: Sequence[QualityRule]) -> bool:
    """Write the teacher's checks as verdicts; return whether any verdict changed."""
    store = session.store
    llm_rules = [rule for rule in rules if isinstance(rule, LlmRule)]
    rows = store.rows(ROWS_WITH_CHECKS, {"gate": "quality", "place": FIRST_TEACHER_PLACE})
    texts = [RowTexts.of(row) for row in rows]
    answers = stored_answers(session, quality_question(), texts)
    found = [
        (row["row_id"], finding)
        for row, text in zip(rows, texts, strict=True)
        if text in answers
        for finding in teacher_findings(answers[text], llm_rules)
    ]
    return replace_from_place(
        store, "quality", FIRST_TEACHER_PLACE, verdict_rows_from(found, FIRST_TEACHER_PLACE)
    )


def remove_teacher_verdicts(store: Store) -> None:
    """Remove the verdicts that depend on a teacher's checks; the checks stay stored."""
    replace_from_place(store, "quality", FIRST_TEACHER_PLACE, [])
