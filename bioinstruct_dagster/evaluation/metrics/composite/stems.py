"""Stems of English words: forms of the same word get the same stem.

Belongs here: the endings that are cut. Does not: words of different origin that mean the same
(concepts).
"""

from functools import lru_cache

# Longest first. The inflections and derivations of English that notes use. A cut leaves at least
# `LEAST` letters, so that short words keep their ending.
ENDINGS = (
    "ations", "ically", "nesses", "ation", "ingly", "iness", "ities", "ments", "ional", "ness",
    "ment", "ical", "ally", "edly", "ious", "ions", "ings", "iers", "ity", "ies", "ied", "ier",
    "ing", "ion", "ely", "ers", "ous", "ive", "al", "ly", "er", "ed", "es", "ic", "ia", "e", "s",
    "y",
)  # fmt: skip
LEAST = 4
REMEMBERED = 100_000  # words; the words of a language come again and again
DOUBLED = frozenset("bdgmnprt")  # doubled before -ed and -ing, as in "stopped"


@lru_cache(maxsize=REMEMBERED)
def stem(word: str) -> str:
    """The stem of a word in small letters. A word with a digit stays as it is."""
    if not word.isalpha() or len(word) <= LEAST - 1:
        return word
    if len(word) == LEAST:
        return word[:-1] if word.endswith("s") and not word.endswith("ss") else word
    if word.endswith(("ss", "us", "is", "several")):
        return word
    for ending in ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= LEAST - (ending in _INFLECTIONS):
            cut = word[: -len(ending)]
            if ending in _INFLECTIONS and cut[-1] == cut[-2] in DOUBLED:
                cut = cut[:-1]
            return cut
    return word


_INFLECTIONS = frozenset({"ing", "ed", "es", "s", "er", "ers", "ings", "e"})
