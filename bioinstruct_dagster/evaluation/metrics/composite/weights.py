"""The numbers of the composite that are choices, each with its reason.

None is fitted to the last digit: docs/benchmarks.md shows the figures when they are chosen on some
dialogues and measured on others. Belongs here: these numbers. Does not: the words (the YAML files).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CompositeWeights:
    """The choices.

    Attributes:
        error: the score is divided by 1 + this times the number of errors. One error takes a sixth
            of the score, five take half.
        word: how many errors an everyday word is that occurs nowhere. It is mostly another wording.
            A number, finding, medicine, side, owner, sex or negation that is wrong is one error.
        beyond: the same for words of the source that the reference does not have. The source has
            the words, but may say something else with them.
        clause_power: a clause whose concepts weigh w is w to this power facts. Concepts of a clause
            qualify each other, so the number of facts lies between one a clause (0) and one a
            concept (1).
        other_owner: credit for a finding that is right but of another person.
        parts_only: credit for a finding of which only the parts are said, such as "pain" and
            "abdomen", which may be two findings.
        side: how many concepts the side of a part of the body counts as.
        length_allowed: how many words a summary may have for each word of the reference before the
            score falls as 1 / length.
        words_allowed: words on top of these: about one sentence, because a reference such as
            "None." is often answered by a sentence.
        copied: the part of the score that a summary loses if all of it is copied from the source.
            To put a conversation into a note is half of the task.
        copied_run: from how many words on a run that stands in the source is copied. Shorter runs
            are phrases that a note shares with what was said.
    """

    error: float = 0.2
    word: float = 0.3
    beyond: float = 0.1
    clause_power: float = 0.5
    other_owner: float = 0.5
    parts_only: float = 0.8
    side: float = 0.5
    length_allowed: float = 1.5
    words_allowed: int = 15
    copied: float = 0.5
    copied_run: int = 10


DEFAULT_WEIGHTS = CompositeWeights()
