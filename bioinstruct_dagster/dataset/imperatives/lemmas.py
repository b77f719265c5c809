"""The base forms of nouns and verbs.

Belongs here: singulars, with the irregular plurals of medicine, and the verbs behind participles.
Does not: which word of a sentence is the noun or the verb (clauses, objects).
"""

from functools import cache

from bioinstruct_dagster.curation.word_lists import word_texts
from bioinstruct_dagster.dataset.imperatives.words_of import nouns, verbs

_SINGULAR_ENDINGS = ("ss", "us", "is", "itis", "osis", "ics")
# Endings of plurals, the first that fits counts, and what stands in their place.
_PLURAL_ENDINGS = {
    "ies": "y", "ches": "ch", "shes": "sh", "sses": "ss", "xes": "x", "zzes": "zz",
    "oses": "osis", "yses": "ysis", "oes": "o", "s": "",
}  # fmt: skip
_SHORT = 3  # letters: gas, his
_IRREGULAR_VERBS = {
    "given": "give", "written": "write", "made": "make", "found": "find", "shown": "show",
    "chosen": "choose", "drawn": "draw", "built": "build", "told": "tell", "read": "read",
}  # fmt: skip


@cache
def singular(noun: str) -> str:
    """The singular of a noun in small letters; a compound with hyphens by its last word."""
    noun = noun.strip("'-.").removesuffix("'s").strip("'-.")
    first, hyphen, last = noun.rpartition("-")
    return f"{first}{hyphen}{_singular(last)}"


def _singular(noun: str) -> str:
    irregular = word_texts(__package__ or "", "nouns.yaml", "irregular")
    if noun in irregular:
        return irregular[noun]
    if noun in nouns("singular") or len(noun) <= _SHORT or noun.endswith(_SINGULAR_ENDINGS):
        return noun
    ending = next((one for one in _PLURAL_ENDINGS if noun.endswith(one)), "")
    return noun.removesuffix(ending) + _PLURAL_ENDINGS.get(ending, "")


def is_plural(noun: str) -> bool:
    """Whether the noun has another singular."""
    return singular(noun) != noun


@cache
def is_verb(word: str) -> bool:
    """Whether the word is the base form of a verb of the lists."""
    return word in verbs("tasks") or word in verbs("nouns_too")


@cache
def base_verb(word: str) -> str:
    """The verb of a base form, participle or gerund, in American spelling; empty if unknown."""
    forms = [word, _IRREGULAR_VERBS.get(word, "")]
    for ending in ("ed", "ing"):
        if word.endswith(ending):
            stem = word.removesuffix(ending)
            forms += [f"{stem}e", stem]
            if stem[-1:] == stem[-2:-1]:
                forms.append(stem[:-1])
            if stem.endswith("i"):
                forms.append(f"{stem[:-1]}y")
    found = next((form for form in forms if is_verb(form)), "")
    american = f"{found[:-3]}ize" if found.endswith("ise") else found.replace("yse", "yze")
    return american if is_verb(american) else found
