"""How a task's answers are scored: the field `scoring` of a task's YAML file.

Belongs here: the declaration. Does not: asking a model (evaluation.tasks), or computing a score
(evaluation.metrics).
"""

import re
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from bioinstruct_dagster.yaml_faults import FieldFaultsError
from bioinstruct_dagster.yaml_files import StrictModel

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of options, by the places where a prompt lists them


class ChoiceScoring(StrictModel):
    """The answer is one of several options.

    Attributes:
        options: how options are measured. `letters`: the prompt lists them, and the letter is the
            answer. `texts`: the option's text is the answer.
        labels: for items without options of their own, the options of all items in their order:
            the value in the data, and the word that is shown and scored.
        orders: in how many orders, permuted by seed, the options of an item are shown.
        max_new_tokens: of a generated answer.
    """

    kind: Literal["choice"]
    options: Literal["letters", "texts"] = "letters"
    labels: dict[str, str] = Field(default_factory=dict)
    orders: Annotated[int, Field(ge=1, le=24)] = 1
    max_new_tokens: Annotated[int, Field(ge=1, le=4_096)] = 16

    @pydantic.field_validator("labels")
    @classmethod
    def _check_words(cls, labels: dict[str, str]) -> dict[str, str]:
        """Two options with the same word could not be told apart, in a prompt or in an answer."""
        first: dict[str, str] = {}
        FieldFaultsError.refuse(
            ((label,), f"has the word {word!r}, as {before!r} has; give each label its own word")
            for label, word in labels.items()
            if (before := first.setdefault(" ".join(word.split()), label)) != label
        )
        return labels


def plain_label(label: str) -> str:
    """A label of spans in the form in which answers name it: without case, `_` and marks."""
    return re.sub(r"[\s_]+", " ", label.casefold()).strip(" \"'*:=.()[]")


class SpanScoring(StrictModel):
    """The answer is a list of spans of the text, each with a label.

    Attributes:
        labels: of spans, in the order of reports. One label: the spans have no classes.
        max_new_tokens: of a generated answer.
    """

    kind: Literal["spans"]
    labels: tuple[str, ...] = Field(min_length=1)
    max_new_tokens: Annotated[int, Field(ge=1, le=4_096)] = 128

    @pydantic.field_validator("labels")
    @classmethod
    def _check_labels(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        """Labels that an answer can't tell apart are one label."""
        plain = list(map(plain_label, labels))
        FieldFaultsError.refuse(
            ((at,), f"is the label {labels[plain.index(one)]!r} again; keep one")
            for at, one in enumerate(plain)
            if plain.index(one) < at
        )
        return labels


class TextScoring(StrictModel):
    """The answer is free text that is compared with a reference.

    Attributes:
        composite: whether the judge-free composite, made for notes of conversations, is computed.
        max_new_tokens: of a generated answer.
    """

    kind: Literal["text"]
    composite: bool = False
    max_new_tokens: Annotated[int, Field(ge=1, le=4_096)] = 256


Scoring = Annotated[ChoiceScoring | SpanScoring | TextScoring, Field(discriminator="kind")]
