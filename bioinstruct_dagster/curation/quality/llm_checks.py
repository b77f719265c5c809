"""The teacher's word on quality: whether a row's input suffices, and whether its output is right.

Optional: asked only where a rule of the kind `llm` is not off. What a teacher said of a row is
stored and never asked again. Belongs here: the prompt, reading its answer, keeping it, and the
findings made of it. Does not: the rules that need no teacher (quality).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from bioinstruct_dagster.curation.gates import Finding, RowTexts
from bioinstruct_dagster.curation.quality.rules import LlmRule, QualityRule
from bioinstruct_dagster.curation.quality.wording import shown
from bioinstruct_dagster.store.database import Store, insert
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.teacher.questions import ask_in_batches, objects_listed
from bioinstruct_dagster.teacher.requests import ReplyFormat, TeacherRequest
from bioinstruct_dagster.teacher.rounds import Endpoint, Tally, Terms

# Rows per request: long enough texts that more would be checked carelessly.
BATCH = 10
TOKENS_PER_CHECK = 90
MOST_REASON = 200  # characters of a teacher's reason that are kept

TEMPLATE_ID = "quality/1"
SYSTEM = "You check biomedical instruction data as a careful clinician. You answer with JSON only."
ANSWER = """

Answer in this form, with every number once:
{"checks": [{"number": 1, "grounded": true, "correct": true, "reason": "..."}]}"""
USER = """\
Check each numbered row below, which holds an instruction, its input (may be empty) and an output.

- grounded: false where the task needs a text, record, report, article, picture or data set that \
the input only names or links to, so that the output had to be invented. A topic, a term, a \
question or a short but sufficient description is grounded, and so is an empty input where the \
instruction says all that is needed.
- correct: false where the output is wrong in fact or figures, contradicts the input, or does not \
do what the instruction asks. Check by established medical knowledge; where you are unsure, say \
true.
- reason: at most fifteen words; empty where both are true.

Rows, one JSON object a line:
{items}"""

# The rehearsal teacher knows such a request by this format's name.
RESPONSE_FORMAT: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "quality_checks",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {
                "checks": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "number": {"type": "integer"},
                            "grounded": {"type": "boolean"},
                            "correct": {"type": "boolean"},
                            "reason": {"type": "string"},
                        },
                        "required": ["number", "grounded", "correct", "reason"],
                        "additionalProperties": False,
                    },
                }
            },
            "required": ["checks"],
            "additionalProperties": False,
        },
    },
}
RESPONSE_FORMATS: dict[ReplyFormat, dict[str, Any] | None] = {
    "json_schema": RESPONSE_FORMAT,
    "json_object": {"type": "json_object"},
    "text": None,
}

STORED_CHECKS = """
    select check_key, grounded, correct, reason, completion_id, completion.rehearsal
    from quality_checks
    join completions as completion using (completion_id)
    where check_key in (select unnest($wanted::varchar[]))
"""


@dataclass(frozen=True, slots=True)
class TeacherCheck:
    """What a teacher said of one row.

    Both answers are None where it was asked and gave no valid one: asking again in another batch
    would pay again.
    """

    grounded: bool | None
    correct: bool | None
    reason: str
    completion_id: str
    rehearsal: bool = False


def asked_for(rules: Sequence[QualityRule]) -> bool:
    """Whether any rule needs the teacher's word."""
    return any(isinstance(rule, LlmRule) and rule.action != "off" for rule in rules)


def findings_of(check: TeacherCheck, rules: Sequence[QualityRule]) -> tuple[Finding, ...]:
    """What the rules that need the teacher's word make of it; nothing where it has no objection."""
    said = {"ungrounded": check.grounded, "incorrect": check.correct}
    findings = []
    for rule in rules:
        if not isinstance(rule, LlmRule) or said[rule.says] is not False:
            continue
        verdict = _verdict(rule)
        if verdict is not None:
            evidence: dict[str, Any] = {
                "saw": shown(check.reason),
                "completion_id": check.completion_id,
                **({"rehearsal": True} if check.rehearsal else {}),
            }
            findings.append(Finding(rule.id, rule.version, verdict, evidence=evidence))
    return tuple(findings)


def _verdict(rule: LlmRule) -> Literal["reject", "flag"] | None:
    return rule.action if rule.action in {"reject", "flag"} else None


@cache
def template_sha256(reply_format: ReplyFormat = "json_schema") -> str:
    """Hash of all that the prompt is made of."""
    answer = "" if reply_format == "json_schema" else ANSWER
    return sha256_of([TEMPLATE_ID, SYSTEM, USER, answer, RESPONSE_FORMATS[reply_format]])


def check_key(task: RowTexts, teacher: str, model: str) -> str:
    """Under what a teacher's word is stored, so that no row is checked twice."""
    return sha256_of([teacher, model, template_sha256(), *task])


def check_requests(
    tasks: Sequence[RowTexts],
    *,
    teacher: str,
    model: str,
    reply_format: ReplyFormat = "json_schema",
) -> Iterator[tuple[TeacherRequest, Sequence[RowTexts]]]:
    """Requests that cover the rows, each with those it asks about, in its numbering."""
    form = RESPONSE_FORMATS[reply_format]
    answer = "" if reply_format == "json_schema" else ANSWER
    for start in range(0, len(tasks), BATCH):
        batch = tasks[start : start + BATCH]
        items = "\n".join(
            json.dumps({"number": number, **task._asdict()}, ensure_ascii=False)
            for number, task in enumerate(batch, start=1)
        )
        request = TeacherRequest(
            purpose="quality_check",
            teacher=teacher,
            model=model,
            parameters={
                "temperature": 0.0,
                "max_completion_tokens": TOKENS_PER_CHECK * (len(batch) + 1),
                **({"response_format": form} if form else {}),
            },
            messages=[
                {"role": "system", "content": SYSTEM},
                # Not `format`: rows hold braces.
                {"role": "user", "content": USER.replace("{items}", items) + answer},
            ],
            template_id=TEMPLATE_ID,
            template_sha256=template_sha256(reply_format),
            reply_format=reply_format,
        )
        yield request, batch


def read_checks(content: str, batch: Sequence[RowTexts]) -> dict[RowTexts, tuple[bool, bool, str]]:
    """Grounded, correct and reason by row, where the reply has a valid one.

    A row answered twice is answered where both say the same; prose and fences around the JSON are
    passed over.
    """
    found: dict[RowTexts, tuple[bool, bool, str]] = {}
    contradicted: set[RowTexts] = set()
    for check in objects_listed(content, "checks") or []:
        number, grounded, correct = (check.get(key) for key in ("number", "grounded", "correct"))
        if type(number) is not int or not 1 <= number <= len(batch):
            continue
        if not isinstance(grounded, bool) or not isinstance(correct, bool):
            continue
        task = batch[number - 1]
        if task in found and found[task][:2] != (grounded, correct):
            contradicted.add(task)
        reason = check.get("reason")
        kept = " ".join(reason.split())[:MOST_REASON] if isinstance(reason, str) else ""
        found.setdefault(task, (grounded, correct, kept))
    return {task: said for task, said in found.items() if task not in contradicted}


def is_check_list(content: str) -> bool:
    """Whether a reply has the form that was asked for, were the list empty."""
    return objects_listed(content, "checks") is not None


def stored_checks(
    tasks: Sequence[RowTexts], store: Store, *, teacher: str, model: str
) -> dict[RowTexts, TeacherCheck]:
    """What this teacher said of each row that it was asked about before."""
    task_of = {check_key(task, teacher, model): task for task in tasks}
    return {
        task_of[row["check_key"]]: TeacherCheck(
            row["grounded"],
            row["correct"],
            row["reason"],
            row["completion_id"],
            rehearsal=row["rehearsal"],
        )
        for row in store.rows(STORED_CHECKS, {"wanted": list(task_of)})
    }


def ask_checks(
    tasks: Sequence[RowTexts],
    endpoint: Endpoint,
    store: Store,
    *,
    teacher: str,
    model: str,
    log: Callable[[str], None],
    terms: Terms | None = None,
) -> Tally:
    """Ask the teacher about every row that it has not checked, and store what it says.

    Raises:
        TeacherError, BudgetError, StoreBusyError: see teacher.ask.
    """
    wanted = list(dict.fromkeys(tasks))
    known = stored_checks(wanted, store, teacher=teacher, model=model)
    missing = [task for task in wanted if task not in known]
    form = terms.dialect.reply_format if terms else "json_schema"
    batches = list(check_requests(missing, teacher=teacher, model=model, reply_format=form))
    tally, answered = ask_in_batches(
        batches, endpoint, store, is_well_formed=is_check_list, log=log, terms=terms
    )
    checks = []
    for batch, reply in answered:
        given = read_checks(reply["content"], batch)
        for task in batch:
            grounded, correct, reason = given.get(task, (None, None, ""))
            checks.append(
                {
                    "check_key": check_key(task, teacher, model),
                    "grounded": grounded,
                    "correct": correct,
                    "reason": reason,
                    "teacher": teacher,
                    "model": model,
                    "completion_id": reply["completion_id"],
                }
            )
    with store.write() as connection:
        insert(connection, "quality_checks", checks)
    return tally
