"""Says signs in words, for a person who reads why a row was rejected.

Belongs here: the sentence for each kind of sign. Does not: the signs (signs) or their weights
(grounding_weights). Kinds without a sentence, such as a pair of classes, are left out.
"""

from collections.abc import Iterable

MOST_TEXTS = 3
SENTENCES = {
    "verb": 'the task begins with "{}"',
    "task word": 'the task says "{}"',
    "task word, empty input": 'the input is empty, and the task says "{}"',
    "points at": 'the task points at the "{}"',
    "pointed noun": "the task points at a material, and the input {}",
    "input word": 'the input says "{}"',
    "first word": 'the input begins with "{}"',
    "input class": "the input has a word of the class {}",
    "new figures": "the output has figures that the row does not give",
    "new decimals": "the output has decimals that the row does not give",
    "new words": "the output has words that the row does not give",
    "share of new words": "the output has words that the row does not give",
    "share of input words": "the output repeats little of the input",
    "output word": 'the output says "{}"',
}
NEGATIVE = frozenset({"0", "False"})  # values of counts that say the opposite
POINTED = {"repeats": "names it again", "lacks": "does not name it"}
UNCOUNTED = frozenset({"new figures", "new decimals", "new words", "share of new words"})


def sign_texts(signs: Iterable[tuple[str, str]]) -> list[str]:
    """The first signs that have a sentence, each sentence once.

    Args:
        signs: kind and value of each, the strongest first.
    """
    found: dict[str, None] = {}
    for kind, value in signs:
        sentence = SENTENCES.get(kind)
        if sentence is None or (kind in UNCOUNTED and value in NEGATIVE):
            continue
        shown = POINTED[value.partition(",")[0]] if kind == "pointed noun" else value
        found[sentence.format(shown)] = None
        if len(found) == MOST_TEXTS:
            break
    return list(found)
