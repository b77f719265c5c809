"""The quality rules as data: what `data/quality_rules.yaml` may say, and reading it.

Belongs here: each kind's settings, their checks, and the version of a rule. Does not: what a kind
looks for in a row (wording, grounding, arithmetic), or the findings made of it (gate).
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import BeforeValidator, Field, StringConstraints

from bioinstruct_dagster.curation.versions import code_sha256
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.signs import checked_sign
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.yaml_faults import FieldFaultsError
from bioinstruct_dagster.yaml_files import (
    Identifier,
    NonEmptyText,
    StrictModel,
    TextField,
    WordCount,
    read_yaml,
)

ACTIONS = ("reject", "repair", "flag", "off")

RuleAction = Literal["reject", "repair", "flag", "off"]
LowerWord = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1)]
LowerWords = tuple[LowerWord, ...]


def _action_name(action: object) -> object:
    # YAML reads a bare `off` as false.
    return "off" if action is False else action


CheckedSign = Annotated[NonEmptyText, pydantic.AfterValidator(checked_sign)]
CheckedSigns = tuple[CheckedSign, ...]


class QualityRule(StrictModel):
    """What all rules say of themselves.

    `checked_by` names the function whose code decides what rules of a kind find.
    """

    checked_by: ClassVar[str]
    repairs: ClassVar[bool] = False  # whether this kind knows a better text

    id: Identifier
    what: NonEmptyText
    why: NonEmptyText
    action: Annotated[RuleAction, BeforeValidator(_action_name)]

    @property
    def version(self) -> str:
        """Hash of the rule's settings and of the code of its kind; not of the words for readers."""
        said = self.model_dump(mode="json", exclude={"what", "why"})
        return sha256_of([code_sha256(self.checked_by), said])[:12]

    @pydantic.model_validator(mode="after")
    def _can_do(self) -> "QualityRule":
        if self.action == "repair" and not (
            self.repairs and getattr(self, "field", None) == "input"
        ):
            said = (
                "only an input can be repaired, by a rule of the kind marker or repeated; "
                "say reject, flag or off"
            )
            raise FieldFaultsError([(("action",), said)])
        return self


class PatternRule(QualityRule):
    """Fires where a sign is found in a field, outside of what the signs of `unless` match.

    Signs are those of the controls: whole words, a star for any ending, or a regular expression
    between slashes. `input_words` is the most words of input with which the rule still looks.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.pattern_check"
    kind: Literal["pattern"]
    fields: tuple[TextField, ...] = Field(min_length=1)
    any: CheckedSigns = Field(min_length=1)
    unless: CheckedSigns = ()
    input_words: WordCount | None = None


class LengthRule(QualityRule):
    """Fires where a field has fewer or more words than it may have."""

    checked_by: ClassVar[str] = "curation.quality.wording.length_check"
    kind: Literal["length"]
    field: TextField
    least: WordCount | None = None
    most: WordCount | None = None

    @pydantic.model_validator(mode="after")
    def _bounds(self) -> "LengthRule":
        if self.least is None and self.most is None:
            raise ValueError("has neither least nor most; add one of them, or both")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise FieldFaultsError([(("least",), f"must be no more than `most`, {self.most}")])
        return self


class LacksRule(QualityRule):
    """Fires where no word of any of the fields is known, nor begins or ends as a known one.

    A short row may lack them by chance: of fewer than `sure_words` words in all, one of the signs
    must be found as well.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.lacks_check"
    kind: Literal["lacks"]
    fields: tuple[TextField, ...] = Field(min_length=1)
    stems: LowerWords = Field(min_length=1)
    endings: LowerWords = ()
    words: LowerWords = ()  # whole words, for those too short to be a stem
    sure_words: WordCount = 0
    signs: CheckedSigns = ()


class MarkerRule(QualityRule):
    """Fires where a field says nothing but that there is nothing; a repair empties it.

    A marker is one of `whole`; or begins with one of `first` and holds nothing but those of `rest`,
    `nouns` and `first`, at least one of `nouns` among them. Case, brackets and punctuation do not
    count.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.marker_check"
    kind: Literal["marker"]
    repairs: ClassVar[bool] = True
    field: TextField
    whole: LowerWords = Field(min_length=1)
    first: LowerWords = ()
    nouns: LowerWords = ()
    rest: LowerWords = ()
    empty: bool = False  # whether an empty text is one as well


class RepeatedRule(QualityRule):
    """Fires where a field is another one's text again; a repair empties it.

    Attributes:
        begins: whether it is enough that the field begins with the other one.
        unless: signs in the instruction with which the same text may be right.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.repeated_check"
    kind: Literal["repeated"]
    repairs: ClassVar[bool] = True
    field: TextField
    of: TextField
    least_words: WordCount = 4
    begins: bool = False
    unless: CheckedSigns = ()


class TruncatedRule(QualityRule):
    """Fires where a field ends in a word or sign after which more must come."""

    checked_by: ClassVar[str] = "curation.quality.wording.truncated_check"
    kind: Literal["truncated"]
    field: TextField
    least_words: WordCount = 5
    dangling: LowerWords = Field(min_length=1)


class UntoldRule(QualityRule):
    """Fires where the output tells what the instruction asks for, and the input does not.

    A list that is left out asks for nothing. A question in the input is passed over.

    Attributes:
        asked: signs in the instruction that it is asked for.
        told: signs in the output that it is there.
        given: signs in the input that it is there, and the rule does not fire.
        unless: signs in the instruction or the output with which the rule does not fire.
        about: signs of which the input must hold one.
        each: signs of which each sentence of the input must hold one.
        mere: what is passed over when the input is searched for `given`.
        most_words: a longer input is not looked at.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.untold_check"
    kind: Literal["untold"]
    asked: CheckedSigns = Field(min_length=1)
    told: CheckedSigns = Field(min_length=1)
    given: CheckedSigns = Field(min_length=1)
    unless: CheckedSigns = ()
    about: CheckedSigns = ()
    each: CheckedSigns = ()
    mere: CheckedSigns = ()
    most_words: WordCount = 250


class UngroundedRule(QualityRule):
    """Fires where the input only names what the task is about (see grounding).

    Attributes:
        most_words: a longer input is never taken for a mere name.
        works: what has a title, such as an article.
        records: what holds somebody's data, such as a report.
        recordings: what is a record only as somebody's, and else a kind of test, such as an X-ray.
        particulars: what names data only as somebody's, such as a medical history.
        holders: whose, as in "patient's medical history".
        titles: labels of a title, besides the works.
        links: words beside a bare link that add nothing to it.
        asides: labels of what says nothing of the source, beside its name.
        tells: verbs after which comes what a work is about, not what it says.
        texts: what a sentence with such a verb is itself, where no results are asked of it.
        results: signs in the instruction that results are asked for.
        points: words after which the instruction speaks of one source or thing, as in "a given".
        fillers: words that make a mere kind of thing no thing: "a procedure that is needed".
        reads: signs in the instruction that the content of a source is wanted.
        subjects: signs that a kind of source is the subject, unless `reads` says otherwise.
        titles_do: signs that a title is enough, unless `reads` says otherwise.
        spares: signs that a name is enough, whatever else the instruction says.
    """

    checked_by: ClassVar[str] = "curation.quality.grounding.ungrounded_check"
    kind: Literal["ungrounded"]
    most_words: WordCount = 60
    works: LowerWords = Field(min_length=1)
    records: LowerWords = Field(min_length=1)
    recordings: LowerWords = ()
    particulars: LowerWords = ()
    holders: LowerWords = ()
    titles: LowerWords = ()
    links: LowerWords = ()
    asides: LowerWords = ()
    tells: LowerWords = ()
    texts: LowerWords = ()
    results: CheckedSigns = ()
    points: LowerWords = ()
    fillers: LowerWords = ()
    reads: CheckedSigns = Field(min_length=1)
    subjects: CheckedSigns = ()
    titles_do: CheckedSigns = ()
    spares: CheckedSigns = ()


class ArithmeticRule(QualityRule):
    """Fires where a figure that can be computed from the row is another one (see dosing)."""

    checked_by: ClassVar[str] = "curation.quality.arithmetic.check.arithmetic_check"
    kind: Literal["arithmetic"]
    checks: tuple[Literal["doses", "bmi", "percentages", "conversions", "sums"], ...] = Field(
        min_length=1
    )
    tolerance: float = Field(0.02, ge=0, le=0.5)


class LlmRule(QualityRule):
    """Fires where the teacher was asked and says so (see llm_checks); `off`: it is not asked."""

    checked_by: ClassVar[str] = "curation.quality.llm_checks.findings_of"
    kind: Literal["llm"]
    says: Literal["ungrounded", "incorrect"]


AnyRule = Annotated[
    PatternRule
    | LengthRule
    | LacksRule
    | MarkerRule
    | RepeatedRule
    | TruncatedRule
    | UntoldRule
    | UngroundedRule
    | ArithmeticRule
    | LlmRule,
    Field(discriminator="kind"),
]


class RulesFile(StrictModel):
    """A checked rules file."""

    rules: tuple[AnyRule, ...] = Field(min_length=1)


class QualityRulesError(StatedError):
    """The rules file is malformed; the message lists every fault with line, rule and setting."""


def read_rules(path: Path) -> tuple[QualityRule, ...]:
    """Read and check a rules file.

    Raises:
        QualityRulesError: lists every fault with file, line, rule, setting and what to do.
    """
    return read_yaml(path, RulesFile, QualityRulesError, setting="BIOINSTRUCT_QUALITY_RULES").rules
