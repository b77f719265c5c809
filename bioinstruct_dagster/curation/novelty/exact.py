"""The novelty rule `exact`: a row repeats another if instruction and input are equal.

Both texts are normalised first: Unicode NFKC, letter case, white space, and punctuation at the
beginning and the end. The case of a symbol stays, since it carries meaning: Na is sodium and NA
noradrenaline, KRAS a human gene and Kras a mouse gene. An exponent stays one: 10⁶ is not 106.
Rows with different inputs are different rows. If two rows have the same instruction and input but
different outputs, the second is a repeat too, and its verdict says so.

Belongs here: the normalised form, and the rule. Does not: the rule of Self-Instruct (rule), the
verdicts in a store (gate), or the short words (words/exact.yaml).
"""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from bioinstruct_dagster.curation.novelty.rule import NamedInstruction, NoveltyVerdict
from bioinstruct_dagster.curation.word_lists import word_list

# Signs around a text that change nothing in its meaning. Signs such as +, %, < and # are not here.
_QUOTES_AND_BRACKETS = "\"'`´“”„‟‘’‚«»‹›()[]{}「」『』【】《》〈〉〔〕"
_ENDS = ".,;:!?¿¡·。、،؛؟।॥։።།។"
# A point or comma before a text may begin a decimal fraction: ".5 mg" is not "5 mg".
_BEFORE = _QUOTES_AND_BRACKETS + _ENDS.replace(".", "").replace(",", "") + " "
_AFTER = _QUOTES_AND_BRACKETS + _ENDS + " "
# A dash before a digit is a minus, so a bullet needs a space after it.
_BULLET = re.compile(r"[-*•–—] ")
# A raised figure is an exponent after a figure; after a letter (Ca²⁺, m²) it changes nothing.
_EXPONENT = re.compile(r"(?<=[\d)])(?=[⁰¹²³⁴-⁹⁺⁻])(?<![⁰¹²³⁴-⁹⁺⁻])")
_FRACTION = re.compile(r"(?<=\d)(?=[¼-¾⅐-⅞])")  # "1½" is not "11/2"
_WORD = re.compile(r"[^\W_]+")
_ASCII_WORD_WITH_CAPITAL = re.compile(r"[a-z0-9]*[A-Z][A-Za-z0-9]*")
_LETTERS_OF_A_SYMBOL = 4  # a longer word in capitals, such as ASTHMA, is a word
_LETTERS_OF_AN_ELEMENT = 2  # at most; or of a unit, as in "Mg" beside "mg"
_LETTERS_OF_A_SHOUTED_WORD = 5
_MOST_REMEMBERED_WORDS = 50_000
_DIGEST_BYTES = 16


class ExactFilter:
    """The rule over a growing set; candidates come in their order, in portions of any size.

    It holds a digest of each kept row, not its text.

    Args:
        seeds: kept from the start.
    """

    def __init__(self, seeds: Sequence[NamedInstruction]) -> None:
        self._kept: dict[bytes, tuple[str, bytes]] = {}
        for seed in seeds:
            self._kept.setdefault(_task_digest(seed), (seed.id, _output_digest(seed)))

    def check(self, candidates: Sequence[NamedInstruction]) -> list[NoveltyVerdict]:
        """Check candidates in their order; later ones are compared with each novel one too."""
        return [self._check(candidate) for candidate in candidates]

    def _check(self, candidate: NamedInstruction) -> NoveltyVerdict:
        task, output = _task_digest(candidate), _output_digest(candidate)
        nearest, its_output = self._kept.setdefault(task, (candidate.id, output))
        novel = nearest == candidate.id
        return NoveltyVerdict(
            candidate.id,
            novel,
            None if novel else nearest,
            None if novel else 1.0,
            "exact",
            None if novel else its_output != output,
        )


def normalised(text: str) -> str:
    """The form in which two texts are compared."""
    if not text.isascii():
        text = _FRACTION.sub(" ", _EXPONENT.sub("^", text))
        text = unicodedata.normalize("NFKC", text)
    plain = " ".join(_in_small_letters(text).split())
    found = _BULLET.sub("", plain, count=1) if _BULLET.match(plain) else plain
    # A text of such signs alone, as "?", stays as it is.
    return found.lstrip(_BEFORE).rstrip(_AFTER) or plain


def _in_small_letters(text: str) -> str:
    """The text in small letters, apart from its symbols."""
    if text.islower():
        return text.casefold()
    words = _ASCII_WORD_WITH_CAPITAL if text.isascii() else _WORD
    if text.isupper():
        # In a text that is all capitals, case says nothing.
        found = words.findall(text)
        if len(found) > 1 and max(map(len, found)) >= _LETTERS_OF_A_SHOUTED_WORD:
            return text.casefold()
    opening = len(text) - len(text.lstrip(f"{_BEFORE}-*•–—\t\n\r"))
    pieces, end = [], 0
    for word in words.finditer(text):
        if _is_symbol(word.group(), is_first=word.start() == opening):
            pieces += [text[end : word.start()].casefold(), word.group()]
            end = word.end()
    return "".join([*pieces, text[end:].casefold()])


@lru_cache(_MOST_REMEMBERED_WORDS)
def _is_symbol(word: str, *, is_first: bool) -> bool:
    """Whether the case of a word may carry meaning: NA, Na, KRAS, wt beside WT, mM, HbA1c, A.

    Args:
        word: a word of letters and digits.
        is_first: whether the text begins with it, so that a capital may only open the text.
    """
    if not any(map(str.isupper, word)):
        return False
    if len(word) == 1:
        return not is_first
    if any(map(str.isupper, word[1:])):
        letters = sum(map(str.isalpha, word))
        return letters <= _LETTERS_OF_A_SYMBOL or letters < len(word) or not word.isupper()
    return len(word) <= _LETTERS_OF_AN_ELEMENT and word.lower() not in word_list(
        "bioinstruct_dagster.curation.novelty", "exact.yaml", "short_words"
    )


def _task_digest(row: NamedInstruction) -> bytes:
    return _digest(f"{normalised(row.instruction)}\x1f{normalised(row.input)}")


def _output_digest(row: NamedInstruction) -> bytes:
    # Not normalised: outputs are long, and a verdict only mentions whether they differ.
    return _digest(row.output.strip())


def _digest(text: str) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
