"""Finds degenerate repetition: an output that says the same over and over.

A model caught in a loop repeats a sentence, line, phrase, word or character, often with a counter
before it, until its tokens end. Lists, schedules, tables, labels and sequences repeat too, and are
sound. So a repeated text counts only if it is long for its kind, or repeated more often than such
texts are.

Belongs here: this decision. Does not: rows that repeat other rows (novelty), or an output that
repeats another field (wording, echoes).
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import eq

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.output_rules import LoopRule
from bioinstruct_dagster.curation.quality.outputs.cycles import cycle_of, items_of, numbered_of
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, excerpt, words_of
from bioinstruct_dagster.curation.tokens.scripts import SPACELESS_SCRIPTS
from bioinstruct_dagster.sign_clauses import SEARCHED_CHARACTERS, folded_tokens
from bioinstruct_dagster.signs import SignSearch

# --- Sentences and lines
PARTS = re.compile(
    r"\n+|\\n|(?<=[.!?;])(?<!\d\.)[\"”’)*]*\s+|(?<=[。！？；।])|\s+(?=\(?\d{1,3}\)\s)"
)
CLAUSES = re.compile(r"[,;.!?]\s+|\n+")
# A counter before a part: "3.", "(b)", "- ", "Step 4:", "Question 2 -". A word of time is none.
COUNTER = re.compile(
    r"^(?:[\W_]|\d{1,4}[.):\]](?!\d)|[a-z][.)]|[ivx]{1,5}[.)]|"
    r"(?P<label>[^\W\d_]{2,20}) (?:no\. ?)?#?\d{1,4} ?[.:)–-])+\s*"
)
NUMBERS = re.compile(
    r"\d+(?:st|nd|rd|th)?|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|first"
    r"|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth)\b"
)
NO_DIGITS = str.maketrans("", "", "0123456789")
TABLE_ROW = re.compile(r"\||\t| {3,}")
LISTED_ROW = re.compile(r"[^,;.]{1,60}(?:[,;][^,;.]{0,60}){3,}")  # a line of a table with commas
LONG_PART_WORDS = 5  # of a sentence that nobody repeats word for word
LONG_PART_TIMES = 3
LABELLED_TIMES = 4  # the same after a label or counter: a judgement of each item may recur
SHORT_PART_TIMES = 6  # of one to four words
COUNTED_PART_WORDS = 6  # besides the number, of sentences that differ in a number only
COUNTED_PART_TIMES = 5
LEAST_SHARE = 0.4  # of the words that are repetitions; a refrain is less
LEAST_SHARE_OF_FORM = 0.75  # the same if each repetition stands beside a text of its own

# --- Words and phrases
MOST_PHRASE_WORDS = 24  # a longer phrase is found as a sentence
LEAST_DISTINCT_SHARE = 0.75  # of a text's words; with more there is no loop of words to be found
PHRASE_TIMES = 4
LONG_PHRASE_WORDS = 6  # of a phrase that three times make a loop, if it is most of the text
LONG_PHRASE_TIMES = 3
LEAST_SHARE_OF_LONG = 0.7
LEAST_PHRASE_RUN = 12  # words
LEAST_RUN_SHARE = 0.25  # of the text, unless the run is twice as long
WORD_TIMES = 6  # "very very very ..." in prose
LISTED_WORD_TIMES = 10  # "pain, pain, pain, ..." in a list
VALUE_TIMES = 40  # "normal, normal, ..."
BARE_VALUE_TIMES = 16  # "no no no ...": a list of results has marks or lines between them
NAMED_SIGNAL_TIMES = 20  # "spike spike spike ..." in a row about sequences
RULE_MARK = re.compile(r"#+|[-=*]{3,}")
LEAST_WORD_LETTERS = 2
MARK_TIMES = 12  # "### ### ### ..."

# --- Characters
LONG_WORD = 12  # characters; a shorter word holds no loop
LEAST_LETTER_SHARE = 0.6  # of a word's characters are distinct in a word without a loop
MOST_LETTERS_OF_LOOP = 14  # distinct characters of a word with a loop: six of the loop, and others
LONG_NUMBER = 40  # digits; a computer prints at most 17 of a fraction
MOST_LETTERS = 20  # of one small letter in a sequence that no task asks for
GAP_MARKS = "._…*#"
MARK_RUN = 150  # longer than any gap of a form or line of a table of contents
MARK_RUNS = tuple(mark * MARK_RUN for mark in GAP_MARKS)
RULES = tuple(mark * MARK_RUN for mark in "-=")  # ruled lines, at the end of a text
# A sentence that goes on in periods to the end of the text; a gap stands behind a label.
TRAILING_MARKS = re.compile(r"[.!?]\s+([._…*#])\1{39,}\s*\Z")
LETTER_RUN = re.compile(r"([^\W\d_])\1{9,}|([^\W_]{2,6}?)\2{5,}|([!?,;:)('\"@&%^+<>/|~])\3{11,}")
BASES = re.compile(
    r"(?=[acgtun\-–']*([acgtun])[acgtun\-–']*(?!\1)[acgtun])[acgtun\-–']+", re.IGNORECASE
)
# A tag of a word ("O", "B-Disease"), a codon, a residue, a wave of a tracing.
SYMBOL = re.compile(r"[bioesul](?:[-_][\w-]{1,30})?|[a-z*]{1,3}\d?|[\d.–-]+")


def loop_check(rule: LoopRule) -> RowCheck:
    """A check for degenerate repetition in a field."""
    return _LoopCheck(rule).check


class _LoopCheck:
    """Looks for repeated parts, then for repeated phrases, then for repeated characters."""

    def __init__(self, rule: LoopRule) -> None:
        self._field = rule.field
        self._values, self._times = frozenset(rule.values), frozenset(rule.times)
        self._sequences, self._unless = SignSearch(rule.sequences), SignSearch(rule.unless)
        self._letters = SignSearch(rule.letters)

    def check(self, row: RowTexts) -> RuleMatch | None:
        """The match for a text in a loop."""
        text = getattr(row, self._field)[:SEARCHED_CHARACTERS]
        words = folded_tokens(text)
        found = None
        if len(set(words)) <= LEAST_DISTINCT_SHARE * len(words) or _is_spaceless(text, words):
            parts = [part for part in PARTS.split(text) if part.strip()]
            found = (
                self._repeated_part(parts, row)
                or _repeated_clause(text)
                or self._repeated_phrase(words, row)
                or self._repeated_list(text, parts, row)
            )
        found = found or self._repeated_characters(words, row) or _repeated_marks(text)
        if found is None or self._unless.search(row.instruction) is not None:
            return None
        repeated, times = found
        return RuleMatch({"repeats": excerpt(repeated), "times": times}, score=times)

    def _repeated_part(self, parts: Sequence[str], row: RowTexts) -> tuple[str, int] | None:
        """A sentence or line that is repeated too often, and how often."""
        if len(parts) < LONG_PART_TIMES or not _may_repeat(parts):
            return None
        plain = [self._without_counter(part) for part in parts if not TABLE_ROW.search(part)]
        plain = [one for one in plain if one[0]]
        if not plain:
            return None
        counts = Counter(one for one, _ in plain)
        labelled = {one for one, has_label in plain if has_label}
        sizes = {one: _size(one) for one in counts}
        total = sum(sizes[one] * times for one, times in counts.items())
        repeated = sum(sizes[one] * (times - 1) for one, times in counts.items())
        [(_, most)] = counts.most_common(1)
        is_form = sum(times == 1 for times in counts.values()) >= most
        if repeated >= (LEAST_SHARE_OF_FORM if is_form else LEAST_SHARE) * total:
            for one, times in counts.most_common(3):
                if is_form and not self._times.isdisjoint(words_of(one)):
                    continue  # the doses of each day in a schedule
                if times >= self._least_times(one, sizes[one], row, labelled=one in labelled):
                    return one, times
            several = sum(
                times - 1 for one, times in counts.items() if sizes[one] >= LONG_PART_WORDS
            )
            if several >= LONG_PART_TIMES and not labelled:
                return counts.most_common(1)[0]
        parts = [one for one, _ in plain if not LISTED_ROW.fullmatch(one)]
        return self._counted_part(parts, total)

    def _least_times(self, part: str, size: int, row: RowTexts, *, labelled: bool) -> int:
        if size >= LONG_PART_WORDS:
            return LABELLED_TIMES if labelled else LONG_PART_TIMES
        if self._are_symbols(part.split(), row):
            return SEARCHED_CHARACTERS
        return VALUE_TIMES if self._is_value(part, row) else SHORT_PART_TIMES

    def _is_value(self, part: str, row: RowTexts, least_share: float = 0.0) -> bool:
        """Whether a short text is a result or a label that the task names.

        At least one word and `least_share` of the words are results.
        """
        words = words_of(part)
        given = f"{row.instruction}\n{row.input}".lower()
        results = sum(word in self._values for word in words)
        return (results > 0 and results >= least_share * len(words)) or (
            part.strip(" .,;:*\"'") in given
        )

    def _without_counter(self, part: str) -> tuple[str, bool]:
        """A part in small letters without its counter, and whether it had one.

        A part of a schedule ("Day 3: ...") keeps its label.
        """
        part = part.strip().lower()
        found = COUNTER.match(part)
        if found is None:
            return part.rstrip(" .!?;,*"), False
        label = found["label"]
        if label in self._times:
            return part, False
        has_number = label is not None or any(map(str.isalnum, found.group(0)))
        return part[found.end() :].rstrip(" .!?;,*"), has_number

    def _counted_part(self, parts: Sequence[str], total: int) -> tuple[str, int] | None:
        """A sentence that is repeated with another number in it each time."""
        counted = Counter(NUMBERS.sub("#", part) for part in parts)
        for one, times in counted.most_common(2):
            if times < COUNTED_PART_TIMES or "#" not in one:
                continue
            words = words_of(one)
            if (
                len(words) >= COUNTED_PART_WORDS
                and times * len(words) >= LEAST_SHARE * total
                and not self._is_schedule(one)
            ):
                return one, times
        return None

    def _is_schedule(self, part: str) -> bool:
        """Whether a word of time or measure stands beside a number."""
        words = [word.strip(" .,;:()/%") for word in part.split()]
        near = {
            word
            for place, one in enumerate(words)
            if "#" in one
            for word in words[max(0, place - 1) : place + 2]
        }
        return not self._times.isdisjoint(near)

    def _repeated_list(
        self, text: str, parts: Sequence[str], row: RowTexts
    ) -> tuple[str, int] | None:
        """A list that begins again too often, or one text behind each number."""

        def is_value(item: str) -> bool:
            return self._is_value(item, row)

        lines = [self._without_counter(part)[0] for part in parts]
        return (
            cycle_of([line for line in lines if line], is_value)
            or cycle_of(items_of(text), is_value)
            or numbered_of(text, is_value)
        )

    def _repeated_phrase(self, words: list[str], row: RowTexts) -> tuple[str, int] | None:
        """A phrase or word that follows itself too often, and how often."""
        repeated = len(words) - len(set(words))
        for period in range(1, min(MOST_PHRASE_WORDS, len(words) // LONG_PHRASE_TIMES) + 1):
            # A run of n words that equal the word one period later has n + period words, and each
            # of the n stands in the text a second time.
            least = PHRASE_TIMES if period < LONG_PHRASE_WORDS else LONG_PHRASE_TIMES
            wanted = (least - 1) * period
            if repeated < wanted or sum(map(eq, words, words[period:])) < wanted:
                continue
            for start, length in _runs(words, period, least):
                phrase, times = words[start : start + period], length // period
                if self._is_loop(phrase, times, len(words), row):
                    return " ".join(phrase), times
        return None

    def _is_loop(self, phrase: Sequence[str], times: int, total: int, row: RowTexts) -> bool:
        text = " ".join(phrase)
        if len(phrase) == 1:
            return self._is_word_loop(text, times, row)
        is_text = "|" not in text and any(map(str.isalpha, text)) and len(text) >= 2 * len(phrase)
        if not is_text or self._are_symbols(phrase, row):
            return False
        if len(phrase) < LONG_PART_WORDS and self._is_value(text, row, least_share=0.5):
            return times >= VALUE_TIMES
        size = len(phrase) * times
        if len(set(phrase)) == 1 or size < LEAST_PHRASE_RUN:
            return False
        if times < PHRASE_TIMES:
            words = all(any(map(str.isalnum, word)) for word in phrase)
            return words and size >= LEAST_SHARE_OF_LONG * total
        return size >= LEAST_RUN_SHARE * total or size >= 2 * LEAST_PHRASE_RUN

    def _is_word_loop(self, word: str, times: int, row: RowTexts) -> bool:
        if RULE_MARK.fullmatch(word):
            return times >= MARK_TIMES
        if "|" in word or not any(map(str.isalpha, word)) or len(word) < LEAST_WORD_LETTERS:
            return False
        if times < NAMED_SIGNAL_TIMES and self._is_about_sequences(row):
            return False
        return times >= self._least_word_times(word, row) and not self._is_symbol_word(word, row)

    def _least_word_times(self, word: str, row: RowTexts) -> int:
        if word[-1] in ",;/":
            return VALUE_TIMES if self._is_value(word, row) else LISTED_WORD_TIMES
        if word.strip(".:*") not in self._values:
            return WORD_TIMES
        bare = " ".join([word] * BARE_VALUE_TIMES)
        return BARE_VALUE_TIMES if bare in getattr(row, self._field).lower() else VALUE_TIMES

    def _repeated_characters(self, words: list[str], row: RowTexts) -> tuple[str, int] | None:
        """Characters that follow themselves too often within a word."""
        for word in [word for word in words if len(word) >= LONG_WORD]:
            if len(set(word)) > min(MOST_LETTERS_OF_LOOP, LEAST_LETTER_SHARE * len(word)):
                continue
            found = LETTER_RUN.search(word)
            if found is None:
                continue
            if found.group(0).isdigit() and len(found.group(0)) < LONG_NUMBER:
                continue
            if self._is_sequence(word, row):
                # In small letters only where a letter may be repeated, as in "aaaaaa".
                is_one = found[1] is not None and len(found.group(0)) > MOST_LETTERS
                small = is_one and found.group(0) in getattr(row, self._field)
                if not small or any(self._letters.search(one) is not None for one in row[:2]):
                    continue
            unit = found[1] or found[2] or found[3]
            return found.group(0), len(found.group(0)) // len(unit)
        return None

    def _is_sequence(self, word: str, row: RowTexts) -> bool:
        """Whether a word may be a sequence of bases, residues or signals."""
        letters = word.strip(".,;:()[]\"'*0123456789")
        return BASES.fullmatch(letters) is not None or self._is_about_sequences(row)

    def _is_symbol_word(self, word: str, row: RowTexts) -> bool:
        """Whether a word may be a sequence or a symbol of one, such as "B-Disease"."""
        letters = word.strip(".,;:()[]\"'*0123456789")
        return BASES.fullmatch(letters) is not None or (
            ("-" in letters or SYMBOL.fullmatch(letters) is not None)
            and self._is_about_sequences(row)
        )

    def _are_symbols(self, words: Sequence[str], row: RowTexts) -> bool:
        """Whether each word may be a tag, a codon or a residue, in a row about such sequences."""
        return all(
            SYMBOL.fullmatch(word.strip(".,;:()[]")) for word in words
        ) and self._is_about_sequences(row)

    def _is_about_sequences(self, row: RowTexts) -> bool:
        return any(self._sequences.search(text) is not None for text in row)


def _repeated_clause(text: str) -> tuple[str, int] | None:
    """A clause that nobody repeats word for word, if such clauses are much of the text."""
    clauses = [clause.strip(" .!?*").lower() for clause in CLAUSES.split(text)]
    counts = Counter(clause for clause in clauses if len(clause.split()) >= LONG_PART_WORDS)
    repeated = sum((times - 1) * len(one.split()) for one, times in counts.items())
    if not counts or repeated < LEAST_SHARE * len(text.split()):
        return None
    one, times = counts.most_common(1)[0]
    return (one, times) if times >= LONG_PART_TIMES else None


def _repeated_marks(text: str) -> tuple[str, int] | None:
    """A mark of punctuation that is repeated too often for a gap or a ruled line."""
    for run in MARK_RUNS:
        if run in text:
            return run[0], text.count(run[0])
    # Most texts end with another character, and to see that takes the least time.
    if text.rstrip().endswith(tuple(GAP_MARKS)):
        trail = TRAILING_MARKS.search(text)
        if trail is not None:
            return trail[1], text.count(trail[1])
    if text.endswith(RULES) and "|" not in text:
        return text[-1], text.count(text[-1])
    return None


def _is_spaceless(text: str, words: Sequence[str]) -> bool:
    """Whether the text is in a script that separates no words by spaces."""
    return not text.isascii() and len(text) > LONG_WORD * len(words)


def _may_repeat(parts: Sequence[str]) -> bool:
    """Whether any two parts may be equal besides counters and numbers: a test of their ends."""
    return len({part[-12:].lower().translate(NO_DIGITS) for part in parts}) < len(parts)


def _size(text: str) -> int:
    """The number of words, where two characters of a script without spaces count as one."""
    words = len(text.split())
    if text.isascii():
        return words
    return max(words, len(_SPACELESS.findall(text)) // 2)


_SPACELESS = re.compile(f"[{SPACELESS_SCRIPTS}]")


def _runs(words: Sequence[str], period: int, times: int) -> Iterator[tuple[int, int]]:
    """Start and number of words of each run that has its first `period` words so many times."""
    place = 0
    for same, group in groupby(map(eq, words, words[period:])):
        length = sum(1 for _ in group)
        if same and length >= (times - 1) * period:
            yield place, length + period
        place += length
