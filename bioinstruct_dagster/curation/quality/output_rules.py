"""The settings of the rules about how a reply went wrong: loops, echoes, endings, encodings,
languages.

Belongs here: these settings. Does not: how such a rule checks a row (the folder outputs), the
settings of rules that search any field for signs (rules), or of all rules (rule_settings).
"""

from typing import ClassVar, Literal

from pydantic import Field

from bioinstruct_dagster.curation.quality.rule_settings import (
    CheckedSigns,
    LowerWords,
    QualityRule,
)
from bioinstruct_dagster.yaml_files import TextField, WordCount


class TruncatedRule(QualityRule):
    """Fires if a field ends with a word or sign that cannot be the end of a text."""

    checked_by: ClassVar[str] = "curation.quality.outputs.endings.truncated_check"
    kind: Literal["truncated"]
    field: TextField
    least_words: WordCount = 5
    dangling: LowerWords = Field(min_length=1)


class UnfinishedRule(QualityRule):
    """Fires if the sentences of a field end with punctuation, but the last one does not.

    Attributes:
        least_words: a field with fewer words is not checked.
        least_sentences: so many sentences before the last one must end with punctuation.
        closings: signs in the last two lines that end a text without punctuation, such as the
            greeting of a letter.
    """

    checked_by: ClassVar[str] = "curation.quality.outputs.endings.unfinished_check"
    kind: Literal["unfinished"]
    field: TextField
    least_words: WordCount = 40
    least_sentences: WordCount = 2
    closings: CheckedSigns = ()


class EchoRule(QualityRule):
    """Fires if a field begins with the text of another field; a repair cuts this text off.

    If nothing remains, the repair empties the field.

    Attributes:
        of: the field whose text is repeated.
        then: a field whose text is cut off too, if it follows.
        least_words: a text with fewer words is no echo, unless it ends with punctuation.
        labels: words before the repeated text, such as "question". They are cut off if a colon
            follows.
        answers: such words before the answer, which follows the repeated text.
        unless: signs in the instruction of tasks that may repeat a text.
    """

    checked_by: ClassVar[str] = "curation.quality.outputs.echoes.echo_check"
    repaired_fields: ClassVar[tuple[str, ...]] = ("output",)
    kind: Literal["echo"]
    field: Literal["output"]
    of: Literal["instruction", "input"]
    then: Literal["instruction", "input"] | None = None
    least_words: WordCount = 4
    labels: LowerWords = ()
    answers: LowerWords = ()
    unless: CheckedSigns = ()


class LoopRule(QualityRule):
    """Fires if a field repeats sentences, lines, phrases, words or characters without end.

    Attributes:
        values: words that a list of results may repeat many times, such as "normal".
        times: words beside a number that make a sentence part of a schedule, such as "day".
        sequences: signs anywhere in the row of a task about sequences of letters, such as DNA.
        letters: the signs of these in which one small letter may be repeated, as in a poly-A tail.
        unless: signs in the instruction of tasks that may repeat a text.
    """

    checked_by: ClassVar[str] = "curation.quality.outputs.loops.loop_check"
    kind: Literal["loop"]
    field: TextField
    values: LowerWords = ()
    times: LowerWords = ()
    sequences: CheckedSigns = ()
    letters: CheckedSigns = ()
    unless: CheckedSigns = ()


class MojibakeRule(QualityRule):
    """Fires if a field holds characters of a text that was read in a wrong encoding.

    Attributes:
        unless: signs in the instruction of tasks about such characters.
    """

    checked_by: ClassVar[str] = "curation.quality.outputs.mojibake.mojibake_check"
    kind: Literal["mojibake"]
    fields: tuple[TextField, ...] = Field(min_length=1)
    unless: CheckedSigns = ()


class OtherLanguageRule(QualityRule):
    """Fires if a task and its input are in English and the output is in another language.

    Attributes:
        unless: signs in the instruction or the input of tasks in which another language is meant.
    """

    checked_by: ClassVar[str] = "curation.quality.outputs.other_language.other_language_check"
    kind: Literal["other_language"]
    field: Literal["output"] = "output"
    unless: CheckedSigns = ()
