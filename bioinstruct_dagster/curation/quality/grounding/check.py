"""Checks whether an input holds the source that its task needs, or only names the source.

If the input of "summarize the article" is a title, or that of "extract the diagnoses" is "A
patient's discharge summary", the teacher must invent the content. An input is ungrounded if each of
its parts names a source (a document, a record, a list, general particulars), no part states the
source's content, and the task needs it. A topic, a term, a question or a short description is no
source. Belongs here: this decision. Does not: reading an input as a name (source_names), as a link
or a placeholder (stand_ins), in a plain form (plain_names), as general words (vague_inputs), as a
part of what is needed (missing_parts, two_things), as the mention of a material (mentions) or of
things without a name (unnamed), comparing the output (overlap), or reading the instruction
(task_needs, demands), or rows of another wording (learned).
"""

import re
from collections.abc import Callable
from functools import cache, partial

from bioinstruct_dagster.curation.gates import RowTexts
from bioinstruct_dagster.curation.quality.grounding.demands import Demands
from bioinstruct_dagster.curation.quality.grounding.learned.judge import LearnedJudge
from bioinstruct_dagster.curation.quality.grounding.mention_signs import (
    MARKS,
    Mention,
    mention_list,
)
from bioinstruct_dagster.curation.quality.grounding.mentions import Mentions
from bioinstruct_dagster.curation.quality.grounding.missing_parts import MissingParts
from bioinstruct_dagster.curation.quality.grounding.overlap import Overlap, overlap
from bioinstruct_dagster.curation.quality.grounding.plain_names import PlainNames, shares_word
from bioinstruct_dagster.curation.quality.grounding.source_names import SourceNames
from bioinstruct_dagster.curation.quality.grounding.source_words import (
    SourceWords,
    has_measurement,
    nouns_of,
)
from bioinstruct_dagster.curation.quality.grounding.stand_ins import StandIns
from bioinstruct_dagster.curation.quality.grounding.task_needs import TaskNeeds
from bioinstruct_dagster.curation.quality.grounding.two_things import lacks_second
from bioinstruct_dagster.curation.quality.grounding.unnamed import Unnamed, invents
from bioinstruct_dagster.curation.quality.grounding.vague_inputs import VagueInputs
from bioinstruct_dagster.curation.quality.grounding_weights import shipped_weights
from bioinstruct_dagster.curation.quality.rules import UngroundedRule
from bioinstruct_dagster.curation.quality.wording import RowCheck, RuleMatch, excerpt
from bioinstruct_dagster.curation.tokens.scripts import count_words

MOST_CONTENT_WORDS = 45  # of an input that only mentions what the task needs
MOST_COPIED_WORDS = 25  # of an input that lacks what the task copies
# The beginning of a sentence: "The patient was given …".
UNFINISHED = re.compile(r"[A-Z].*\b(?:was|is|were|are|has|had)\b[^:_]*(?:\.\.\.|…)")
ANSWERS = frozenset({"answer"})  # a question, which may state something itself
CLINICAL_PICTURE = "clinical picture"  # no picture
NORMS = frozenset({"guideline", "protocol", "policy"})  # public knowledge
KNOWN_FORMS = frozenset({"name", "link", "question"})
MOST_CHARS = 600  # of an input that may be a name
DATA_SET = re.compile(r"\bdata set\b", re.IGNORECASE)
# Normal tissue is compared with diseased tissue; that it is normal is no finding.
NORMAL_TISSUE = re.compile(
    r"\bnormal (?=(?:[\w-]+ )?(?:tissue|cell|sample|control|volunteer|mucosa|subject)s?\b)",
    re.IGNORECASE,
)
ON_TOPIC = re.compile(
    r"(?<=[a-z]) (?:about|on) an? (?:[\w-]+ )?topic\b"
)  # tells nothing of the task
DETERMINED = ("a ", "an ", "the ")

_Told = Callable[[], Overlap]  # the overlap of an output with its row, which few rows need


def ungrounded_check(rule: UngroundedRule) -> RowCheck:
    """A check for an input that only names the source that its task needs."""
    return _GroundingCheck(rule).check


def _read_plainly(text: str, instruction: str) -> tuple[str, str]:
    """Input and instruction without words that only look like a source or a finding."""
    if "ata set" in text or "ata set" in instruction:
        text, instruction = (DATA_SET.sub("dataset", one) for one in (text, instruction))
    if " topic" in instruction:
        instruction = ON_TOPIC.sub("", instruction)
    return (NORMAL_TISSUE.sub("", text) if "normal " in text else text), instruction


class _GroundingCheck:
    """Compares the source that an input names with the task of the instruction."""

    def __init__(self, rule: UngroundedRule) -> None:
        self._most_words = rule.most_words
        words = SourceWords(rule)
        self._names, self._vague = SourceNames(rule, words), VagueInputs(words)
        self._stand_ins, self._parts = StandIns(rule), MissingParts(rule)
        self._words, self._needs = words, TaskNeeds(rule, words)
        self._plain, self._mentions, self._demands = PlainNames(), Mentions(), Demands()
        self._unnamed, self._persons = Unnamed(), mention_list("of_persons")
        self._judge = (
            None if rule.least_score is None else LearnedJudge(shipped_weights(), rule.least_score)
        )

    def check(self, row: RowTexts) -> RuleMatch | None:
        """The match for an ungrounded input; its evidence says of which form the input is.

        What no written form settles is left to the learned judge.
        """
        found = self._match(row)
        return self._judge.check(row) if found is None and self._judge else found

    def _match(self, row: RowTexts) -> RuleMatch | None:
        """The match for an input of a written form."""
        text = row.input.strip()
        if not text:
            missing = self._has_no_material(row.instruction)
            evidence = {"saw": excerpt(row.instruction), "as": "missing"}
            return RuleMatch(evidence) if missing else None
        if len(text) > MOST_CHARS or count_words(text).fewest > self._most_words:
            return None
        form = self._form_of(*_read_plainly(text, row.instruction), row.output)
        return RuleMatch({"saw": excerpt(text), "as": form}) if form else None

    def _form_of(self, text: str, instruction: str, output: str) -> str:
        """The form of an ungrounded input; empty if the input or its name is enough."""
        told = cache(partial(overlap, text, instruction, output))
        form = self._form(text, instruction)
        if form == "name" and self._tells_finding(text, output):
            return ""
        if not form and (
            self._plain.is_name(text, instruction, output)
            or self._is_mentioned(text, instruction, output, told)
        ):
            form = "name"
        is_name = form in {"name", "link"}
        known = (is_name and self._demands.is_of_thing(instruction)) or (
            form in KNOWN_FORMS and self._demands.name_is_enough(instruction)
        )
        if known or (form == "name" and told().is_taken):
            return ""
        return form

    def _has_no_material(self, instruction: str) -> bool:
        """Whether nothing stands in place of the material at which the instruction points."""
        demands = self._demands
        if CLINICAL_PICTURE in instruction:
            return False
        if demands.is_said_to_be_here(instruction) or self._parts.has_no_text(instruction):
            return not demands.is_of_its_kind(instruction)
        return demands.lacks_material(instruction) and (
            demands.reads(instruction) or not self._needs.is_topical(instruction)
        )

    def _is_mentioned(  # noqa: PLR0911 - one question after the other, the quick ones first
        self, text: str, instruction: str, output: str, told: _Told
    ) -> bool:
        """Whether the input mentions the material that the task takes from or judges."""
        words = [word.strip(MARKS) for word in text.lower().split()]
        mentions, demands, unnamed = self._mentions, self._demands, self._unnamed
        if len(words) > MOST_CONTENT_WORDS or text in instruction or mentions.tells(words):
            return False
        if UNFINISHED.fullmatch(text):
            return False
        person = not self._persons.isdisjoint(words)
        if (
            person
            and len(words) <= MOST_COPIED_WORDS
            and self._lacks_facts(text, instruction, told)
        ):
            return True
        if unnamed.holds_no_figure(text, instruction) or unnamed.depends(text, instruction, output):
            return True
        if self._is_unnamed(text, words, instruction) and invents(told()):
            return True
        if (
            mentions.is_plain_name(text, words)
            and demands.asks_content(instruction)
            and told().is_foreign
        ):
            return True
        if not mentions.may_mention(text, words):
            return False
        mention = mentions.read(text, instruction)
        return mention is not None and self._is_needed(mention, instruction, told())

    def _lacks_facts(self, text: str, instruction: str, told: _Told) -> bool:
        """Whether the output tells facts about a person that the input does not give."""
        demands = self._demands
        if demands.copies(instruction):
            return told().is_foreign and not self._needs.spares(instruction)
        if has_measurement(text):
            return False
        if demands.asks_personal_fact(instruction):
            return told().is_all_new
        if "," in text or not demands.asks_particulars(instruction):
            return False
        return (told().figures or demands.asks_of_past(instruction)) and told().is_foreign

    def _is_unnamed(self, text: str, words: list[str], instruction: str) -> bool:
        """Whether the input says that something exists, and the task needs to know what it is."""
        if not self._unnamed.only_exists(text, words):
            return self._unnamed.counts(text, words, instruction)
        demands = self._demands
        if demands.is_borne_by_name(instruction) or demands.weighs_claim(instruction):
            return False
        return (
            demands.points(instruction)
            or demands.reads(instruction)
            or bool(
                demands.verbs_in(instruction) - ANSWERS and not self._needs.is_topical(instruction)
            )
        )

    def _is_needed(  # noqa: C901, PLR0911 - one question after the other
        self, mention: Mention, instruction: str, told: Overlap
    ) -> bool:
        """Whether the task needs the material that the input mentions."""
        demands = self._demands
        if mention.bare and not mention.is_thing and demands.points_at(mention.noun, instruction):
            return True
        if mention.blank and mention.noun == "record":
            return told.is_invented
        if mention.is_sentence and demands.wants_short_text(instruction):
            return False
        points, reads = demands.points(instruction), demands.reads(instruction)
        if demands.is_borne_by_name(instruction) and not mention.is_member:
            # "Interpret the abbreviations of this prescription" needs more than "A prescription".
            return mention.bare and points and demands.interprets(instruction)
        if mention.blank and (points or reads):
            return True
        if mention.is_member and not mention.bare:
            return told.is_invented and demands.chooses_among(mention.noun, instruction)
        verbs = demands.verbs_in(instruction)
        if not reads and (self._needs.is_topical(instruction) or not verbs):
            return False
        if (
            not (mention.bare or mention.is_thing)
            and self._needs.title_does(instruction)
            and not demands.reads_results(instruction)
        ):
            return False
        if mention.is_thing:
            asked = bool(verbs) or demands.asks_what_it_shows(instruction)
            known = points or told.figures or demands.takes_surely(instruction)
            return asked and known and (mention.bare or told.is_invented)
        if mention.bare:
            return True
        if told.figures and mention.noun not in NORMS:
            return True
        if mention.noun in NORMS or not (points or reads):
            asked = demands.takes_surely(instruction) or demands.asks_content(instruction)
            return asked and told.is_invented
        return told.is_invented

    def _form(self, text: str, instruction: str) -> str:
        """The form of an ungrounded input; empty if the input is grounded."""
        if self._stand_ins.is_link(text):
            return "link"
        if self._stand_ins.is_mark(text):
            return "placeholder"
        if self._parts.is_question_alone(text, instruction) or self._demands.lacks_options(
            text, instruction
        ):
            return "question"
        if self._demands.lacks_evidence(text, instruction):
            return "one of two"
        return (
            "one of two" if lacks_second(text, instruction) else self._named_form(text, instruction)
        )

    def _tells_finding(self, text: str, output: str) -> bool:
        """Whether "with" introduces what a recording shows, and the output repeats it."""
        head, _, told = text.partition(" with ")
        if not told or not shares_word(told, output):
            return False
        found = self._names.read(head)
        return found is not None and found.noun == "recording"

    def _named_form(self, text: str, instruction: str) -> str:
        """The same for an input that may name a source."""
        found = self._names.read(self._stand_ins.without_links(text))
        if found is not None and found.members:
            return "name" if self._needs.needs_list(found.members, instruction) else ""
        if self._repeats(text, instruction):
            return "placeholder"
        named = found is not None and self._needs.needs(found, text, instruction)
        return "name" if named or self._is_general(text, instruction) else ""

    def _repeats(self, text: str, instruction: str) -> bool:
        """Whether the input only repeats a noun, or only tells who the patient is."""
        if self._stand_ins.is_echo(text, instruction):
            return True
        repeats = self._vague.is_token(text, instruction) or (
            self._stand_ins.is_person(text)
            and "record" in self._needs.sources_in(instruction).values()
        )
        return repeats and not self._needs.spares(instruction)

    def _is_general(self, text: str, instruction: str) -> bool:
        """Whether the task is about data at hand, and the input only says that there are some."""
        if not self._vague.is_vague(text) or self._needs.is_topical(instruction):
            return False
        if self._words.is_held(text) or text.lower().startswith(DETERMINED):
            return True
        wanted = self._needs.sources_in(instruction)
        return not wanted.keys().isdisjoint(nouns_of(text)) and self._needs.is_at_hand(instruction)
