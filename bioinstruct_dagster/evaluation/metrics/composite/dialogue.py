"""The clauses of a source: in a dialogue, a question and its answer say one thing together.

"Any fever? No." denies the fever, "Any fever? Yes." affirms it. Belongs here: turns of speech and
answers. Does not: clauses of a sentence (clauses).
"""

import re
from dataclasses import replace

from bioinstruct_dagster.evaluation.metrics.composite.clauses import Clause, clauses_of
from bioinstruct_dagster.evaluation.metrics.composite.lists import phrases_in
from bioinstruct_dagster.evaluation.metrics.composite.tokens import sentences_of

_SPEAKER = re.compile(r"(?:^|(?<=[\s.?!]))[A-Z][A-Za-z]{2,15}(?:_[A-Za-z]{2,15}| [A-Z0-9])?\s?:")
ANSWER_WORDS = 6  # a plain yes or no stands among the first words of an answer


def source_clauses(text: str) -> list[Clause]:
    """The clauses of a dialogue, or of any other text."""
    made: list[Clause] = []
    asked: list[Clause] = []
    for turn in _SPEAKER.split(text):
        if not turn.strip():
            continue
        answer = _answer(turn)
        made += [replace(one, negated=answer == "no", certain=bool(answer)) for one in asked]
        said = clauses_of(turn)
        made += [clause for clause in said if not clause.question]
        asked = [clause for clause in said if clause.question]
    return made + [replace(one, certain=False) for one in asked]


def _answer(turn: str) -> str:
    """The word "yes" or "no", or "" if the turn does not begin with a plain answer."""
    sentences = sentences_of(turn)
    first = sentences[0][:ANSWER_WORDS] if sentences else []
    for at in range(len(first)):
        for name in ("no", "yes"):
            cues = phrases_in("cues", f"{name}_answers")
            if (first[at],) in cues or tuple(first[at : at + 2]) in cues:
                return name
    return ""
