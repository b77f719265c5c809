"""Which option a generated answer names: by its letter, by its text, or not to be told.

An answer is read only if it names one option. Harnesses that take the first or the last letter of
an answer score `The answer is B because a car moves.` as A (lm-evaluation-harness, pull request
4188), `Answer seems to be A` as S (openbench, issue 348), and `ANSWER: **B**` as no answer
(Inspect, issue 5055). So a letter counts where the words around it say that it is an answer.

Belongs here: reading. Does not: right or wrong (evaluation.metrics.choices), or lists of spans
(evaluation.metrics.span_lists).
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bioinstruct_dagster.eval_sets.scoring import LETTERS
from bioinstruct_dagster.evaluation.metrics.option_texts import Named, named_by_text
from bioinstruct_dagster.evaluation.metrics.spoken_answers import (
    as_answered,
    correction,
    first_clause,
    with_labels,
)

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_CHAT_TOKEN = re.compile(r"<\|[^|<>\n]{1,30}\|>|</?s>|\[/?INST\]")
_LONGEST = 4_000  # characters of an answer that are read: its first and its last half of them
_TAG = re.compile(r"</?\s*(?:final_)?answer\s*>", re.IGNORECASE)
_LATEX = re.compile(r"\\(?:boxed|text|textbf|mathrm|mathbf)\s*\{([^{}]*)\}")
# Marks of Markdown and LaTeX where they stand as such. `HLA-B*27`, `> 50 %`, `$5` and `#5` keep
# theirs: there they are a part of the text.
_MARKUP = re.compile(
    r"`|\\[()\[\]]|(?<!\w)[*_]+|[*_]+(?!\w)|\$(?!\s*\d)|^[ \t]*#+(?!\d)|[ \t]#+[ \t]*$"
    r"|^[ \t]*(?:>[ \t]*)+(?=[^\s\d>])",
    re.MULTILINE,
)
# A model that does not stop goes on with the next question of its own.
_NEXT_QUESTION = re.compile(
    r"\n\s*(?:#+\s*)?(?:next\s+)?(?:question|instruction|input|passage|abstract|q)\s*\d*\s*[:.]",
    re.IGNORECASE,
)
_PREFACE = re.compile(
    r"\s*(?:(?:assistant|response|output|model|ai)\s*:\s*"
    r"|(?:sure|certainly|of course|absolutely|okay|ok|alright|great question|good question)\b"
    r"[^\n.:!,]{0,80}[.:!,]\s*)+",
    re.IGNORECASE,
)
# What may follow a letter that is an answer. `B cell`, `E. coli` and `A man` are none.
_REASON = (
    r"(?:because|since|as|due|for|which|is|are|was|and|but|or|based|given|would|seems|in\s+this)\b"
)
_OPENING = r"[\s\"'“‘(\[{<]*"
_SURELY = (
    r"(?:(?:therefore|thus|probably|likely|most likely|clearly|definitely|option|choice|letter"
    r"|answer)[\s:,]+)*"
)
_BE = (
    r"(?:\s*(?:is|was|would be|should be|must be|seems to be|appears to be|[=-]+>|→|=|:|-)+(?!\w)"
    r"\s*)"
)
_NOUN = r"(?:answer|option|choice|letter)(?:\s+(?:option|choice|letter))?"
_CUES = (
    # the answer is B; Answer: B; {"answer": "B"}
    (
        rf"(?P<cue>\b(?:final\s+|correct\s+|best\s+|right\s+)*{_NOUN}"
        rf"(?:\s+(?:here|to\s+(?:this|the)\s+question))?[\"']?{_BE}){_SURELY}"
    ),
    # I would choose B; we go with option B
    (
        r"(?P<cue>\b(?:choose|chose|pick|select|go with|going with|opt for)\s+)"
        r"(?:(?:option|choice|letter|answer)\s+)?"
    ),
)
_CORRECT = re.compile(
    r"(?P<cue>\b)(?:option\s+|choice\s+|answer\s+)?[(\[\"']*(?P<letter>[A-Z])[)\]\"'.]*"
    r"\s+(?:is|was|would be)\s+"
    r"(?:the\s+)?(?:most\s+likely\s+)?(?:final\s+)?(?:correct|right|best|answer)",
)
_MENTION = re.compile(
    r"(?P<cue>\b(?:option|choice|answer|letter|it's|it is|therefore|thus|hence|so|say|guess|think)"
    r"[\s,:]+|[(\[])[(\[\"']*(?P<letter>[A-Z])(?![\w'’-])"
)
_NEGATION_BEFORE = re.compile(
    r"(?:\bnot|n't|\bnever|\bneither|\bnor|\bwrong|\bincorrect|\brather than|\binstead of|\bexcept"
    r"|\bunlike|\beliminate|\bexclude|\brules? out|\bruled out|\bruling out|\bthan)"
    r"(?:\s+(?:the|an?|be|option|choice|answer|letter))*[\s(\[\"']*$",
    re.IGNORECASE,
)
_NEGATION_AFTER = re.compile(
    r"[)\]\"'.:,]*\s*(?:(?:is|are|was|can|could|would)\s*(?:not|n't|never)|isn't|aren't|can't|cannot"
    r"|(?:(?:is|are|was)\s+(?:the\s+|an?\s+)?)?(?:incorrect|wrong|false)\b"
    r"|(?:is|are|was)\s+(?:excluded|ruled out|unlikely|contraindicated))",
    re.IGNORECASE,
)
_ANOTHER = re.compile(
    rf"[)\]\"'.]*\s*(?:,\s*(?:and|or)\b|,|/|&|\+|\band\b|\bor\b){_OPENING}([A-Z])(?![\w'’-])"
)
_FOLLOWED = re.compile(rf"(?:\s*(?:$|\n)|\s*[)\]}}\"'”’>.,;:!–—]|\s+-\s|\s+\(|\s+{_REASON})")
_ABBREVIATED = re.compile(r"\.\s*[a-z]")  # E. coli, or the text of an option in small letters
_LIST_LINE = re.compile(r"^\s*[-•]?\s*[(\[]?([A-Z])[)\].:]\s+\S.*$", re.MULTILINE)
_ONLY_LETTER = re.compile(r"[\s\"'(\[{<]*([A-Za-z])[\s\"')\]}>.,!]*")


@dataclass(frozen=True)
class Reading:
    """What an answer names.

    Attributes:
        place: of the option among those shown; None if the answer could not be read.
        how: how it was read (`letter`, `text`), or why it could not be: `empty`, `several`,
            `negated`, `contradiction` (a letter with another option's text), `none`.
    """

    place: int | None
    how: str


def read_choice(answer: str, options: Sequence[str], *, lettered: bool) -> Reading:
    """The option that a generated answer names.

    Args:
        answer: the text that the model wrote.
        options: the texts of the options, in the order in which the prompt showed them.
        lettered: whether the prompt asked for a letter.
    """
    answer = _THOUGHT.sub(" ", answer)
    if len(answer) > _LONGEST:  # a model that repeats itself; reading costs the length's square
        answer = f"{answer[: _LONGEST // 2]}\n{answer[-_LONGEST // 2 :]}"
    whole = _named_by_whole(answer, options, lettered=lettered)
    text = plain_text(answer)
    if whole.places or not text:
        return _reading("text", whole) if whole.places else Reading(None, "empty")
    options = [plain_width(option) for option in options]
    text = as_answered(text, options)
    if not text:
        return Reading(None, "negated")
    return _read_plain(text, options, lettered=lettered)


def _read_plain(text: str, options: Sequence[str], *, lettered: bool) -> Reading:
    """The option that a text names, if it is not one option as it stands."""
    letters = _Letters(LETTERS[: len(options)], options) if lettered else None
    corrected = correction(text, options)
    if corrected and (last := _read_correction(corrected, options, letters)).place is not None:
        return last
    by_text = _named_by_text(text, options)
    if letters is None:
        return _reading("text", by_text)
    named = letters.named_in(text)
    if not named.places:
        if by_text.places:
            return _reading("text", by_text)
        return _reading("letter", letters.mentioned_in(text), named, by_text)
    reading = _reading("letter", named)
    if reading.place is not None and letters.contradicted(text, reading.place):
        return Reading(None, "contradiction")
    return reading


def _named_by_text(text: str, options: Sequence[str]) -> Named:
    """The options that an answer names by their words, or else by other forms of labels."""
    named = named_by_text(text, options)
    if not named.places and (other := with_labels(text, options)) and other != text:
        return named_by_text(other, options)
    return named


def _read_correction(text: str, options: Sequence[str], letters: "_Letters | None") -> Reading:
    """The option that is all that a correction says. `Actually, A is used too` corrects nothing."""
    if letters:
        by_letter = _reading("letter", letters.named_in(text))
        if by_letter.place is not None and not letters.contradicted(text, by_letter.place):
            return by_letter
    return _reading("text", named_by_text(first_clause(text), options, whole=True))


def plain_text(answer: str) -> str:
    """An answer without thoughts, tags, LaTeX, Markdown, and the questions that follow it."""
    text = plain_width(answer)
    text = _CHAT_TOKEN.sub(" ", _THOUGHT.sub(" ", text))
    text = _TAG.sub(lambda tag: "\n" if tag.group().startswith("</") else "\nAnswer: ", text)
    while (inner := _LATEX.sub(r"\1", text)) != text:  # \boxed{\text{B}}
        text = inner
    text = _MARKUP.sub("", text).strip()
    later = _NEXT_QUESTION.search(text)
    if later and later.start() > 0:
        text = text[: later.start()]
    preface = _PREFACE.match(text)
    if preface and preface.end() < len(text):
        text = text[preface.end() :]
    return text.strip()


def plain_width(text: str) -> str:
    """A text with plain forms of full-width letters, blanks and ligatures.

    Powers, indices and fractions stay: `10³` is not `103`.
    """
    if text.isascii():  # nothing to change, and most answers are such
        return text
    return "".join(
        each
        if unicodedata.decomposition(each).startswith(("<super>", "<sub>", "<fraction>"))
        else unicodedata.normalize("NFKC", each)
        for each in unicodedata.normalize("NFC", text)
    )


def _named_by_whole(answer: str, options: Sequence[str], *, lettered: bool) -> Named:
    """The options that are the whole answer: as they stand, else without marks, else in any case.

    A bare letter that is the letter of one option and the text of another names both.
    """
    for form in (_blanks, _bare, _folded):
        given = form(answer)
        texts = [form(option) for option in options]
        places = {place for place, text in enumerate(texts) if given and text == given}
        if places:
            letter = given.strip("\"'.")
            if lettered and len(letter) == 1 and letter.upper() in LETTERS[: len(options)]:
                places.add(LETTERS.index(letter.upper()))
            return Named(tuple(sorted(places)))
        if lettered and given in LETTERS[: len(options)] and len(given) == 1:
            return Named((LETTERS.index(given),))
    return Named()


def _blanks(text: str) -> str:
    return " ".join(text.split())


def _bare(text: str) -> str:
    """Without the marks around it and the period behind it, and in plain widths."""
    return _blanks(plain_text(text)).strip("\"'“”‘’").rstrip(".").rstrip("\"'”’ ")


def _folded(text: str) -> str:
    """Also without regard to case, powers and indices."""
    return unicodedata.normalize("NFKC", _bare(text)).casefold()


def _reading(how: str, named: Named, *denied: Named) -> Reading:
    """The one option that is named. `denied` may say why there is none."""
    places = set(named.places)
    if len(places) == 1:
        return Reading(places.pop(), how)
    if places:
        return Reading(None, "several")
    return Reading(None, "negated" if any(each.negated for each in (named, *denied)) else "none")


class _Letters:
    """Letters as answers, for one list of options."""

    def __init__(self, letters: str, options: Sequence[str]) -> None:
        self._letters = letters
        self._options = options
        known = f"(?P<letter>[{letters}{letters.lower()}])"
        after = r"(?![\w'’])(?!-\w)"
        self._stated = [
            re.compile(rf"{cue}{_OPENING}{known}{after}", re.IGNORECASE) for cue in _CUES
        ]
        self._leading = re.compile(
            rf"(?P<cue>)\s*(?:(?:option|choice)\s+)?{_OPENING}{known}{after}", re.IGNORECASE
        )

    def named_in(self, text: str) -> Named:
        """The options that the answer states, else that it begins or ends with."""
        stated = [match for cue in self._stated for match in cue.finditer(text)]
        stated += list(_CORRECT.finditer(text))
        final = [match for match in stated if "final" in match["cue"].lower()]
        named = self._collected(text, final) if final else Named()
        if not named.places:
            named = self._collected(text, stated)
        if named.places:
            return named
        listed = {match[1] for match in _LIST_LINE.finditer(text)}
        if len(listed) > 1:  # the answer repeats the list of options
            rest = _LIST_LINE.sub("", text).strip()
            return self.named_in(rest) if rest else Named(tuple(map(ord, listed)))
        ends = [match for match in [self._leading.match(text)] if match]
        last = text.rsplit("\n", 1)[-1]
        alone = _ONLY_LETTER.fullmatch(last)
        found = self._collected(text, ends)
        if alone and (place := self._letters.find(alone[1].upper())) >= 0:
            found = Named((*found.places, place), negated=found.negated)
        return Named(found.places, negated=found.negated or named.negated)

    def mentioned_in(self, text: str) -> Named:
        """The options whose letters stand in brackets or after a word such as `option`."""
        return self._collected(text, _MENTION.finditer(text))

    def contradicted(self, text: str, place: int) -> bool:
        """Whether the letter comes with the text of another option."""
        matches = [match for cue in self._stated for match in cue.finditer(text)]
        for match in [self._leading.match(text), *matches]:
            if match and self._letters.find(match["letter"].upper()) == place:
                rest = text[match.end() :].split("\n", 1)[0]
                for said in (rest, first_clause(rest)):
                    named = set(named_by_text(said, self._options, whole=True).places)
                    if named and place not in named:
                        return True
        return False

    def _collected(self, text: str, matches: Iterable[re.Match[str]]) -> Named:
        places: list[int] = []
        negated = False
        for match in matches:
            place = self._letters.find(match["letter"].upper())
            rest = text[match.end("letter") :]
            if place < 0:
                continue
            # `not A`, and `the wrong answer is A`
            before = (text[: match.start("letter")], text[: match.start()])
            after = rest.lstrip(" )]}.,:;\"'-–—")
            own = self._options[place]
            if own and after.casefold().startswith(own.casefold()):
                after = after[len(own) :]  # `A. Aspirin: incorrect.`
            denied = any(map(_NEGATION_BEFORE.search, before))
            if denied or _NEGATION_AFTER.match(rest) or _NEGATION_AFTER.match(after):
                negated = True
            elif texts := self._texts_at(text, match.start("letter"), place):
                places += texts
            elif (another := _ANOTHER.match(rest)) and another[1] in self._letters:
                places += [place, self._letters.find(another[1])]
            elif self._is_answer(rest, place):
                places.append(place)
        return Named(tuple(places), negated=negated)

    def _texts_at(self, text: str, start: int, place: int) -> list[int]:
        """The options whose text begins with the letter found: `A.V. aneurysm` is no option A.

        For a text of one letter, the option of this letter is also named.
        """
        here = text[start : start + max(map(len, self._options)) + 1]
        found: list[int] = []
        longest = 0
        for form in (str, str.casefold):
            lengths = {
                option: len(own)
                for option, own in enumerate(self._options)
                if own and re.match(rf"{re.escape(form(own))}(?!\w)", form(here))
            }
            longest = max(lengths.values(), default=0)
            found = [option for option, length in lengths.items() if length == longest]
            if found or here[:1].isupper():
                break
        return [*found, place] if found and longest == 1 else found

    def _is_answer(self, rest: str, place: int) -> bool:
        """Whether what follows a letter leaves it an answer, and not the start of a name."""
        own = self._options[place].casefold()
        after = rest.lstrip(" )]}.,:;\"'-–—").casefold()
        if own and after.startswith(own):
            return True
        if _ABBREVIATED.match(rest) and not re.match(rf"\.\s*{_REASON}", rest):
            return False
        return _FOLLOWED.match(rest) is not None
