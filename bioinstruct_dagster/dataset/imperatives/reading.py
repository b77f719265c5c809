"""Root verb and object of an instruction, by word lists.

Belongs here: which sentence counts, and the answer for one instruction. Does not: a language model
(parsing), or counting the answers (diversity).
"""

from typing import NamedTuple

from bioinstruct_dagster.dataset.imperatives.clauses import verb_of
from bioinstruct_dagster.dataset.imperatives.objects import object_after
from bioinstruct_dagster.dataset.imperatives.words_of import sentences, verbs


class Imperative(NamedTuple):
    """What an instruction asks for.

    Attributes:
        verb: the root verb, as in a dictionary; empty if none is found, as in a question.
        object: the head noun of its direct object, in the singular; empty if it has none.
    """

    verb: str
    object: str


def read_imperative(instruction: str) -> Imperative:
    """The root verb and the object of an instruction, of its first sentence that has a verb.

    Of two joined verbs the first counts, of two joined objects too. An object that is a clause or a
    pronoun has no head noun. A sentence such as `Imagine a ward.` counts only if no other sentence
    has a verb.

    Args:
        instruction: in English.
    """
    scene = Imperative("", "")
    for sentence in sentences(instruction):
        found = verb_of(sentence)
        if not found:
            continue
        place = found.place + 1 if found.subject is None else found.subject
        read = Imperative(found.verb, object_after(sentence, place))
        if found.verb not in verbs("preparing"):
            return read
        scene = scene if scene.verb else read
    return scene
