"""Whether an input holds what its task needs, or only names it.

"Summarize the article" over an article's title, or "extract the diagnoses" over "A patient's
discharge summary", leaves the teacher nothing but to invent. An input is ungrounded where each of
its parts names a source (a document, a record, generic particulars), none says what is in it, and
the instruction speaks of such a source. A topic, a term, a question or a short but real description
is no source. Belongs here: that result. Does not: the word lists (data/quality_rules.yaml).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, shown
from bioinstruct_dagster.signs import SignSearch

PartReading = Literal["names", "neutral", "content"]

MOST_CHARS = 600
MOST_NOUNS = 20_000  # whose singular is remembered
MOST_HEAD_WORDS = 10  # of a noun phrase that names a source
MOST_TITLE_WORDS = 60
LEAST_TITLE_WORDS = 3
MOST_LABEL_WORDS = 7

# A link, or what stands for one.
LOCATOR = re.compile(
    r"(?:https?://|www\.)\S+|\bdoi:?\s?\S+|\b10\.\d{4,9}/\S+|\bPMC?(?:ID)?:?\s?\d{5,}"
    r"|\bNCT\d{6,}|\b[\w-]{1,60}\.(?:pdf|docx?|txt|csv|xlsx?|jpe?g|png|dcm|dicom|json|xml)\b",
    re.IGNORECASE,
)
# What each of them has; quick to look for.
LOCATES = re.compile(r"(?i:http|www\.|doi|10\.\d|pmi?[cd]?:? ?\d|nct\d|\.[pdtcxjs][a-z]{1,4}\b)")
# What stands for a text that was to be put there.
PLACEHOLDER = re.compile(
    r"[\[<({]\s*(?:insert|provide|paste|enter|add|attach|upload|your|the|full|patient'?s?|article"
    r"|medical|clinical|text|abstract|image|report|sample)\b[^\]>)}]{0,120}[\]>)}]\W*"
    r"|(?:please )?(?:insert|paste|upload|attach) [^.]{0,80}(?:here|below)?\.?"
    r"|(?:please )?(?:see|refer to) (?:the )?(?:attached|enclosed|above|below)[^.]{0,60}\.?"
    r"|(?:the )?(?:given|provided|attached|enclosed|above|following) [\w -]{2,40}\.?",
    re.IGNORECASE,
)
LABEL = re.compile(r"([^\W\d_][\w'’/() -]{0,60}?)\s*(?::|\s[-–—])\s*(.*)", re.DOTALL)
# An initial or a number before a stop ends no sentence.
PARTS = re.compile(r"\n+|\\n|(?<=[^\sA-Z.][.!?])[\"”’)]?\s+(?=[\"“A-Z])|;\s")
TOKEN = re.compile(r"\w[\w’'-]*|[,:;()\"“”/&]")
LETTERS = re.compile(r"[^\W\d_](?:[\w-]*[^\W_])?")
# Measured content: a figure with a unit, a ratio, a decimal, a percentage.
MEASURED = re.compile(
    r"\d[\d,.]{0,12}\s?(?:%|°|mg|mcg|µg|μg|kg|g\b|lbs?\b|pounds|ml|dl|l\b|mmol|mmhg|mm\b|cm\b|bpm"
    r"|beats|iu\b|units?\b|u/|weeks?\b|days?\b|hours?\b|times\b|x10|/)|\d\.\d|/\d|[<>=≥≤]\s?\d",
    re.IGNORECASE,
)
AGED = re.compile(r"\d[\s-]?(?:years?|months?|weeks?|days?|y)[\s/-]?(?:olds?|o)\b", re.IGNORECASE)
# A quotation, and perhaps who wrote it.
QUOTED = re.compile(r"[\"“][^\"”]{12,300}[\"”]\.?(?:\s?[(,].{0,120})?")
# "I have received the patient's results": what was received is named only.
RECEIVED = re.compile(
    r"(?:(?:here (?:is|are)|please find|attached (?:is|are)|see)"
    r"|(?:i|we|you|he|she|the (?:patient|doctor|nurse)|patient|doctor)\s"
    r"(?:(?:have|has|had|just)\s){0,2}"
    r"(?:received|obtained|reviewed|brought|attached|provided|shared|uploaded|sent|submitted))\s+",
    re.IGNORECASE,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Words that end a noun phrase, and leave what follows to say what the source is about.
ABOUT = _words(
    "of on for about regarding concerning related in by over at from into to between among during "
    "titled entitled called named comparing containing including comprising published conducted "
    "performed investigating analyzing analysing examining evaluating exploring assessing testing "
    "studying discussing describing detailing focused focusing covering using whose written "
    "collected obtained taken involving measuring reviewing that which available provided "
    "attached as after before until against with recorded seen"
)
# Words after which comes what the source says.
SAYS = _words(
    "showing shows show showed shown indicating indicates indicated indicate reveals revealed "
    "reveal revealing found finds find demonstrates demonstrated demonstrating suggests suggested "
    "suggest suggesting reports reported reporting states stated stating concludes concluded "
    "concluding confirmed confirms confirming noted notes reads presents presented presenting "
    "complains complained complaining reduces reduced increases increased improves improved causes "
    "caused significantly elevated decreased abnormal normal positive negative diagnosed "
    "prescribed experiencing experiences experienced because due than where whereas"
)
VERBS = _words(
    "is are was were has have had be been being does do did can could may might will would should "
    "must takes took taking suffers suffered feels felt wants needs"
)
# After such a verb a source is still only named.
MERELY = _words(
    "attached provided available enclosed uploaded given published conducted performed included "
    "needed required received obtained completed"
)
ARTICLES = _words(
    "a an the this that these those some any my our his her their its and or to for on in of at "
    "about from by"
)
GROUPS = _words(
    "set list collection series copy group number sample excerpt section summary part description "
    "overview details bundle results findings"
)
LISTS = _words("set list collection series description overview")
PATIENTS = re.compile(
    r"(?:(?:an?|the)\s)?(?:[\w-]+\s)?(?:patient|man|woman|child|case)\b", re.IGNORECASE
)
# A word for any, and what it stands before: "a drug".
ECHO = re.compile(
    r"(?i)((?:an?|some|any|(?:the )?(?:given|specific|particular|certain))\s)?([\w\s’'-]{3,90})\.?"
)
CLAUSES = re.compile(r"[,:;.(]")
MOST_POINTED = 5  # words between "given" and the end of what it stands before
JOINTS = _words(", and or & / ( ) along with as well plus including such")


@lru_cache(MOST_NOUNS)
def singular(word: str) -> str:
    """A noun without its plural or possessive ending, roughly."""
    word = word.removesuffix("'s").removesuffix("’s").removesuffix("'").removesuffix("’")
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - not "dies"
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "is", "us")):
        return word[:-1]
    return word


def _in_capitals(words: list[str]) -> bool:
    """Whether words are set as a title is, and are no enumeration."""
    small = [word for word in words if word.lower() in ABOUT | ARTICLES]
    long = [word for word in words if len(word) > 3 and word.lower() not in ABOUT]  # noqa: PLR2004
    return (
        bool(small)
        and len(long) >= LEAST_TITLE_WORDS
        and all(word[:1].isupper() for word in long)
        and sum(word.endswith(",") for word in words) < LEAST_TITLE_WORDS - 1
    )


def nouns_of(text: str) -> list[str]:
    """The words of a text in small letters, in the singular."""
    return [singular(word) for word in LETTERS.findall(text.lower())]


def ungrounded_check(rule: UngroundedRule) -> RowCheck:
    """An input that only names the source that its task needs."""
    return _GroundingCheck(rule).look


class _GroundingCheck:
    """Holds what an input names against what the instruction asks."""

    def __init__(self, rule: UngroundedRule) -> None:
        self._most_words = rule.most_words
        self._names = _SourceNames(rule)
        self._reads, self._spares = SignSearch(rule.reads), SignSearch(rule.spares)
        self._subjects, self._titles_do = SignSearch(rule.subjects), SignSearch(rule.titles_do)
        self._results, self._texts = SignSearch(rule.results), frozenset(rule.texts)

    def look(self, task: RowTexts) -> RuleMatch | None:
        """What an ungrounded input names, and as what: a link, a placeholder or a name."""
        text = task.input.strip()
        if not text or len(text) > MOST_CHARS or len(text.split()) > self._most_words:
            return None
        located = LOCATES.search(text) is not None
        if located and self._names.is_link(text):
            return RuleMatch({"saw": shown(text), "as": "link"})
        wanted = self._names.sources_in(task.instruction)
        if not wanted:
            return None
        if PLACEHOLDER.fullmatch(text) or self._names.is_echo(text, task.instruction):
            return RuleMatch({"saw": shown(text), "as": "placeholder"})
        found = self._names.read(LOCATOR.sub("", text) if located else text)
        if (
            found is not None
            and self._names.serves(found, set(wanted.values()))
            and not (found.told and self._is_the_text(wanted, task.instruction))
            and not self._is_enough(found, task.instruction)
        ):
            return RuleMatch({"saw": shown(text), "as": "name"})
        return None

    def _is_the_text(self, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether a sentence on a work is itself the text that the instruction speaks of."""
        texts = self._texts.intersection(wanted)
        others = any(wanted[noun] in {"work", "recording"} for noun in wanted if noun not in texts)
        return bool(texts) and not others and self._results.search(instruction) is None

    def _is_enough(self, name: "_SourceName", instruction: str) -> bool:
        """Whether the task can be done from the mere name."""
        if self._spares.search(instruction) is not None:
            return True
        if self._reads.search(instruction) is not None:
            return False
        return (
            name.bare
            or self._subjects.search(instruction) is not None
            or (name.titled and self._titles_do.search(instruction) is not None)
        )


@dataclass(frozen=True)
class _SourceName:
    """What an input names, and how.

    Attributes:
        noun: the class of the source, as in the rule.
        bare: whether nothing says whose it is or what it is about.
        titled: whether it is a title, or says what a work is about.
        plain: whether no label says that it is a title.
        told: whether it is a whole sentence, such as "This study compares …".
    """

    noun: str
    bare: bool = False
    titled: bool = False
    plain: bool = False
    told: bool = False


class _SourceNames:
    """Reads an input as the name of a source, by the rule's lists."""

    def __init__(self, rule: UngroundedRule) -> None:
        lists = {
            "particular": rule.particulars,
            "recording": rule.recordings,
            "record": rule.records,
            "work": rule.works,
        }
        self._class_of = {noun: name for name, nouns in lists.items() for noun in nouns}
        self._holders = frozenset(rule.holders)
        self._titles = frozenset([*rule.titles, *rule.works])
        self._links = ARTICLES.union(rule.links, rule.works, rule.records, rule.recordings)
        self._tells = frozenset(rule.tells)
        self._asides = frozenset(rule.asides)
        self._points, self._fillers = frozenset(rule.points), frozenset(rule.fillers)

    def is_link(self, text: str) -> bool:
        """Whether there is a link, and nothing but words for one."""
        rest, found = LOCATOR.subn(" ", text)
        return bool(found) and self._links.issuperset(nouns_of(rest))

    def sources_in(self, instruction: str) -> dict[str, str]:
        """The sources that an instruction speaks of, and the class of each."""
        return {one: self._class_of[one] for one in nouns_of(instruction) if one in self._class_of}

    def is_echo(self, text: str, instruction: str) -> bool:
        """Whether "a given drug" is asked about, and the input is "A drug": no word is new."""
        echoed = ECHO.fullmatch(text)
        if echoed is None or MEASURED.search(text):
            return False
        nouns = nouns_of(echoed.group(2))
        if not echoed.group(1) and len(nouns) > 1:
            return False  # "Heart disease" may be what is meant; "a heart disease" is not
        kinds = {noun for noun in nouns if self._class_of.get(noun) == "particular"}
        known = ARTICLES.union(nouns_of(instruction), self._fillers, self._holders)
        return known.issuperset(nouns) and any(
            # The first source after "given" is the given one.
            next((noun for noun in after if noun in self._class_of), "") in kinds
            for after in self._pointed_at(instruction)
        )

    def _pointed_at(self, instruction: str) -> Iterator[list[str]]:
        for clause in CLAUSES.split(instruction):
            nouns = nouns_of(clause)
            for place, noun in enumerate(nouns):
                if noun in self._points:
                    yield nouns[place + 1 : place + MOST_POINTED]

    def serves(self, name: _SourceName, wanted: set[str]) -> bool:
        """Whether what is named is what is asked about."""
        if name.titled:
            return "work" in wanted or ("record" in wanted and not name.plain)
        if name.noun == "particular":
            return True
        return bool(wanted & {"work", "record", "recording"})

    def read(self, text: str) -> _SourceName | None:
        """What an input names; None where any part of it says more than that."""
        parts = [part.strip(" \t-•*") for part in PARTS.split(text)]
        names: list[_SourceName] = []
        for part in parts:
            if not part.strip(" .\"'“”") or part.endswith("?"):
                continue  # a question asks again, and adds nothing
            if names and self._is_aside(part):
                continue
            name = self._read_part(part)
            if name is None:
                return None
            names.append(name)
        if not names:
            return None
        return names[0] if len(names) == 1 else max(names, key=lambda name: name.titled)

    def _is_aside(self, part: str) -> bool:
        found = LABEL.fullmatch(part)
        label = nouns_of(found.group(1)) if found else []
        return bool(label) and label[-1] in self._asides and MEASURED.search(part) is None

    def _read_part(self, part: str) -> _SourceName | None:
        found = LABEL.fullmatch(part)
        if found and len(found.group(1).split()) <= MOST_LABEL_WORDS:
            label, body = nouns_of(found.group(1)), found.group(2).strip()
            if named := self._phrase(body):
                return named
            titled = label and label[-1] in self._titles and "case" not in label
            return self._title(body, labelled=True) if titled else None
        return self._phrase(part) or self._title(part, labelled=False)

    def _title(self, text: str, *, labelled: bool) -> _SourceName | None:
        """A work's title: no sentence, no figures; in quotes or capitals where no label says so."""
        bare = text.strip().strip(".\"'“”‘’")
        words = bare.split()
        if not LEAST_TITLE_WORDS <= len(words) <= MOST_TITLE_WORDS:
            return None
        if MEASURED.search(bare) or AGED.search(bare) or PATIENTS.match(bare):
            return None
        if any(word.strip(",:;()\"'").lower() in SAYS | VERBS for word in words):
            return None
        if labelled:
            return _SourceName("work", titled=True)
        quoted = QUOTED.fullmatch(text.strip()) is not None
        return (
            _SourceName("work", titled=True, plain=True) if quoted or _in_capitals(words) else None
        )

    def _phrase(self, text: str) -> _SourceName | None:
        """A noun phrase for a source, with at most what it is about after it."""
        if MEASURED.search(text):
            return None
        text = text.strip()
        if received := RECEIVED.match(text):
            text = text[received.end() :]
        tokens = TOKEN.findall(text.rstrip(".").lower())
        if SAYS.intersection(tokens):
            return None
        head, rest = self._split(tokens)
        listed = False
        while head and rest[:1] == ["of"] and head[-1] in GROUPS:
            inner, after = self._split(rest[1:])
            if not inner or singular(inner[-1]) not in self._class_of:
                break
            listed = listed or head[-1] in LISTS
            head, rest = head + inner, after
        if not head or len(head) > MOST_HEAD_WORDS:
            return None
        return self._check(head, rest, listed=listed)

    def _check(self, head: list[str], rest: list[str], *, listed: bool) -> _SourceName | None:
        noun = self._class_of.get(singular(head[-1]), "")
        held = any(singular(word) in self._holders for word in head)
        if noun == "work" and self._leaves_open(rest):
            told = bool(self._tells.intersection(rest[:1]))
            return _SourceName(noun, bare=not rest, titled=bool(rest), told=told)
        if noun == "record" and rest[:1] != ["with"] and self._leaves_open(rest):
            return _SourceName(noun, bare=not (rest or held))
        if noun in {"recording", "particular"}:
            of_holder = rest[:1] == ["of"] and any(singular(word) in self._holders for word in rest)
            if noun == "recording" and (held or of_holder) and self._leaves_open(rest):
                return None if rest[:1] == ["with"] else _SourceName(noun)
            if self._is_generic(rest, held=held or listed):
                return _SourceName(noun)
        return None

    def _split(self, tokens: list[str]) -> tuple[list[str], list[str]]:
        """A noun phrase, and what comes after it."""
        for place, token in enumerate(tokens):
            ends = token in ABOUT or token in VERBS or token in JOINTS or token in self._tells
            if ends or not token[0].isalnum():
                return tokens[:place], tokens[place:]
        return tokens, []

    def _leaves_open(self, rest: list[str]) -> bool:
        """Whether what follows a source's name tells no more than what it is about."""
        if not rest:
            return True
        if ":" in rest[1:] and '"' not in rest and "“" not in rest:
            return False
        return not VERBS.intersection(rest) or bool(MERELY.intersection(rest))

    def _is_generic(self, rest: list[str], *, held: bool) -> bool:
        """Particulars of nobody: "a patient's medical history and current symptoms"."""
        while rest and rest[0] in {"of", "for", "from", "about"}:
            inner = [word for word in rest[1:] if word not in ARTICLES and not word[0].isdigit()]
            if not inner or singular(inner[0]) not in self._holders:
                return False
            held, rest = True, inner[1:]
        items: list[list[str]] = [[]]
        for token in rest:
            if token in JOINTS:
                items.append([])
            else:
                items[-1].append(token)
        return held and all(not item or singular(item[-1]) in self._class_of for item in items)
