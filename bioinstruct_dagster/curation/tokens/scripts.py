"""How many words a text has in any script, and whether its letters are Latin.

A script with spaces has about one word between two spaces. The words of a script without spaces can
only be estimated from its characters. Therefore a count of words is two numbers: the fewest and the
most words that the text plausibly has. A text is too short only if `most` is too few, and too long
only if `fewest` is too many.

Belongs here: facts about scripts. Does not: tokens that are compared (vocabulary), or the rules
that count words (curation.quality).
"""

import re
from functools import lru_cache
from typing import NamedTuple

_HAN = (
    "\u3005-\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U000323af"
)
# With phonetic extensions and kana supplements.
_KANA = "\u3041-\u30ff\u31f0-\u31ff\U0001aff0-\U0001b16f"
# Thai and Lao, Khmer, Myanmar with its extensions.
_INDOCHINESE = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\ua9e0-\ua9ff\uaa60-\uaa7f"
# All scripts that are written without spaces, as the inside of a character class.
SPACELESS_SCRIPTS = f"{_INDOCHINESE}{_HAN}{_KANA}"

# Characters of such a script in a word, at most and at least. Segmented corpora of Chinese have a
# mean of about 1.6, of Thai about 4 letters besides marks; these bounds lie on both sides.
_CHARACTERS_PER_WORD = (
    (re.compile(f"[{_HAN}]"), 2, 1),
    (re.compile(f"[{_KANA}]"), 4, 1),
    (re.compile(rf"(?=\w)[{_INDOCHINESE}]"), 6, 2),
)
_SPACELESS = re.compile(f"[{SPACELESS_SCRIPTS}]")
# Between two spaces, Korean writes a noun with its particles, and Tibetan several syllables.
_HANGUL_WORD = re.compile("[\u1100-\u11ff\u3130-\u318f\uac00-\ud7af]{2,}")
_TIBETAN_SYLLABLE = re.compile("[\u0f40-\u0fbc]+")
# Languages without articles say with three words what English says with four: "Как лечить астму?".
_ENGLISH_PER_WORD = (4, 3)
_REMEMBERED_TEXTS = 16  # several rules ask about each text of a row
_LATIN = "A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_LATIN_LETTER = re.compile(f"[{_LATIN}]")
# Signs that are no letters of a script: "C₈H₁₀", "№", "Ⅳ", "①", and the letters of formulas.
LETTERLIKE = "\u2070-\u24ff\U0001d400-\U0001d7ff"
_LETTER = re.compile(rf"[^\W\d_{LETTERLIKE}]")
_WORD = re.compile(rf"[{SPACELESS_SCRIPTS}]|[^\W\d_{SPACELESS_SCRIPTS}]+")


class WordCount(NamedTuple):
    """How many words a text plausibly has. Both numbers are equal for a text in Latin letters."""

    fewest: int
    most: int


@lru_cache(_REMEMBERED_TEXTS)
def count_words(text: str) -> WordCount:
    """The number of words, counted as the text's scripts write them."""
    if text.isascii():
        count = len(text.split())
        return WordCount(count, count)
    fewest = most = 0
    found = [(len(one.findall(text)), up_to, least) for one, up_to, least in _CHARACTERS_PER_WORD]
    for characters, up_to, least in found:
        fewest += -(-characters // up_to)
        most += -(-characters // least)
    if fewest:
        parts = _SPACELESS.sub(" ", text).split()
        spaced = [part for part in parts if any(map(str.isalnum, part))]
    else:
        spaced = text.split()
    syllables = len(_TIBETAN_SYLLABLE.findall(text))
    hangul = sum(_HANGUL_WORD.search(word) is not None for word in spaced)
    other = sum(not (word.isascii() or _is_latin(word)) for word in spaced) - hangul
    more, of = _ENGLISH_PER_WORD
    added = hangul - (-other * (more - of) // of)
    return WordCount(
        max(fewest + len(spaced), -(-syllables // 2)),
        max(most + len(spaced) + max(0, added), syllables),
    )


@lru_cache(_REMEMBERED_TEXTS)
def is_latin(text: str) -> bool:
    """Whether at least half of the letters and half of the words are Latin.

    True for a text without letters. In a script without spaces, each character counts as a word.
    """
    return text.isascii() or _is_latin(text)


def _is_latin(text: str) -> bool:
    latin = len(_LATIN_LETTER.findall(text))
    if 2 * latin < len(_LETTER.findall(text)):
        return False
    words = _WORD.findall(text)
    return 2 * sum(_LATIN_LETTER.search(word) is not None for word in words) >= len(words)
