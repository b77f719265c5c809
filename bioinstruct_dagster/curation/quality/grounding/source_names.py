"""Reads an input as the name of a source, such as "An article on asthma" or "A patient's results".

Belongs here: the parts of an input, labels and titles, and which parts are content. Does not: noun
phrases (source_phrases), links and placeholders (stand_ins), whether the name is enough
(grounding), or the words (words/sources.yaml, and the rule in data/quality_rules.yaml).
"""

import re
from functools import cache

from bioinstruct_dagster.curation.quality.grounding.source_phrases import (
    ARTICLES,
    ReadPhrase,
    SourcePhrases,
)
from bioinstruct_dagster.curation.quality.grounding.source_words import (
    TOKEN,
    SourceName,
    SourceWords,
    has_measurement,
    nouns_of,
    parts_between,
    singular,
    source_list,
)
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.signs import WordedPattern

MOST_TITLE_WORDS = 60
MOST_TITLE_CHARS = 200
LEAST_TITLE_WORDS = 3
MOST_SMALL_LETTERS = 3  # of a word that may have no capital in a title
MOST_LABEL_WORDS = 7
MOST_EMPTY_LABEL = 4
MOST_DATA_SET_WORDS = 8
MOST_TEST_WORDS = 5

LABEL = re.compile(r"([^\W\d_][\w'’/() -]{0,60}?)\s*(?::|\s[-–—])\s*(.*)", re.DOTALL)
LABEL_END = re.compile(r":|\s[-–—]")  # each label has one; it is quick to search for
# A period after an initial or a number ends no sentence.
PARTS = re.compile(r"\n+|\\n|(?<=[^\sA-Z.][.!?])[\"”’)]?\s+(?=[\"“A-Z])|;\s")
AGE = re.compile(r"\d[\s-]?(?:years?|months?|weeks?|days?|y)[\s/-]?(?:olds?|o)\b", re.IGNORECASE)
# A reference to a publication: an author with others, and a year.
CITATION = re.compile(r"[A-Z][\w'’-]+[\w ,.&-]{0,60}\bet al\b.{0,200}\b(?:19|20)\d\d\b.{0,40}")
# The beginning of many titles of studies, written without capitals.
STUDY_TITLE = re.compile(
    r"(?:the )?(?:effects?|impact|role|efficacy|effectiveness|safety|influence|association"
    r"|relationship|prevalence|comparison|evaluation|assessment|outcomes)"
    r"(?: and [\w-]+)? (?:of|between) .{8,}",
    re.IGNORECASE,
)
# The end of many titles of studies.
SUBTITLE = re.compile(
    r".{12,}(?::|\s[-–—])\s(?:an? |the )?(?:[\w-]+ ){0,6}(?:review|meta-analysis|trial|study|survey"
    r"|case report|case series|analysis|overview|update)\.?",
    re.IGNORECASE,
)
_SUBTITLE = WordedPattern(SUBTITLE)
PREPOSITIONS = frozenset({"of", "in", "for", "on", "with", "between", "among", "versus", "vs."})
# A quotation, perhaps with its author.
QUOTATION = re.compile(r"[\"“][^\"”]{12,300}[\"”]\.?(?:\s?[(,].{0,120})?")


@cache
def _person_pattern() -> re.Pattern[str]:
    persons = alternatives(source_list("persons"))
    return re.compile(rf"(?:(?:an?|the)\s)?(?:[\w-]+\s)?(?:{persons})\b", re.IGNORECASE)


class SourceNames:
    """Reads an input as the name of a source, by the rule's lists and `words/sources.yaml`."""

    def __init__(self, rule: UngroundedRule, words: SourceWords | None = None) -> None:
        self._words = words or SourceWords(rule)
        self._phrases = SourcePhrases(self._words)
        self._asides, self._data_sets = frozenset(rule.asides), frozenset(rule.data_sets)
        self._titles = frozenset([*rule.titles, *rule.works, *rule.norms])
        verb_nouns = {word for word in self._words.says if singular(word) in self._words.class_of}
        # Words that no name holds. "Notes" is a noun too, and "diagnosed" may be part of a topic.
        self._telling = self._words.says - verb_nouns - {"diagnosed", "abnormal"}
        # In a title, "increased" and similar words are adjectives.
        states = {
            word for word in self._words.says if not word.endswith(("ed", "ing", "al", "ive"))
        }
        self._told_in_title = self._words.verbs | states
        self._sentence = self._words.says | self._words.verbs
        self._results = self._sentence | source_list("finding_adjectives")
        self._small = self._words.about | self._words.articles

    def read(self, text: str) -> SourceName | None:
        """The source that an input names; None if any part of the input is content."""
        if (
            len(text) <= MOST_TITLE_CHARS
            and _SUBTITLE.fullmatch(text)
            and self._words.verbs.isdisjoint(text.split())
        ):
            return SourceName("work", titled=True, unlabelled=True)
        if "?" not in text and ":" not in text and not self._telling.isdisjoint(text.split()):
            return None  # most texts; the same follows below, but takes longer
        if (
            " et al" in text
            and CITATION.fullmatch(text)
            and self._words.says.isdisjoint(TOKEN.findall(text.lower()))
        ):
            return SourceName("work", titled=True, unlabelled=True)
        read_phrase = self._phrases.reader_for(text)
        names: list[SourceName] = []
        parts = 0
        for part in parts_between(PARTS, text):
            parts += 1
            if not part.strip(" .\"'“”") or part.endswith("?"):
                continue  # a question adds no content
            if names and self._is_aside(part):
                continue
            name = self._read_part(part, read_phrase)
            if name is None:
                return None
            names.append(name)
        if not names:
            # The title of an article may be a question.
            asked = parts == 1 and text.endswith("?")
            return SourceName("work", titled=True, unlabelled=True, loose=True) if asked else None
        return names[0] if len(names) == 1 else max(names, key=lambda name: name.titled)

    def _is_aside(self, part: str) -> bool:
        found = LABEL.fullmatch(part)
        label = nouns_of(found.group(1)) if found else []
        return bool(label) and label[-1] in self._asides and not has_measurement(part)

    def _read_part(self, part: str, read_phrase: ReadPhrase) -> SourceName | None:
        found = LABEL.fullmatch(part) if LABEL_END.search(part) else None
        if found is None or len(found.group(1).split()) > MOST_LABEL_WORDS:
            return read_phrase(part) or self._title(part, labelled=False)
        label, body = nouns_of(found.group(1)), found.group(2).strip()
        if not body:  # a label without its text
            return read_phrase(found.group(1)) if len(label) <= MOST_EMPTY_LABEL else None
        return read_phrase(body) or (self._labelled(label[-1], body, label) if label else None)

    def _labelled(self, noun: str, body: str, label: list[str]) -> SourceName | None:
        """The title or the name of a data set that stands after a label."""
        if noun in self._data_sets and self._is_data_set(body):
            return SourceName("record")
        if noun in self._words.class_of and STUDY_TITLE.fullmatch(body):
            return SourceName("work", titled=True)
        if noun == "test" and len(body.split()) <= MOST_TEST_WORDS and not self._tells_result(body):
            return SourceName("recording", loose=True, word="test")
        if noun not in self._titles or "case" in label:
            return None
        name = self._title(body, labelled=True)
        is_norm = self._words.class_of.get(noun) == "norm"
        return SourceName("norm", titled=True) if name and is_norm else name

    def _tells_result(self, body: str) -> bool:
        words = body.lower().replace(",", " ").split()
        return any(map(str.isdigit, body)) or not self._results.isdisjoint(words)

    def _is_data_set(self, text: str) -> bool:
        """Whether the text is the proper name of a data set, such as "MIMIC-III"."""
        words = TOKEN.findall(text)
        return (
            0 < len(words) <= MOST_DATA_SET_WORDS
            and text[:1].isupper()
            and "," not in words
            and not has_measurement(text)
            and not self._sentence.intersection(map(str.lower, words))
        )

    def _title(self, text: str, *, labelled: bool) -> SourceName | None:
        """The text as a work's title. Without a label, it must have quotes or capitals."""
        bare = text.strip().strip(".\"'“”‘’")
        words = bare.split()
        if not LEAST_TITLE_WORDS <= len(words) <= MOST_TITLE_WORDS:
            return None
        quoted = text[:1] in {'"', "“"} and QUOTATION.fullmatch(text.strip()) is not None
        sure = quoted or self._in_capitals(words)
        # Most texts have none of these forms, and to see that takes the least time.
        if not (labelled or sure or STUDY_TITLE.fullmatch(bare) or self._is_topic(text, words)):
            return None
        if has_measurement(bare) or AGE.search(bare) or _person_pattern().match(bare):
            return None
        telling = self._told_in_title if labelled or quoted else self._sentence
        if not telling.isdisjoint(word.strip(",:;()\"'").lower() for word in words):
            return None
        if labelled:
            return SourceName("work", titled=True)
        return SourceName("work", titled=True, unlabelled=True, loose=not sure)

    def _is_topic(self, text: str, words: list[str]) -> bool:
        """Whether the words may be a title in small letters: "Exercise for adults with gout"."""
        return (
            len(words) > LEAST_TITLE_WORDS
            and text[:1].isupper()
            and words[0].lower() not in ARTICLES
            and not text.endswith((".", "!", ":"))
            and text.count(",") <= 1
            and not PREPOSITIONS.isdisjoint(words)
        )

    def _in_capitals(self, words: list[str]) -> bool:
        """Whether the words have the capitals of a title and are no enumeration."""
        long = 0
        for word in words:
            if len(word) > MOST_SMALL_LETTERS and word.lower() not in self._words.about:
                if not word[:1].isupper():
                    return False
                long += 1
        return (
            long >= LEAST_TITLE_WORDS
            and any(word.lower() in self._small for word in words)
            and sum(word.endswith(",") for word in words) < LEAST_TITLE_WORDS - 1
        )
