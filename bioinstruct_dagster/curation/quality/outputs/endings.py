"""Finds an output that was cut off, by its ending.

Two kinds of evidence: a last word or sign after which more must come, and a last sentence without
the punctuation that the sentences before it have. Belongs here: both. Does not: replies that the
teacher's service reports as cut (generation.replies), or how other rows of a set end: a verdict
depends on its row alone.
"""

import re

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.output_rules import TruncatedRule, UnfinishedRule
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch
from bioinstruct_dagster.curation.tokens.scripts import count_words
from bioinstruct_dagster.signs import SignSearch

MOST_ENDING_CHARS = 80  # of a text that are read for its last word
MOST_SHOWN_CHARS = 40
OPEN_ENDINGS = ",:-–—([{，、：（［「『【《،؛=×÷≈"
SIGNS_OF_SUMS = "=×÷≈"  # alone; "aGVsbG8=" is a code
DASHES = "-–—"
# A receptor, charge or blood group that is negative: "HER2-", "Cl-", "Gram-".
NEGATIVE = re.compile(r"(?=\S*\d|\S*[A-Z]\S*[A-Z]|[A-Z]\w?\W|Gram|Rh)\S*[^\s\-–—][-–—]$")
# The signs stand alone: "ER +, PR +, HER2 -".
PART_OF_WORD = re.compile(
    r"\b(?:prefix(?:es)?|combining forms?|word (?:roots?|parts?|elements?))\b", re.IGNORECASE
)
JSON_START = re.compile(r"(?:```(?:json)?\s*)?(?:\[\s*)?\{\s*\"|\[\s*\"", re.IGNORECASE)
SPACED_SIGNS = re.compile(r"\w [+-]\s?[,;].*\w [-–—]$", re.DOTALL)
RULER = re.compile(r"(?:^|\s)[-–—]{2,}$")
LETTER_CLOSING = re.compile(
    r"(?:^|\n)[^\n.]{0,40}\b(?:regards|sincerely|wishes|faithfully|truly|cordially|respectfully"
    r"|thanks|thank you|yours|love)\W*,\s*$",
    re.IGNORECASE,
)
FIELD_LABEL = re.compile(r"(?m)^.{1,60}[:：][ \t]*$")
LEAST_BLANK_FIELDS = 3  # that make a form
# "what it is used for", "as much as you can", "the drug that she is allergic to"
STRANDED = re.compile(
    r"\b(?:what|whatever|(?:some|any|no)thing)(?: [\w'’]+){1,5}$"
    r"|\bas \w+ as (?:\w+ )?(?:you|they|he|she|it|we|i|one) \w+$"
    r"|\b(?:allergic|addicted|sensitive|exposed|contribute|contributed) to$",
    re.IGNORECASE,
)
CONNECTING = frozenset({"and", "or", "but", "the", "a", "an", "than", "because", "if", "such"})
BARE_MARK = re.compile(r"(?:^|\n)[ \t]*(?:\d{1,2}[.)]|[-*•])\s*$")
BARE_MARK_ENDS = ".)-*•"
SENTENCE_END = re.compile(r"[.!?。？！।؟][\"'”’»)\]*_]*(?=\s|$)|[。？！]")
LINE_END = re.compile(r"[.!?:;。？！：；।؟][\"'”’»)\]*_]*$")
LIST_ITEM = re.compile(r"[ \t]*(?:\d{1,2}[.)]|[-*•–+]|[a-zA-Z][.)])[ \t]+\S")
LABELLED = re.compile(r"[\W\d_]*[^\W\d_][^:：.!?\n]{0,50}[:：]\**\s+(?P<value>\S.*)$")
MOST_VALUE_WORDS = 8  # after a label; more make a sentence
LEAST_TAIL_WORDS = 3
CAPITALS_SPREAD = 4  # words in which one may begin with a capital
MOST_CAPITALS = 2  # names, inside the last sentence
LEAST_LINE_WORDS = 4  # that make a line of prose
MOST_CLOSING_WORDS = 12  # of a last line that can be a greeting or a signature
SHARE_OF_ENDED_LINES = 0.8  # of the other lines, or their style is to end without punctuation
LEAST_ENDED_ITEMS = 3  # before the last one of a short list
# "The patient needs 25", "then begin insulin at 0."
OPEN_FIGURE = re.compile(
    r"\b(?:needs?|requires?|administer|inject|infuse) \d{2,}$|\binsulin at 0\.$"
    r"|\bbecause (?:it|they|he|she) (?:does|do|is|are|was|were|has|have) not$"
    r"|\b(?:begin|start|give|infuse|inject|administer|titrate)\b[^.\n]{0,30} 0\.$",
    re.IGNORECASE,
)
OPEN_FIGURE_ENDS = ("0.", "t", "T")  # unless the figure itself is the end
NO_PROSE = re.compile(r"[|\t=]|https?:|www\.|\bdoi\b|@\w")


def truncated_check(rule: TruncatedRule) -> RowCheck:
    """A check for an ending that cannot be the end of a text."""
    dangling = frozenset(rule.dangling)

    def check(row: RowTexts) -> RuleMatch | None:
        text = getattr(row, rule.field).rstrip()
        end = text[-MOST_ENDING_CHARS:]
        if is_open_json(text):
            return RuleMatch({"ends": end[-MOST_SHOWN_CHARS:]})
        few = len(text.split(None, rule.least_words)) < rule.least_words
        if not end or (few and count_words(text).most < rule.least_words):
            return None
        last = end.split()[-1]
        if (
            (end[-1] in OPEN_ENDINGS and not _may_be_last(end, last, text, row))
            or (last in dangling and (last in CONNECTING or not STRANDED.search(end)))
            or (end[-1] in BARE_MARK_ENDS and BARE_MARK.search(end))
        ):
            return RuleMatch({"ends": end[-MOST_SHOWN_CHARS:]})
        return None

    return check


def is_open_json(text: str) -> bool:
    """Whether a text is JSON that lacks its end."""
    if JSON_START.match(text) is None or text.endswith(("}", "]", "```", "...")):
        return False
    open_brackets, quoted, escaped = 0, False, False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        else:
            open_brackets += (character in "{[") - (character in "}]")
    return quoted or open_brackets > 0


def _may_be_last(end: str, last: str, text: str, row: RowTexts) -> bool:
    """Whether an open sign has a meaning at the end of this text."""
    if end[-1] in DASHES:
        # A part of a word, such as a prefix, where the task names it or asks for one.
        named = last.strip("\"'“”‘’(").lower()
        if any(map(str.isalpha, named)) and named in row.instruction.lower():
            return True
        if PART_OF_WORD.search(row.instruction) is not None:
            return True
        return bool(NEGATIVE.match(last) or RULER.search(end) or SPACED_SIGNS.search(end))
    if end[-1] in SIGNS_OF_SUMS:
        return len(last) > 1
    if end[-1] == ",":
        return LETTER_CLOSING.search(end) is not None
    return end[-1] in ":：" and len(FIELD_LABEL.findall(text)) >= LEAST_BLANK_FIELDS


def unfinished_check(rule: UnfinishedRule) -> RowCheck:
    """A check for a last sentence that lacks the punctuation of the sentences before it."""
    closings = SignSearch(rule.closings)

    def is_closing(lines: list[str], tail: str) -> bool:
        read = lines[-2:] if len(lines[-1].split()) <= MOST_CLOSING_WORDS else [tail]
        short = len(read[-1].split()) <= MOST_CLOSING_WORDS
        return short and closings.search("\n".join(read)) is not None

    def check(row: RowTexts) -> RuleMatch | None:
        text = getattr(row, rule.field).rstrip()
        last = text[-1:]
        if (last.isdigit() or text.endswith(OPEN_FIGURE_ENDS)) and OPEN_FIGURE.search(
            text, max(0, len(text) - MOST_SHOWN_CHARS)
        ):
            return RuleMatch({"ends": text[-MOST_SHOWN_CHARS:]})
        if last in ".!?" or not (last.isalpha() or last in "*("):
            return None
        lines = [line for line in text.replace("\\n", "\n").split("\n") if line.strip()]
        if count_words(text).most < rule.least_words and not _is_item_cut(lines):
            return None
        tail = SENTENCE_END.split(lines[-1])[-1].strip()
        if (
            len(SENTENCE_END.findall(text)) < rule.least_sentences
            or NO_PROSE.search(lines[-1])
            or is_closing(lines, tail)
            or not _is_prose(tail, lines[-1])
            or not _others_are_ended(lines)
        ):
            return None
        return RuleMatch({"ends": text[-MOST_SHOWN_CHARS:]})

    return check


def _is_prose(tail: str, line: str) -> bool:
    """Whether the tail of the last line is the beginning of a sentence, no name, label or value."""
    words = tail.split()
    if count_words(tail).most < LEAST_TAIL_WORDS:
        return False
    labelled = LABELLED.match(line)
    if labelled is not None and len(labelled["value"].split()) <= MOST_VALUE_WORDS:
        return bool(LIST_ITEM.match(line)) and len(labelled["value"].split()) >= LEAST_LINE_WORDS
    if any(map(str.isdigit, "".join(words[-2:]))):
        return False  # a figure with its unit
    # Capitals inside the tail begin the items of a list whose lines were joined.
    capitals = sum(word.istitle() for word in words[1:])
    return capitals <= MOST_CAPITALS and CAPITALS_SPREAD * capitals <= len(words)


def _is_item_cut(lines: list[str]) -> bool:
    """Whether the last line of a short list alone lacks its period."""
    items = [line.rstrip() for line in lines if LIST_ITEM.match(line)]
    return (
        len(items) > LEAST_ENDED_ITEMS
        and items[-1] == lines[-1].rstrip()
        and all(item.endswith(".") for item in items[:-1])
    )


def _others_are_ended(lines: list[str]) -> bool:
    """Whether the other lines of the last line's kind, items or paragraphs, end in punctuation."""
    is_item = LIST_ITEM.match(lines[-1]) is not None
    same = [
        line.rstrip()
        for line in lines[:-1]
        if (LIST_ITEM.match(line) is not None) == is_item and len(line.split()) >= LEAST_LINE_WORDS
    ]
    if not same:
        return not is_item
    ended = sum(LINE_END.search(line, max(0, len(line) - 4)) is not None for line in same)
    return ended >= SHARE_OF_ENDED_LINES * len(same)
