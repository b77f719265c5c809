"""Grades of single answers: the question to the judge, and the shares computed from its counts.

Belongs here: the question, reading a grade, its row in `judge_grades`, and what a grade is worth.
Does not: the text of the rubric (rubric), asking (judging), or means and intervals (scores).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

from bioinstruct_dagster.evaluation.judge.rubric import (
    ANSWERS_PER_REQUEST,
    COUNTS,
    GRADE_FORM,
    GRADE_PROMPT,
    GRADE_PROPERTIES,
    GRADE_SCHEMA,
    GRADE_TEMPLATE,
    SYSTEM_PROMPT,
    TOKENS_PER_GRADE,
)
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.questions import AnswerTable, Question, QuestionPrompt
from bioinstruct_dagster.teacher.reading.answer_values import short_reason

PURPOSE = "judging"  # of all requests of the judge, as in `completions`
MOST_REASON_CHARS = 600
_MOST_FACTS = 10_000  # no text of a task has more; a larger count is a slip of the model
_SHOWN_HASH = 16  # hex digits of a text's hash in the store

Share = Literal[
    "factual_recall", "factual_precision", "factual_f1", "hallucination_rate", "omission_rate"
]
SHARES: tuple[Share, ...] = (
    "factual_f1", "factual_recall", "factual_precision", "hallucination_rate", "omission_rate",
)  # fmt: skip

STORED_GRADES = f"""
    select
        grade_key as answer_key, {", ".join(COUNTS)}, reason, completion_id, completion.rehearsal
    from judge_grades
    join completions as completion using (completion_id)
    where grade_key in (select unnest($wanted::varchar[]))
"""


@dataclass(frozen=True, slots=True)
class GradedText:
    """What the judge sees of an answer: three texts, and nothing about their origin.

    Attributes:
        source: the text that the answer had to be made from.
        reference: an expert's answer.
        answer: the answer that is graded.
    """

    source: str
    reference: str
    answer: str

    def shown(self) -> dict[str, str]:
        """The fields that the prompt shows, by name."""
        return {"source": self.source, "reference": self.reference, "answer": self.answer}


@dataclass(frozen=True, slots=True)
class Grade:
    """The judge's counts of facts in one answer; see the rubric for their meaning."""

    covered: int
    distorted: int
    omitted: int
    supported: int
    contradicted: int
    invented: int
    reason: str = field(default="", compare=False)

    def share(self, name: Share) -> float | None:
        """A share from 0 to 1; None if it has no meaning, since the answer states no fact."""
        of_reference = self.covered + self.distorted + self.omitted
        of_answer = self.supported + self.contradicted + self.invented
        recall = self.covered / of_reference
        if name == "factual_recall":
            return recall
        if name == "omission_rate":
            return self.omitted / of_reference
        if name == "factual_f1":
            if not of_answer or not self.covered or not self.supported:
                return 0.0
            precision = self.supported / of_answer
            return 2 * precision * recall / (precision + recall)
        if not of_answer:
            return None
        return (self.supported if name == "factual_precision" else self.invented) / of_answer


def grade_without_judge(text: GradedText) -> Grade | None:
    """The grade of an empty answer, which needs no judge: it states nothing. None for any other."""
    return None if text.answer.strip() else Grade(0, 0, 1, 0, 0, 0, "The answer is empty.")


@cache
def grade_question(repeat: int = 0) -> Question[GradedText, Grade]:
    """The question for the facts in an answer.

    Args:
        repeat: 0 for the grade that counts. With any other number, the same prompt is sent once
            more under a key of its own, to measure whether the judge agrees with itself.
    """
    return Question(
        QuestionPrompt(
            purpose=PURPOSE,
            template_id=GRADE_TEMPLATE,
            system=SYSTEM_PROMPT,
            user=GRADE_PROMPT,
            form=GRADE_FORM,
            schema_name=GRADE_SCHEMA,
            list_name="grades",
            properties=GRADE_PROPERTIES,
            fields_of=GradedText.shown,
            items_per_request=ANSWERS_PER_REQUEST,
            tokens_per_item=TOKENS_PER_GRADE,
            covers=(repeat,) if repeat else (),
        ),
        _valid_grade,
        AnswerTable(
            "judge_grades",
            STORED_GRADES,
            lambda key, text, grade: _stored_row(key, text, grade, repeat),
            _stored_grade,
        ),
    )


@cache
def rubric_version() -> str:
    """The version of the rubric: its name, and the start of a hash of its text and form.

    Grades of different versions are never mixed, and a judge is measured for one version.
    """
    return f"{GRADE_TEMPLATE}@{grade_question().prompt.template_sha256()[:12]}"


def text_hash(text: str) -> str:
    """The hash of a text that the judge's tables show."""
    return sha256_of(text)[:_SHOWN_HASH]


def _valid_grade(answer: Mapping[str, Any]) -> Grade | None:
    counts = {name: answer.get(name) for name in COUNTS}
    if not all(map(_is_count, counts.values())):
        return None
    values: dict[str, Any] = counts
    grade = Grade(**values)
    # A reference states something, so a grade that finds no fact in it is no reading of it.
    if not grade.covered + grade.distorted + grade.omitted:
        return None
    return replace(grade, reason=short_reason(answer.get("reason"), MOST_REASON_CHARS))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST_FACTS


def _stored_row(key: str, text: GradedText, grade: Grade | None, repeat: int) -> dict[str, Any]:
    return {
        "grade_key": key,
        "rubric": rubric_version(),
        "source_hash": text_hash(text.source),
        "reference_hash": text_hash(text.reference),
        "answer_hash": text_hash(text.answer),
        "repeat": repeat,
        **{name: getattr(grade, name) if grade else None for name in COUNTS},
        "reason": grade.reason if grade else "",
    }


def _stored_grade(row: Mapping[str, Any]) -> Grade | None:
    if row["covered"] is None:
        return None
    return Grade(**{name: row[name] for name in (*COUNTS, "reason")})
