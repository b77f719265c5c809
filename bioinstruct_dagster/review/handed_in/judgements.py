"""A judgement: what a reviewer says about one row, in the words of the page, the CSV and the store.

Belongs here: the fields, their words, and what is a fault in them. Does not: reading files
(filled_files), or what several judgements of a row come to (row_reviews).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from bioinstruct_dagster.review.handed_in.judged_times import TimeFaultError, judged_time
from bioinstruct_dagster.review.population import TEXTS, row_id_of
from bioinstruct_dagster.seeds.tasks import CATEGORIES

DECISIONS = ("accept", "reject", "unsure")
# Why a row is rejected, with the words of the page.
REASONS: Mapping[str, str] = {
    "wrong_answer": "answer is wrong or not supported",
    "not_answerable": "task can't be done: input is missing or does not fit",
    "off_topic": "not biomedical",
    "repeated": "repeats the compared text",
    "identifier": "identifies a person",
    "unclear": "badly written or unclear",
    "unsafe": "harmful advice",
    "other": "another reason (write a comment)",
}
# The columns of a filled-in file. The first three are needed.
FIELDS = (
    "item_id", "reviewer", "decision", "category", "reason", "comment", "judged_at",
    "changed_after_verdict",
)  # fmt: skip
NEEDED_FIELDS = FIELDS[:3]
MOST_COMMENT = 2_000  # characters
_REVIEWER = re.compile(r"\w[\w .'-]{0,39}")
# As spreadsheets write them in English, German, French, Spanish, Italian, Portuguese and Dutch.
_FALSE = {"", "0", "false", "falsch", "faux", "falso", "onwaar"}
_TRUE = {"1", "true", "wahr", "vrai", "verdadero", "vero", "verdadeiro", "waar"}


class JudgementFaultError(ValueError):
    """A field of a judgement has a fault.

    Attributes:
        field: the name of the field.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class RowJudgement:
    """What one reviewer says about one row.

    Attributes:
        item_id: the row with its texts, as the page names it.
        reviewer: a name or initials. If the category is used, the data set shows it.
        decision: accept | reject | unsure.
        category: one of the four; None if the reviewer named none.
        reason: a key of `REASONS` if the row is rejected; else None.
        comment: in the reviewer's words; may be empty.
        judged_at: when; None if the file does not say.
        changed_after_verdict: the reviewer changed the judgement after the page had shown what the
            gates decided.
        place: file and line that the judgement stands in.
        texts: of the row, as far as the file shows them, by column. They are only compared.
    """

    item_id: str
    reviewer: str
    decision: str
    category: str | None
    reason: str | None
    comment: str
    judged_at: datetime | None
    changed_after_verdict: bool
    place: str
    texts: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def row_id(self) -> str:
        """The row that it is about."""
        return row_id_of(self.item_id)

    @property
    def key(self) -> tuple[str, str]:
        """Who judged which item: of equal ones only one counts."""
        return self.reviewer, self.item_id

    @property
    def file(self) -> str:
        """The name of the file that it stands in."""
        return self.place.rpartition(", ")[0]

    @property
    def line(self) -> str:
        """Where in the file it stands, such as `line 7`."""
        return self.place.rpartition(", ")[2]

    def same_as(self, other: "RowJudgement") -> bool:
        """Whether both say the same about the row, wherever they stand."""
        names = ("item_id", "decision", "category", "reason", "comment")
        return all(getattr(self, name) == getattr(other, name) for name in names)


def judgement_of(fields: Mapping[str, Any], place: str) -> RowJudgement:
    """The judgement that the fields of one record hold.

    Words may be in any case, and blanks or hyphens may stand for underscores.

    Raises:
        JudgementFaultError: names the first field with a fault, and says what it may hold.
    """
    text = {name: _text_of(fields, name) for name in FIELDS}
    if not row_id_of(text["item_id"]):
        raise JudgementFaultError(
            "item_id", f"{text['item_id'][:40]!r} is no id of a row; copy it from the review page"
        )
    if not _REVIEWER.fullmatch(text["reviewer"]):
        raise JudgementFaultError(
            "reviewer",
            f"{text['reviewer'][:40]!r} is no name; write a name or initials of 1 to 40 letters, "
            "digits, blanks, dots and hyphens",
        )
    decision = _word(text, "decision", DECISIONS)
    if decision is None:
        raise JudgementFaultError("decision", f"it is empty; write {_listed(DECISIONS)}")
    reason = _word(text, "reason", tuple(REASONS))
    if decision == "reject" and reason is None:
        raise JudgementFaultError(
            "reason", f"a rejected row needs a reason; write {_listed(tuple(REASONS))}"
        )
    if decision != "reject" and reason is not None:
        raise JudgementFaultError(
            "reason", f"the decision is {decision}, so it must be empty; or write reject"
        )
    if len(text["comment"]) > MOST_COMMENT:
        raise JudgementFaultError("comment", f"it is longer than {MOST_COMMENT:,} characters")
    changed = text["changed_after_verdict"].lower()
    if changed not in _TRUE | _FALSE:
        raise JudgementFaultError("changed_after_verdict", "it must be true, false or empty")
    return RowJudgement(
        text["item_id"],
        text["reviewer"],
        decision,
        _word(text, "category", CATEGORIES),
        reason,
        text["comment"],
        _time(text["judged_at"]),
        changed in _TRUE,
        place,
        _shown_texts(fields),
    )


def _shown_texts(fields: Mapping[str, Any]) -> dict[str, str]:
    """The texts in the record; none if it has no such column or all are empty."""
    found = {name: fields[name] for name in TEXTS if isinstance(fields.get(name), str)}
    return found if any(text.strip() for text in found.values()) else {}


def _text_of(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if isinstance(value, bool):
        return str(value).lower()
    if value is not None and not isinstance(value, str):
        raise JudgementFaultError(name, "it must be text")
    text = (value or "").strip()
    # The mark that keeps a spreadsheet from taking a text for a formula.
    return text[1:] if re.match(r"'[=+\-@\t]", text) else text


def _word(text: Mapping[str, str], name: str, words: tuple[str, ...]) -> str | None:
    word = re.sub(r"[\s-]+", "_", text[name].lower())
    if word and word not in words:
        raise JudgementFaultError(name, f"{text[name][:40]!r} is unknown; write {_listed(words)}")
    return word or None


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _time(text: str) -> datetime | None:
    try:
        found = judged_time(text)
    except TimeFaultError as error:
        raise JudgementFaultError("judged_at", str(error)) from None
    # A time of today without a zone may be up to half a day ahead of UTC.
    if found is not None and found > datetime.now(UTC) + timedelta(days=1):
        raise JudgementFaultError(
            "judged_at", f"{text[:40]!r} is in the future; mend it, or leave the field empty"
        )
    return found
