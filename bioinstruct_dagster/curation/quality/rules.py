"""The quality rules as data: the settings in `data/quality_rules.yaml`, and reading them.

Belongs here: the settings of the kinds of rule that read any field, and reading the file. Does not:
the settings of all rules (rule_settings) or of rules about outputs (output_rules), how a kind of
rule checks a row (wording, outputs, grounding, arithmetic, domain), or the findings (gate).
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

import pydantic
from pydantic import Field

from bioinstruct_dagster.curation.gates import TEXT_FIELDS
from bioinstruct_dagster.curation.quality.domain_texts import domain_texts
from bioinstruct_dagster.curation.quality.grounding_weights import shipped_weights
from bioinstruct_dagster.curation.quality.output_rules import (
    EchoRule,
    LoopRule,
    MojibakeRule,
    OtherLanguageRule,
    TruncatedRule,
    UnfinishedRule,
)
from bioinstruct_dagster.curation.quality.rule_settings import (
    CheckedSigns,
    LowerWords,
    QualityRule,
)
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.yaml_faults import FieldFaultsError
from bioinstruct_dagster.yaml_files import (
    NonEmptyText,
    StrictModel,
    TextField,
    WordCount,
    read_yaml,
)


class PatternRule(QualityRule):
    """Fires if a field holds a sign outside the parts that the signs of `unless` match.

    Signs have the same form as in the controls: whole words, a star for any ending, or a regular
    expression between slashes.

    Attributes:
        unless: signs of the parts of a field that are not searched.
        asked: signs of the instruction; if given, the rule needs one of them.
        unless_asked: signs of the instruction of a task that may hold a sign of `any`, such as a
            letter in a patient's voice.
        unless_given: signs of the input with which the rule does not fire, such as a finding.
        input_words: a row whose input has more words is not checked.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.pattern_check"
    kind: Literal["pattern"]
    fields: tuple[TextField, ...] = Field(min_length=1)
    any: CheckedSigns = Field(min_length=1)
    unless: CheckedSigns = ()
    asked: CheckedSigns = ()
    unless_asked: CheckedSigns = ()
    unless_given: CheckedSigns = ()
    input_words: WordCount | None = None


class OpeningRule(QualityRule):
    """Fires if a field opens with one of the signs; a repair cuts this opening off.

    A field that is nothing but the opening is left to the rules about lengths.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.opening_check"
    kind: Literal["opening"]
    repaired_fields: ClassVar[tuple[str, ...]] = TEXT_FIELDS
    field: TextField
    any: CheckedSigns = Field(min_length=1)


class LengthRule(QualityRule):
    """Fires if a field has fewer than `least` or more than `most` words.

    Words are counted as the text's script writes them (see tokens.scripts). A text without letters
    and digits has no word.

    Attributes:
        least_imported: in place of `least` for an imported row; None if `least` holds for it too.
        least_asked: in place of `least` for a text that ends with a question mark; None if `least`
            holds for it too.
        least_told: in place of `least` for a text that opens with one of `verbs` and has another
            word than those of `names_nothing`, such as "Define sepsis."; None if `least` holds.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.length_check"
    kind: Literal["length"]
    field: TextField
    least: WordCount | None = None
    least_imported: WordCount | None = None
    least_asked: WordCount | None = None
    least_told: WordCount | None = None
    verbs: LowerWords = ()
    names_nothing: LowerWords = ()
    most: WordCount | None = None

    @pydantic.model_validator(mode="after")
    def _bounds(self) -> "LengthRule":
        if self.least is None and self.most is None:
            raise ValueError("has neither least nor most; add one of them, or both")
        for name in ("least", "least_imported", "least_asked", "least_told"):
            least = getattr(self, name)
            if least is not None and self.least is None:
                raise FieldFaultsError([((name,), "has no effect without `least`; add it")])
            if least is not None and self.most is not None and least > self.most:
                raise FieldFaultsError([((name,), f"must be no more than `most`, {self.most}")])
        return self


class LacksRule(QualityRule):
    """Fires if no word of the fields is in `words`, begins with a stem or ends with an ending.

    A short row may lack such words by chance. If the fields have fewer than `sure_words` words in
    all, the rule fires only if one of the signs is found too.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.lacks_check"
    misses_words: ClassVar[bool] = True
    kind: Literal["lacks"]
    fields: tuple[TextField, ...] = Field(min_length=1)
    stems: LowerWords = Field(min_length=1)
    endings: LowerWords = ()
    words: LowerWords = ()  # whole words, for those too short to be a stem
    sure_words: WordCount = 0
    signs: CheckedSigns = ()


class DomainRule(QualityRule):
    """Fires if the words of the fields belong to other fields than biology, medicine and health.

    Attributes:
        below: the rule fires if the weights of all words sum up to less (see domain).
        most_plain: how much the words that are in no list may count against the row, in all.
        sure_terms: so many different medical words, in sixty different words or fewer, keep the
            rule from firing.
    """

    checked_by: ClassVar[str] = "curation.quality.domain.domain_check"
    misses_words: ClassVar[bool] = True
    kind: Literal["domain"]
    fields: tuple[TextField, ...] = Field(min_length=1)
    below: float = Field(ge=-20, le=0)
    most_plain: float = Field(gt=0, le=100)
    sure_terms: WordCount = Field(ge=1)

    @property
    def version(self) -> str:
        """The hash of the rule's code and settings, and of the texts that it learns from."""
        if self.action == "off":  # then nothing is learned, so the texts may be missing
            return super().version
        return sha256_of([super().version, domain_texts().sha256])[:12]


class MarkerRule(QualityRule):
    """Fires if a field only says that there is no text, as in "N/A"; a repair empties the field.

    Such a marker is one of `whole`. Or it begins with a word of `first`, has a word of `nouns`, and
    has only words of `first`, `nouns` and `rest`. Case, brackets and punctuation are ignored.

    Attributes:
        empty: whether the rule fires on an empty text too, and on a text without words of any
            length, such as marks or counters.
        answers: texts that are an answer if they are written exactly so, such as "Na".
        unless_named: whether a marker that the instruction or the input names is an answer, as in
            "write N/A if no drug is named".
        unless_asked: signs of the instruction of a task whose answer may be a marker.
        unless_sign: signs of the instruction of a task in which a dash or two are a sign with a
            meaning, such as "Interpret the genotype" for "--".
    """

    checked_by: ClassVar[str] = "curation.quality.wording.marker_check"
    kind: Literal["marker"]
    repaired_fields: ClassVar[tuple[str, ...]] = ("input",)
    field: TextField
    whole: LowerWords = Field(min_length=1)
    first: LowerWords = ()
    nouns: LowerWords = ()
    rest: LowerWords = ()
    empty: bool = False
    answers: tuple[NonEmptyText, ...] = ()
    unless_named: bool = False
    unless_asked: CheckedSigns = ()
    unless_sign: CheckedSigns = ()


class RepeatedRule(QualityRule):
    """Fires if a field repeats the text of another field; a repair empties it.

    Attributes:
        unless: signs in the instruction of tasks that may repeat a text.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.repeated_check"
    kind: Literal["repeated"]
    repaired_fields: ClassVar[tuple[str, ...]] = ("input",)
    field: TextField
    of: TextField
    least_words: WordCount = 4
    unless: CheckedSigns = ()

    @pydantic.model_validator(mode="after")
    def _two_fields(self) -> "RepeatedRule":
        if self.of == self.field:
            message = f"must be another field than `field`, {self.field}"
            raise FieldFaultsError([(("of",), message)])
        return self


class UntoldRule(QualityRule):
    """Fires if the output states facts that the instruction asks for and the input does not give.

    Each condition below applies only if its list is given. Questions in the input are ignored.

    Attributes:
        asked: signs in the instruction that it asks for such facts.
        told: signs in the output that it states such facts.
        given: signs in the input that it gives such facts; the rule then does not fire.
        unless: signs in the instruction or the output that keep the rule from firing.
        about: the input must hold one of these signs.
        each: each sentence of the input must hold one of these signs.
        mere: signs that are removed from the input before the search for `given`.
        most_words: an input with more words is not checked.
    """

    checked_by: ClassVar[str] = "curation.quality.wording.untold_check"
    misses_words: ClassVar[bool] = True
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
    """Fires if the input only names the source that the task needs (see grounding).

    Attributes:
        most_words: an input with more words is never read as a name alone.
        least_score: a row with this score of the learned judge or more is ungrounded; None if
            only the written forms are to find such rows.
        works: sources that have a title, such as an article.
        records: sources that hold a person's data, such as a report.
        norms: works that are public knowledge, such as a guideline. Their name is enough unless a
            sign of `norm_says` is found.
        data_sets: labels of the name of a data set.
        recordings: records if they belong to a person, otherwise a kind of test, such as an X-ray.
        particulars: nouns for data of a person, such as a medical history.
        holders: nouns for that person, as in "patient's medical history".
        titles: labels of a title, besides the works.
        links: words beside a link that add no content.
        asides: labels of a part that says nothing about the source, beside its name.
        tells: verbs that introduce the topic of a work, not its content.
        texts: nouns for a sentence with such a verb, if the instruction asks for no results.
        results: signs in the instruction that it asks for results.
        points: words before the one source or thing that the instruction means, as in "a given".
        fillers: words that add nothing to the kind of a thing, as in "a procedure that is needed".
        reads: signs in the instruction that it needs the content of a source.
        subjects: signs that a kind of source is the subject, if no sign of `reads` is found.
        titles_do: signs that a title is enough, if no sign of `reads` is found.
        spares: signs that a name is enough, whatever other signs are found.
        norm_says: signs in the instruction that it asks what a norm says.
        explains: signs that the task explains or lists what is known about a kind of source.
        plans: signs that the task plans work on a source.
        processes: signs that the task works on a text or on data.
        at_hand: other signs that a text or data should be there.
        things: signs that the task is about a thing of which the name is enough.
        writes_list: signs that the task writes a list.
        given_list: signs that the task is about a given list.
        on_person: signs that the task uses a person's data, even if it writes something.
        replies: signs that the task replies to a letter or message.
    """

    checked_by: ClassVar[str] = "curation.quality.grounding.check.ungrounded_check"
    misses_words: ClassVar[bool] = True
    kind: Literal["ungrounded"]
    most_words: WordCount = 60
    least_score: float | None = Field(None, ge=-20, le=20)
    works: LowerWords = Field(min_length=1)
    records: LowerWords = Field(min_length=1)
    recordings: LowerWords = ()
    norms: LowerWords = ()
    data_sets: LowerWords = ()
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
    norm_says: CheckedSigns = ()
    explains: CheckedSigns = ()
    plans: CheckedSigns = ()
    processes: CheckedSigns = ()
    at_hand: CheckedSigns = ()
    things: CheckedSigns = ()
    writes_list: CheckedSigns = ()
    given_list: CheckedSigns = ()
    on_person: CheckedSigns = ()
    replies: CheckedSigns = ()

    @property
    def version(self) -> str:
        """The hash of the rule's code and settings, and of what its judge has learned."""
        if self.action == "off" or self.least_score is None:
            return super().version
        return sha256_of([super().version, shipped_weights().sha256])[:12]


class ArithmeticRule(QualityRule):
    """Fires if a figure of the output differs from the one computed from the row (arithmetic)."""

    checked_by: ClassVar[str] = "curation.quality.arithmetic.check.arithmetic_check"
    kind: Literal["arithmetic"]
    checks: tuple[Literal["doses", "bmi", "percentages", "conversions", "sums"], ...] = Field(
        min_length=1
    )
    tolerance: float = Field(0.02, ge=0, le=0.5)


class LlmRule(QualityRule):
    """Fires if the teacher objects to the row (see llm_checks); if `off`, no teacher is asked."""

    checked_by: ClassVar[str] = "curation.quality.llm_checks.teacher_findings"
    kind: Literal["llm"]
    says: Literal["ungrounded", "incorrect"]
    rows: Literal["all"] = "all"


AnyRule = Annotated[
    PatternRule
    | LengthRule
    | LacksRule
    | DomainRule
    | MarkerRule
    | RepeatedRule
    | OpeningRule
    | TruncatedRule
    | UnfinishedRule
    | EchoRule
    | LoopRule
    | MojibakeRule
    | OtherLanguageRule
    | UntoldRule
    | UngroundedRule
    | ArithmeticRule
    | LlmRule,
    Field(discriminator="kind"),
]


class RulesFile(StrictModel):
    """A valid file of rules."""

    rules: tuple[AnyRule, ...] = Field(min_length=1)


class QualityRulesError(StatedError):
    """The rules file is malformed; the message lists every fault with line, rule and setting."""


def read_rules(path: Path) -> tuple[QualityRule, ...]:
    """Read and check a rules file.

    Raises:
        QualityRulesError: lists every fault with file, line, rule, setting and what to do.
    """
    return read_yaml(path, RulesFile, QualityRulesError, setting="BIOINSTRUCT_QUALITY_RULES").rules
