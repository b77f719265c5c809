"""Checks whether an input holds the source that its task needs, or only names the source.

If the input of "summarize the article" is a title, or that of "extract the diagnoses" is "A
patient's discharge summary", the teacher must invent the content. An input is ungrounded if each of
its parts names a source (a document, a record, general particulars), no part states the source's
content, and the instruction needs such a source. A topic, a term, a question or a short description
is no source. Belongs here: this decision. Does not: reading an input as a name (source_names), as a
link or a placeholder (stand_ins), or the word lists (words/sources.yaml, data/quality_rules.yaml).
"""

import re
from collections.abc import Mapping

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.missing_parts import MissingParts
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.quality.source_names import (
    QUALITY_PACKAGE,
    SOURCE_LISTS,
    SourceName,
    SourceNames,
    nouns_of,
)
from bioinstruct_dagster.curation.quality.stand_ins import StandIns
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, excerpt
from bioinstruct_dagster.curation.tokens.scripts import count_words
from bioinstruct_dagster.curation.word_lists import word_list
from bioinstruct_dagster.signs import SignSearch

MOST_CHARS = 600  # of an input that may be a name
DATA_SET = re.compile(r"\bdata set\b", re.IGNORECASE)
WRITES_LIST = re.compile(
    r"\b(?:provide|create|generate|make|write|compile|give|suggest|name|produce|develop|prepare"
    r"|draft|offer|recommend)\b.{0,40}\blists?\b|^list\b",
    re.IGNORECASE,
)
GIVEN_LIST = re.compile(
    r"\b(?:given|from|in|following|provided|this|these|with|using|analy[sz]e|review|on)"
    r" (?:an? |the |this )?(?:[\w-]+ ){0,2}(?:lists?|set|collection|series)\b",
    re.IGNORECASE,
)
# The task writes something from a patient's data.
ON_PATIENT = re.compile(
    r"\b(?:based on|using|from) (?:the |an? |this |their |his |her )?(?:given |provided |following )?"
    r"(?:patient|individual|client|person)\b",
    re.IGNORECASE,
)
# The task plans work on a source, and does not read it.
SUGGESTS = re.compile(
    r"^(?:suggest|propose|brainstorm|come up with|offer|plan)\b.{0,20}"
    r"\b(?:ways?|methods?|analysis plan|sample size|improvements?|strateg\w+|features?|titles?|questions?"
    r"|hypothes\w+|names?|outcomes)\b(?!.{0,80}\b(?:based on|from the|in the)\b)",
    re.IGNORECASE,
)
REPLIES = re.compile(r"\b(?:reply|replies|respond|response|answer)\b", re.IGNORECASE)
# The task explains or lists what is known about a kind of source.
EXPLAINS = re.compile(
    r"^(?:define|describe(?! (?:the |any )?(?:[\w-]+ ){0,2}(?:trends?|patterns?|findings?"
    r"|abnormalit\w+|results?|changes) (?:in|of|on|from|seen|shown))|discuss|what|how|why|which|outline|teach|introduce"
    r"|(?:name|list)(?!.{0,80}\b(?:in|from) (?:the|this|these|an?|each)\b)"
    r"|explain(?! (?:the |this |these )?(?:[\w-]+ ){0,3}(?:reports?|results?|findings?|notes?|values?|data)"
    r"(?: to\b| in\b| of (?:the|this|these|an?) (?:patient|biopsy|test|scan|study|report)|\.|$)))\b"
    r"|^(?:provide|give|write) (?:an?|the) (?:[\w-]+ ){0,2}"
    r"(?:overview|explanation|definition|description|instructions?|guide|examples?)\b"
    r"|^(?:give|provide|offer) (?:[\w-]+ )?(?:examples|tips|instructions|advice|ideas)\b"
    r"|\b(?:advantages|disadvantages|benefits|purpose|importance|pros and cons|definition|uses"
    r"|components)\b",
    re.IGNORECASE,
)
# The task works on a text or on data.
PROCESSES = re.compile(
    r"\b(?:extract|interpret|identif(?:y|ies)|determine|calculate|compute|summari[sz]e|translate"
    r"|convert|classify|categori[sz]e|evaluate|assess|analy[sz]e|predict|find|check|compare|rewrite"
    r"|paraphrase|rephrase|simplify|normali[sz]e|annotate|rate|grade|match|review|proofread|estimate"
    r"|diagnose|detect|label|score|fact-check|critique|appraise|verify|validate|count|map|sort|rank"
    r"|filter|guess|transcribe|highlight|correct|reconcile|tag|read|examine|inspect"
    r"|explain (?:the|this|these))\b",
    re.IGNORECASE,
)
# A task about one of these things needs no more than its name.
THINGS = re.compile(
    r"\b(?:terms?|concepts?|words?|phrases?|acronyms?|technolog(?:y|ies)|techniques?|methods?"
    r"|procedures?|tools?|devices?|tests?|exams?|professions?|topics?|subjects?|fields?|specialt(?:y|ies)"
    r"|practices?|services?|documents?|types?|kinds?|use)\b",
    re.IGNORECASE,
)
# The instruction speaks of data that should be there.
AT_HAND = re.compile(
    r"\b(?:given|based on|provided|following|attached|this|these|interpret|analy[sz]e|summari[sz]e"
    r"|extract|assess|evaluate|predict|calculate|review|trends?|patterns?|correlations?)\b|\b(?:patient|individual|person)(?:'s|’s)"
    r"|\b(?:from|in|of) the (?:patient|[\w-]+ (?:record|note|report|data))"
    r"|\b(?:translate|convert|simplify|rewrite|proofread|classify|identify|find|detect|check|correct"
    r"|read|score|label) (?:[\w-]+ ){0,4}?(?:the|this|these)\b",
    re.IGNORECASE,
)


def ungrounded_check(rule: UngroundedRule) -> RowCheck:
    """A check for an input that only names the source that its task needs."""
    return _GroundingCheck(rule).check


class _GroundingCheck:
    """Compares the source that an input names with the task of the instruction."""

    def __init__(self, rule: UngroundedRule) -> None:
        self._most_words = rule.most_words
        self._names, self._stand_ins = SourceNames(rule), StandIns(rule)
        self._parts = MissingParts(rule)
        self._reads, self._spares = SignSearch(rule.reads), SignSearch(rule.spares)
        self._subjects, self._titles_do = SignSearch(rule.subjects), SignSearch(rule.titles_do)
        self._results, self._texts = SignSearch(rule.results), frozenset(rule.texts)
        self._short_texts = word_list(QUALITY_PACKAGE, SOURCE_LISTS, "short_texts")
        self._letters, self._pictures, self._kinds_of_test = (
            word_list(QUALITY_PACKAGE, SOURCE_LISTS, name)
            for name in ("letters", "pictures", "kinds_of_test")
        )
        self._norm_says = SignSearch(rule.norm_says)

    def check(self, row: RowTexts) -> RuleMatch | None:
        """The match for an ungrounded input: a link, a placeholder, a name, or a missing part."""
        text, instruction = (
            DATA_SET.sub("dataset", one) for one in (row.input.strip(), row.instruction)
        )
        if not text:
            missing = self._parts.has_no_text(instruction)
            return RuleMatch({"saw": excerpt(instruction), "as": "missing"}) if missing else None
        if len(text) > MOST_CHARS or count_words(text).fewest > self._most_words:
            return None
        kind = self._kind(text, instruction)
        return RuleMatch({"saw": excerpt(text), "as": kind}) if kind else None

    def _kind(self, text: str, instruction: str) -> str:
        """What a short input is in place of the text that the task needs; empty if it is one."""
        if self._stand_ins.is_link(text):
            return "link"
        if self._stand_ins.is_mark(text):
            return "placeholder"
        if self._parts.is_question_alone(text, instruction):
            return "question"
        if self._parts.lacks_second(text, instruction):
            return "one of two"
        found = self._names.read(self._stand_ins.without_links(text))
        wanted = self._names.sources_in(instruction)
        if found is not None and found.members:
            return "name" if self._needs_list(found.members, instruction) else ""
        if wanted and self._stand_ins.is_echo(text, instruction):
            return "placeholder"
        if self._names.is_token(text, instruction) and not self._spares.search(instruction):
            return "placeholder"
        if self._stand_ins.is_person(text) and "record" in wanted.values():
            return "" if self._spares.search(instruction) else "placeholder"
        if (
            found is not None
            and not self._is_short_text(found, wanted)
            and not (found.is_sentence and self._is_the_text(wanted, instruction))
            and self._is_needed(found, wanted, text, instruction)
        ):
            return "name"
        return "name" if self._is_vague(text, wanted, instruction) else ""

    def _is_needed(
        self, name: SourceName, wanted: Mapping[str, str], text: str, instruction: str
    ) -> bool:
        """Whether the task needs the content of the named source."""
        if SUGGESTS.search(instruction):
            return False
        if name.loose and name.word:
            return self._is_meant(name, wanted, instruction)
        if self._names.is_wanted(name, set(wanted.values())) and not self._is_enough(
            name, instruction
        ):
            return True
        if name.noun != "work" and self._names.is_held(text) and ON_PATIENT.search(instruction):
            return True
        if name.word in self._letters and REPLIES.search(instruction):
            return True
        if name.noun == "norm" or not name.word or self._is_topical(instruction):
            return False
        # The instruction need not mention the source: "Check for contraindications."
        if name.noun != "work" and self._names.is_held(text):
            return True
        if PROCESSES.search(instruction) is None:
            return False
        if name.bare:
            return THINGS.search(instruction) is None and not self._titles_do.search(instruction)
        return not (name.titled and self._titles_do.search(instruction))

    def _is_meant(self, name: SourceName, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether a name that may be a topic, such as "Chest X-ray", is a source in this task."""
        if self._spares.search(instruction) or EXPLAINS.search(instruction):
            return False
        word = re.escape(name.word)
        given = re.compile(
            rf"\b(?:given|based on|from|using|following|provided|this|the) (?:[\w'’-]+ ){{0,3}}{word}"
        ).search(instruction.lower())
        if name.noun == "particular":
            if name.word == "description":
                return THINGS.search(instruction) is None and bool(PROCESSES.search(instruction))
            return given is not None and "provide" not in instruction.lower()[:10]
        is_wanted = self._names.is_wanted(name, set(wanted.values()))
        if (
            is_wanted
            and self._reads.search(instruction)
            and not self._subjects.search(instruction)
        ):
            return self._titles_do.search(instruction) is None or name.noun == "recording"
        if name.noun != "recording" or PROCESSES.search(instruction) is None:
            return False
        if name.word in self._pictures - self._kinds_of_test and not THINGS.search(instruction):
            return True
        return given is not None and name.word not in self._kinds_of_test

    def _is_topical(self, instruction: str) -> bool:
        """Whether the task is about a kind of source, or writes one, and reads none."""
        return (
            self._spares.search(instruction) is not None
            or EXPLAINS.search(instruction) is not None
            or self._subjects.search(instruction) is not None
        )

    def _is_short_text(self, name: SourceName, wanted: Mapping[str, str]) -> bool:
        """Whether the name may itself be the sentence or the headline that the task is about."""
        texts = {noun for noun, kind in wanted.items() if kind != "particular"}
        return bool(texts) and texts <= self._short_texts and name.word not in self._short_texts

    def _needs_list(self, members: str, instruction: str) -> bool:
        """Whether the task is about the members of a list, and not to write one."""
        if self._spares.search(instruction) or WRITES_LIST.search(instruction):
            return False
        return members in nouns_of(instruction) or GIVEN_LIST.search(instruction) is not None

    def _is_vague(self, text: str, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether the task is about data at hand, and the input only says that there are some."""
        if not self._names.is_vague(text) or self._is_topical(instruction):
            return False
        if self._names.is_held(text) or text.lower().startswith(("a ", "an ", "the ")):
            return True
        return not wanted.keys().isdisjoint(nouns_of(text)) and (
            PROCESSES.search(instruction) is not None or AT_HAND.search(instruction) is not None
        )

    def _is_the_text(self, wanted: Mapping[str, str], instruction: str) -> bool:
        """Whether a sentence about a work is itself the text that the instruction means."""
        texts = self._texts.intersection(wanted)
        others = any(wanted[noun] in {"work", "recording"} for noun in wanted if noun not in texts)
        return bool(texts) and not others and self._results.search(instruction) is None

    def _is_repeated(self, name: SourceName, instruction: str) -> bool:
        """Whether the task is about the named source: "Lab results" for "these lab results"."""
        return (
            name.word in nouns_of(instruction)
            and not self._is_topical(instruction)
            and (PROCESSES.search(instruction) or AT_HAND.search(instruction)) is not None
            and self._titles_do.search(instruction) is None
        )

    def _is_enough(self, name: SourceName, instruction: str) -> bool:
        """Whether the name alone is enough for the task."""
        if self._spares.search(instruction) is not None:
            return True
        if name.noun == "norm":
            return self._norm_says.search(instruction) is None
        if self._reads.search(instruction) is not None:
            return False
        if name.bare and name.noun != "norm" and self._is_repeated(name, instruction):
            return False
        return (
            name.bare
            or self._subjects.search(instruction) is not None
            or EXPLAINS.search(instruction) is not None
            or (name.titled and self._titles_do.search(instruction) is not None)
        )
