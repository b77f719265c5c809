"""The teacher's check of a row: whether its input is sufficient, and whether its output is right.

The check is optional: a teacher is asked only if a rule of the kind `llm` is not off. Belongs here:
the question, and the findings from its answers. Does not: asking and storing answers
(teacher.answers), which rows are asked about (teacher_verdicts), or the other rules (rules).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from bioinstruct_dagster.curation.gates import Finding, RowTexts
from bioinstruct_dagster.curation.quality.rule_settings import QualityRule
from bioinstruct_dagster.curation.quality.rules import LlmRule
from bioinstruct_dagster.curation.quality.wording import excerpt
from bioinstruct_dagster.teacher.answers import StoredAnswer
from bioinstruct_dagster.teacher.questions import AnswerTable, Question, QuestionPrompt
from bioinstruct_dagster.teacher.reading.answer_values import short_reason

# With more rows in a request, a teacher checks each less carefully.
ROWS_PER_REQUEST = 10
TOKENS_PER_CHECK = 90
MOST_REASON_CHARS = 200  # of a teacher's reason; the rest is not stored

TEMPLATE_ID = "quality/1"
SYSTEM_PROMPT = (
    "You check biomedical instruction data as a careful clinician. You answer with JSON only."
)
ANSWER_FORM = """

Answer in this form, with every number once:
{"checks": [{"number": 1, "grounded": true, "correct": true, "reason": "..."}]}"""
USER_PROMPT = """\
Judge each numbered row below, which holds an instruction, its input (may be empty) and an output.

- grounded: false where the task needs a text, record, report, article, picture or data set that \
the input only names or links to, so that the output had to be invented. A topic, a term, a \
question or a short but sufficient description is grounded, and so is an empty input where the \
instruction says all that is needed.
- correct: false where the output is wrong in fact or figures, contradicts the input, or does not \
do what the instruction asks. Judge by established medical knowledge; where you are unsure, say \
true.
- reason: at most fifteen words; empty where both are true.

Rows, one JSON object a line:
{items}"""


STORED_CHECKS = """
    select
        check_key as answer_key, grounded, correct, reason, completion_id, completion.rehearsal
    from quality_checks
    join completions as completion using (completion_id)
    where check_key in (select unnest($wanted::varchar[]))
"""


@dataclass(frozen=True, slots=True)
class TeacherCheck:
    """A teacher's answer on one row. Checks that differ only in the reason are equal."""

    grounded: bool
    correct: bool
    reason: str = field(default="", compare=False)


def needs_teacher(rules: Sequence[QualityRule]) -> bool:
    """Whether any rule needs the teacher's check."""
    return any(isinstance(rule, LlmRule) and rule.action != "off" for rule in rules)


def teacher_findings(
    answer: StoredAnswer[TeacherCheck], rules: Sequence[QualityRule]
) -> tuple[Finding, ...]:
    """The findings of the `llm` rules on the teacher's check; none if it has no objection."""
    check = answer.answer
    if check is None:
        return ()
    passed = {"ungrounded": check.grounded, "incorrect": check.correct}
    findings = []
    for rule in rules:
        if not isinstance(rule, LlmRule) or passed[rule.says]:
            continue
        verdict = _verdict(rule)
        if verdict is not None:
            evidence: dict[str, Any] = {
                "saw": excerpt(check.reason),
                "completion_id": answer.completion_id,
                **({"rehearsal": True} if answer.rehearsal else {}),
            }
            findings.append(Finding(rule.id, rule.version, verdict, evidence=evidence))
    return tuple(findings)


def _verdict(rule: LlmRule) -> Literal["reject", "flag"] | None:
    return rule.action if rule.action in {"reject", "flag"} else None


@cache
def quality_question() -> Question[RowTexts, TeacherCheck]:
    """The question whether a row is grounded and correct."""
    return Question(
        QuestionPrompt(
            purpose="quality_check",
            template_id=TEMPLATE_ID,
            system=SYSTEM_PROMPT,
            user=USER_PROMPT,
            form=ANSWER_FORM,
            schema_name="quality_checks",
            list_name="checks",
            properties={
                "grounded": {"type": "boolean"},
                "correct": {"type": "boolean"},
                "reason": {"type": "string"},
            },
            fields_of=RowTexts._asdict,
            items_per_request=ROWS_PER_REQUEST,
            tokens_per_item=TOKENS_PER_CHECK,
        ),
        _valid_check,
        AnswerTable("quality_checks", STORED_CHECKS, _stored_row, _stored_check),
    )


def _valid_check(answer: Mapping[str, Any]) -> TeacherCheck | None:
    grounded, correct, reason = (answer.get(key) for key in ("grounded", "correct", "reason"))
    if not isinstance(grounded, bool) or not isinstance(correct, bool):
        return None
    return TeacherCheck(grounded, correct, short_reason(reason, MOST_REASON_CHARS))


def _stored_row(key: str, _row: RowTexts, check: TeacherCheck | None) -> dict[str, Any]:
    return {
        "check_key": key,
        "grounded": check.grounded if check else None,
        "correct": check.correct if check else None,
        "reason": check.reason if check else "",
    }


def _stored_check(row: Mapping[str, Any]) -> TeacherCheck | None:
    if row["grounded"] is None:
        return None
    return TeacherCheck(row["grounded"], row["correct"], row["reason"])
