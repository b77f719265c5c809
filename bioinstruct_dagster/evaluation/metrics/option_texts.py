"""Which options an answer names by their words.

Belongs here: texts of options in an answer, and negations before them. Does not: letters
(evaluation.metrics.reading).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from unicodedata import category

# Words, and signs that change what a text says: `> 50 %` is not `50 %`, nor `↑` `↓`.
_WORD = re.compile(r"[^\W_]+(?:[.,'’][^\W_]+)*|[^\w\s]")
# An amount whose unit follows without a blank, such as `50mg`. `5HT` and `2a` are none.
_AMOUNT = re.compile(
    r"(?<![\w.,])(\d[\d.,]*)"
    r"(mg|g|kg|[µμu]g|mcg|ng|pg|ml|l|dl|cl|[µμ]l|mmol|[µμn]mol|mol|meq|iu|mm|cm|mmhg|kpa|hz|khz|gy|sv"
    r"|kcal|kj|bpm|h|hrs?|hours?|mins?|minutes?|days?|weeks?|months?|years?)(?!\w)",
    re.IGNORECASE,
)
_TRADE_MARKS = frozenset("®™©")
_SENTENCE_END = re.compile(r"[.!?;:\n]")
# Words that are options and also stand in sentences that say something else.
_SHORT_ANSWERS = frozenset({"yes", "no", "maybe", "true", "false"})
# After a leading `no`, these go on with a sentence. Other words make it a part of the sentence, as
# in `No difference was found, which supports the claim`.
_AFTER_NO = frozenset(
    [
        "it",
        "there",
        "they",
        "the",
        "this",
        "these",
        "that",
        "those",
        "because",
        "since",
        "as",
        "not",
        "we",
        "he",
        "she",
        "i",
        "but",
        "although",
        "though",
        "however",
        "based",
        "according",
    ]
)
_NEGATIONS = frozenset(
    [
        "not",
        "never",
        "neither",
        "nor",
        "without",
        "cannot",
        "isn't",
        "aren't",
        "wasn't",
        "doesn't",
        "don't",
        "didn't",
        "can't",
        "couldn't",
        "excluding",
        "except",
        "unlike",
        "incorrect",
        "wrong",
    ]
)
_NEGATING_PAIRS = frozenset({("rather", "than"), ("instead", "of"), ("ruled", "out")})
_NEGATED_AFTER = frozenset(
    {
        "not",
        "incorrect",
        "wrong",
        "false",
        "unlikely",
        "excluded",
        "contraindicated",
        "avoided",
        "ruled",
    }
)
_WRONG = frozenset({"incorrect", "wrong"})
_NO_AND_A_PAUSE = re.compile(r"\W*no\s*[,.:;!–—-]", re.IGNORECASE)
_NUMBERED = re.compile(r"\.[^\S\n]*\d")  # No. 5
_LINKS = frozenset({"or", "and", "/"})
_CUE_NOUNS = frozenset({"answer", "option", "choice", "label", "verdict", "conclusion"})
_CUE_VERBS = frozenset({"is", "was", "be", "=", "would", "should", "must", "probably", "likely"})
_SPEAKING = frozenset(
    ["think", "would", "believe", "choose", "am", "do", "don't", "cannot", "can't", "guess", "say"]
)
_NEAR = 3  # words before an option in which a negation counts


@dataclass(frozen=True)
class Named:
    """The options that an answer names, and whether it names some only to deny them."""

    places: tuple[int, ...] = ()
    negated: bool = False


@dataclass(frozen=True)
class _Found:
    """An option's words in an answer: the first word's place, and the place after the last."""

    option: int
    start: int
    end: int


def named_by_text(text: str, options: Sequence[str], *, whole: bool = False) -> Named:
    """The options whose words stand in the answer.

    Options that the answer states (`The answer is ...`) count before one that it begins with, and
    this one before all that it mentions. A word such as `no` is never a mere mention.

    Args:
        text: the answer, as `plain_text` of evaluation.metrics.reading gives it.
        options: their texts.
        whole: count an option only if the text is nothing else.
    """
    words = words_of(_spaced(text))
    if not words:
        return Named()
    texts = [words_of(_spaced(option)) for option in options]
    if whole:
        same = [place for place, option in enumerate(texts) if option == words]
        return Named(tuple(same))
    found = _without_parts(_occurrences(words, texts))
    found = [each for each in found if not _is_speaker(words, each)]
    pause = _NO_AND_A_PAUSE.match(text) is not None
    denied = [each for each in found if _is_negated(words, each, pause=pause)]
    found = [each for each in found if each not in denied]
    stated = [each for each in found if _is_stated(words, each.start)]
    if final := [each for each in stated if "final" in words[max(0, each.start - 4) : each.start]]:
        stated = final
    leading = [each for each in found if each.start == 0 and _may_lead(words, each, text)]
    mentioned = [each for each in found if not _is_short(words, each)]
    chosen = next((group for group in (stated, leading, mentioned) if group), [])
    chosen = chosen + [other for each in chosen for other in found if _linked(words, each, other)]
    places = tuple(dict.fromkeys(each.option for each in chosen))
    if len({tuple(texts[place]) for place in places}) == 1 and len(places) > 1:
        # Options that differ in case or punctuation only, such as `mg` and `Mg`.
        places = tuple(place for place in places if options[place].strip() in text) or places
    return Named(places, negated=bool(denied))


def _spaced(text: str) -> str:
    """The text with a blank between amounts and units."""
    return _AMOUNT.sub(r"\1 \2", text)


def words_of(text: str) -> list[str]:
    """The words and signs of a text, in small letters, without its punctuation."""
    found = _WORD.findall(text.casefold())
    return [word.strip(".,").replace("’", "'") for word in found if _counts(word)]


def _counts(word: str) -> bool:
    """Whether a word, or a sign that is no punctuation: `%`, `<`, `±`, `$`, an arrow."""
    return (
        len(word) > 1
        or word.isalnum()
        or word in "%#/-"
        or (category(word) in {"Sm", "Sc", "So"} and word not in _TRADE_MARKS)
    )


def _occurrences(words: Sequence[str], texts: Sequence[Sequence[str]]) -> list[_Found]:
    return [
        _Found(option, start, start + len(text))
        for option, text in enumerate(texts)
        if text
        for start in range(len(words) - len(text) + 1)
        if list(words[start : start + len(text)]) == list(text)
    ]


def _without_parts(found: Sequence[_Found]) -> list[_Found]:
    """Without options that are a part of a longer one there: `pneumonia` in `viral pneumonia`."""
    return [
        each
        for each in found
        if not any(
            other.start <= each.start
            and each.end <= other.end
            and other.end - other.start > each.end - each.start
            for other in found
        )
    ]


def _is_speaker(words: Sequence[str], each: _Found) -> bool:
    """Whether an option named by the roman one is the pronoun of "I think"."""
    return words[each.start : each.end] == ["i"] and bool(
        _SPEAKING & set(words[each.end : each.end + 1])
    )


def _is_short(words: Sequence[str], each: _Found) -> bool:
    return each.end - each.start == 1 and words[each.start] in _SHORT_ANSWERS


def _is_negated(words: Sequence[str], each: _Found, *, pause: bool) -> bool:
    before = list(words[max(0, each.start - _NEAR) : each.start])
    if _NEGATIONS & set(before) or ("no" in before and "no" not in words[each.start : each.end]):
        # `No, entailment` denies nothing; `No contradiction` does.
        return not (before == ["no"] and each.start == 1 and pause)
    if any(pair in _NEGATING_PAIRS for pair in pairwise(before)):
        return True
    after = words[each.end : each.end + 3]
    return bool(after) and (
        after[0] in _WRONG
        or (
            after[0] in {"is", "are", "was", "should", "must", "can"}
            and bool(_NEGATED_AFTER & set(after[1:]))
        )
    )


def _is_stated(words: Sequence[str], start: int) -> bool:
    """Whether `answer is`, `answer:` or the like stands before a word."""
    place = start - 1
    while place >= 0 and words[place] in _CUE_VERBS | {"the", "a", "an", "most", "final"}:
        place -= 1
    return place >= 0 and words[place] in _CUE_NOUNS and start - place <= 5  # noqa: PLR2004


def _may_lead(words: Sequence[str], each: _Found, text: str) -> bool:
    """Whether the option that an answer begins with is the answer."""
    if not _is_short(words, each) or words[each.start] != "no" or each.end == len(words):
        return True
    rest = text.casefold().lstrip(" \"'([{").removeprefix("no").lstrip("\"')]}")
    if _NUMBERED.match(rest):
        return False
    return not rest[:1].isspace() or rest[:1] == "\n" or words[each.end] in _AFTER_NO


def _linked(words: Sequence[str], each: _Found, other: _Found) -> bool:
    """Whether another option follows at once, as in `yes or no`."""
    between = words[each.end : other.start]
    return (
        other.start >= each.end
        and other.option != each.option
        and (len(between) == 0 or (len(between) == 1 and between[0] in _LINKS))
    )
