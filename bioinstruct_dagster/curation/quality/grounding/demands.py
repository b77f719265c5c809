"""Reads what a task demands of its input: a material at hand, and what is to be done with it.

Belongs here: pointing at a material ("the given report", "these drugs"), and verbs that take from
it or judge it. Does not: reading the input (mentions), the signs of the rule (task_needs), or the
words (words/mentions.yaml).
"""

import re

from bioinstruct_dagster.curation.quality.grounding.demand_signs import (
    ASKED_OF,
    ASKS,
    AT_HAND,
    BY_NAME,
    CHOICE_HINTS,
    CHOOSES,
    COPIES,
    FOUND,
    HEDGED,
    HELD,
    HERE,
    LOOKS_AT,
    MOST_MENTION_WORDS,
    MOST_QUESTION_WORDS,
    MOST_WORDS,
    NAME_DOES,
    NAMES_IT,
    OF_ITS_KIND,
    OF_PASSAGE,
    OF_PAST,
    OF_PERSON,
    OF_STUDY,
    OF_THING,
    OPTIONS,
    OTHER_LABEL,
    OWN_TEXT,
    PAST,
    SHORT_TEXTS,
    SUPPORT_HINTS,
    SUPPORTED,
    TELLS_HOW,
    THIS_PERSON,
    VERB,
    WAS,
    WITHIN,
    WRITES_UP,
)
from bioinstruct_dagster.curation.quality.grounding.mention_signs import mention_list
from bioinstruct_dagster.curation.quality.grounding.source_words import (
    has_measurement,
    nouns_of,
    singular,
    source_list,
)
from bioinstruct_dagster.curation.tokens.scripts import count_words
from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.signs import WordedPattern, WordTest


class Demands:
    """Reads instructions by the word lists."""

    def __init__(self) -> None:
        documents, results, images, lists, members = map(
            mention_list, ("documents", "results", "images", "lists", "members")
        )
        self._documents = documents
        self._verbs = mention_list("takes") | mention_list("judges")
        self._sure = mention_list("surely_takes")
        strong = documents | results | images | lists | source_list("readable")
        firm = strong - mention_list("unsure")
        owned = r"(?:the|that|his|her|their|my|your|its|each|[\w-]+(?:'s|’s|s'|s’))"
        gap = (
            r"(?:(?!(?:in|to|for|with|from|by|on|at|of|is|are|was|were)\b)[\w'’/-]+"
            r" (?:or |and )?){0,4}?"
        )
        some = alternatives(strong)
        kinds = alternatives(members)
        sure = alternatives(
            self._sure | {"read", "review", "classify", "analyze", "evaluate", "assess"}
        )
        self._pointed = WordedPattern(
            rf"\b(?:{AT_HAND}|{owned}) {gap}(?:{some})(?:e?s)?\b"
            rf"|\b(?:given|from|using|based on|in|of|{sure}) (?:an?|some"
            rf"|several) {gap}(?:{some})(?:e?s)?\b"
            rf"|\b{AT_HAND} {gap}(?:{kinds})(?:e?s)\b"
            r"|\b(?:shown|pictured|displayed|depicted|seen here)\b",
            re.IGNORECASE,
        )
        read_from = alternatives(
            documents | lists | images | mention_list("data") | source_list("readable")
        )
        self._read_from = WordedPattern(
            rf"\b(?:according to|in|from|on|out of|using|with|following from)"
            rf" (?:the|this|these|his|her|each) {gap}(?:{read_from})(?:e?s)?\b"
            rf"|\bof (?:the|this"
            rf"|these) {gap}(?:{alternatives(documents - mention_list('unsure'))})(?:e?s)?\b",
            re.IGNORECASE,
        )
        firmly = alternatives(firm)
        texts = alternatives(mention_list("texts"))
        facts = alternatives(mention_list("personal"))
        self._personal = WordedPattern(
            r"^(?:what (?:is|are|was|were)|give|name|state|extract|tell|report|provide|identify"
            r"|find|list|note|who is) (?:me )?"
            rf"(?:the |his |her )?(?:[\w-]+(?:'s|’s) )?(?:[\w-]+ )?(?P<fact>{facts})\b"
            r"(?! (?:of|for|to|that|in) (?:an?|the) (?:drug|disease|condition|test|procedure))",
            re.IGNORECASE,
        )
        particulars = alternatives(mention_list("particular"))
        self._particular = WordedPattern(
            r"^(?:please )?(?:list|identify|find|name|state|give|tell|report|provide|note|record"
            r"|document|detect|spot|collect|gather|locate|extract|retrieve|determine|show|enumerate"
            r"|write down|what (?:is|are|was|were)|which)"
            rf"\b(?: (?:me|down|out))? (?:(?:the|all|every|each|any|his|her|all the|all of the"
            rf"|both) (?:[\w'’-]+ ){{0,3}}?|(?:the |this )?[\w-]+(?:'s"
            rf"|’s) (?:[\w-]+ ){{0,2}}?)?(?:{particulars})\b",
            re.IGNORECASE,
        )
        self._content_forms = documents | {f"{one}s" for one in documents} | {"policies"}
        self._content_test = WordTest(self._content_forms)
        content = alternatives(
            documents - mention_list("unsure")
            | {
                "guideline",
                "protocol",
                "policy",
                "label",
                "form",
                "page",
                "website",
                "book",
                "textbook",
            }
        )
        self._content_of = WordedPattern(
            rf"\b(?:according to|as (?:stated|described|given|listed|mentioned|recommended) (?:in"
            rf"|by)|based on|per) (?:the|this|these|that|its) {gap}(?:{content})(?:e?s)?\b"
            rf"|\b(?:what|which|how|when|where|why|who|whom|whether|if)\b.{{0,70}}\b(?:in|from|by"
            rf"|of) (?:the|this|these) {gap}(?:{content})(?:e?s)?\b"
            rf"|\b(?:does|do|did) (?:the|this|these) {gap}(?:{content})(?:e?s)? \w+"
            rf"|\b(?:the|this|these) {gap}(?:{content})(?:e?s)? (?:says?|states?|recommends?"
            rf"|mentions?|reports?|concludes?|contains?|advis\w+|suggests?|describes?|gives?"
            rf"|lists?|names?|warns?|argues?|claims?|defines?|sets?)\b",
            re.IGNORECASE,
        )
        self._supplied = WordedPattern(
            rf"\b(?:{firmly})(?:e?s)? (?:that (?:is|was|are|were) |which (?:is|was|are"
            rf"|were) )?(?:supplied|provided|given|attached|enclosed|uploaded|pasted|shown"
            rf"|submitted|below|above|here)\b(?! by\b| to\b| in\b)",
            re.IGNORECASE,
        )
        end = (
            r"(?=\W*$|[.,;?!]| (?:and|in|into|to|as|by|so|then|using|with|at|for an?"
            r"|for the (?:patient|reader|public)|for use|below|above|provided|attached) )"
        )
        self._absent = WordedPattern(
            rf"^(?:given|based on|using|from|according to|after reading|read|review|look at"
            rf"|consider) "
            rf"(?:an?|the|this|these|each|some|several|following|provided|attached"
            rf"|two) {gap}(?:{firmly})(?:e?s)?"
            rf"(?: of (?:an?|the|this|these|several) (?:[\w-]+ ){{0,3}}(?:patients?|persons?|drugs?"
            rf"|diagnos[ei]s|medications?|symptoms?|codes?|genes?|clients?))?"
            rf"(?:,| and) "
            rf"|\b(?<!of )(?<!of the )(?<!\bis )(?<!\bare )(?:{AT_HAND}) {gap}"
            rf"(?:{firmly})(?:e?s)?{end}"
            rf"|\b(?:in|from|among) (?:the|his|her|their|[\w-]+(?:'s|’s)) {gap}(?:{texts})s?{end}"
            r"|\b(?:summari[sz]e|translate|rewrite|paraphrase|proofread|simplify|shorten|correct"
            r"|convert|respond to|reply to|condense|anonymi[sz]e) (?:the|his|her|their|[\w-]+(?:'s"
            r"|’s))"
            rf" {gap}(?:{texts}){end}"
            rf"|\b(?<!of )(?<!of the )(?:following|above|below|attached|provided|(?:the|an?) given"
            rf"|these"
            rf"|listed) {gap}(?:{kinds})(?:e?s)?{end}"
            rf"|\b(?<!of )(?<!of the ){AT_HAND} {gap}(?:{kinds})(?:e?s){end}",
            re.IGNORECASE,
        )

    def verbs_in(self, instruction: str) -> frozenset[str]:
        """The verbs of the task that take something from a material, or judge it."""
        return self._verbs & _verbs_of(instruction)

    def points(self, instruction: str) -> bool:
        """Whether the instruction points at a material that should be at hand."""
        return self._pointed.search(instruction) is not None

    def points_at(self, noun: str, instruction: str) -> bool:
        """Whether the instruction points at a material of this noun: "the following abstract"."""
        folded = instruction.lower()
        if noun not in folded:
            return False
        pattern = rf"\b{AT_HAND} (?:[\w'’-]+ ){{0,3}}{re.escape(noun)}"
        return re.search(pattern, folded) is not None

    def reads(self, instruction: str) -> bool:
        """Whether the task is about one material at hand, whatever its verb."""
        return (
            PAST.search(instruction) is not None
            or HERE.search(instruction) is not None
            or WRITES_UP.search(instruction) is not None
            or FOUND.search(instruction) is not None
            or self._read_from.search(instruction) is not None
            or ASKS.search(instruction) is not None
            or LOOKS_AT.search(instruction) is not None
        )

    def wants_short_text(self, instruction: str) -> bool:
        """Whether the only text that the task works on is as short as a sentence."""
        texts = self._documents.intersection(nouns_of(instruction))
        return bool(texts) and texts <= SHORT_TEXTS

    def asks_what_it_shows(self, instruction: str) -> bool:
        """Whether a question is about what one material shows or says, or what was found."""
        return ASKED_OF.search(instruction) is not None or WAS.search(instruction) is not None

    def reads_results(self, instruction: str) -> bool:
        """Whether the task needs what only the content of a material tells."""
        return HELD.search(instruction) is not None or WAS.search(instruction) is not None

    def copies(self, instruction: str) -> bool:
        """Whether the answer of the task is words of the material."""
        return COPIES.search(instruction) is not None

    def asks_particulars(self, instruction: str) -> bool:
        """Whether the task asks for what only the record of one person or event tells."""
        return (
            self._particular.search(instruction) is not None and HEDGED.search(instruction) is None
        )

    def asks_of_past(self, instruction: str) -> bool:
        """Whether the task asks what was done, or what a person takes."""
        return OF_PAST.search(instruction) is not None

    def may_ask_facts(self, instruction: str) -> bool:
        """Whether the task may ask for facts about a person. It is quick, and few tasks do."""
        return (
            COPIES.may_match(instruction)
            or self._personal.may_match(instruction)
            or self._particular.may_match(instruction)
        )

    def may_ask_content(self, instruction: str) -> bool:
        """Whether the task may ask what a document says. It is quick, and few tasks do."""
        return self._content_test.may_hold(instruction) and self._content_of.may_match(instruction)

    def asks_content(self, instruction: str) -> bool:
        """Whether the task asks what a document says."""
        words = instruction.lower().replace(",", " ").rstrip(".?").split()
        if self._content_forms.isdisjoint(words):
            return False
        return self._content_of.search(instruction) is not None and not self.is_borne_by_name(
            instruction
        )

    def asks_personal_fact(self, instruction: str) -> bool:
        """Whether the task asks for a fact about one person, such as an occupation."""
        found = self._personal.search(instruction)
        return found is not None and OF_PERSON.search(instruction) is not None

    def takes_surely(self, instruction: str) -> bool:
        """Whether a verb of the task needs the material whatever its object is."""
        return not self._sure.isdisjoint(_verbs_of(instruction))

    def name_is_enough(self, instruction: str) -> bool:
        """Whether a name, a title, a question or a link is all that the task needs."""
        return any(sign.search(instruction) is not None for sign in NAME_DOES)

    def interprets(self, instruction: str) -> bool:
        """Whether the task begins with "interpret"."""
        return instruction.lower().startswith("interpret ")

    def is_borne_by_name(self, instruction: str) -> bool:
        """Whether the name of a material is enough for the task."""
        if TELLS_HOW.search(instruction) is not None and WAS.search(instruction) is None:
            return True
        if NAMES_IT.fullmatch(instruction):
            return True
        return (
            BY_NAME.search(instruction) is not None
            and LOOKS_AT.search(instruction) is None
            and HELD.search(instruction) is None
            and (WITHIN.search(instruction) is None or not self.takes_surely(instruction))
        )

    def chooses_among(self, noun: str, instruction: str) -> bool:
        """Whether the task is about some of the given members: "Which of these codes"."""
        pattern = (
            rf"\b(?:from|among|of|between|rank|order|sort|compare|these|following|listed|given"
            rf"|each)"
            rf"(?: of)?(?: the)? (?:[\w'’-]+ ){{0,3}}{re.escape(noun)}"
        )
        return re.search(pattern, instruction.lower()) is not None

    def is_of_its_kind(self, instruction: str) -> bool:
        """Whether the task is about each material of a kind, and not about one."""
        return OF_ITS_KIND.search(instruction) is not None

    def is_of_thing(self, instruction: str) -> bool:
        """Whether the task asks what a thing is for, or who made it."""
        return OF_THING.search(instruction) is not None and not self.takes_surely(instruction)

    def is_said_to_be_here(self, instruction: str) -> bool:
        """Whether an instruction without input says where its material stands."""
        # Few instructions have the words of these, and to see that takes the least time.
        return (
            THIS_PERSON.fullmatch(instruction) is not None
            or HERE.search(instruction) is not None
            or OF_PASSAGE.search(instruction) is not None
            or self._supplied.search(instruction) is not None
        ) and self._is_empty(instruction)

    def lacks_material(self, instruction: str) -> bool:
        """Whether an instruction without input points at a material that it does not hold."""
        return (
            self._absent.search(instruction) is not None
            and self._is_empty(instruction)
            and not self.is_borne_by_name(instruction)
            and (bool(self.verbs_in(instruction)) or self.reads(instruction))
        )

    def _is_empty(self, instruction: str) -> bool:
        """Whether the instruction itself holds no material."""
        return (
            OWN_TEXT.search(instruction) is None
            and not has_measurement(instruction)
            and count_words(instruction).fewest <= MOST_WORDS
        )

    def lacks_options(self, text: str, instruction: str) -> bool:
        """Whether the task chooses an answer, and the input only mentions the question."""
        return (
            CHOOSES.search(instruction) is not None
            and any(hint in instruction for hint in CHOICE_HINTS)
            and "?" not in text
            and "question" in text.lower()
            and OPTIONS.search(text) is None
            and OPTIONS.search(instruction[:-1]) is None
            and count_words(text).fewest <= MOST_MENTION_WORDS
        )

    def weighs_claim(self, instruction: str) -> bool:
        """Whether the task weighs a claim against a text."""
        return SUPPORTED.search(instruction) is not None

    def lacks_evidence(self, text: str, instruction: str) -> bool:
        """Whether the input is a claim alone, and the task compares it with a text."""
        found = SUPPORTED.search(instruction)
        if found is None or not any(hint in instruction for hint in SUPPORT_HINTS):
            return False
        if OWN_TEXT.search(instruction) is not None:
            return False
        return (
            "\n" not in text
            and text.count(". ") == 0
            and OTHER_LABEL.search(text) is None
            and count_words(text).fewest <= MOST_QUESTION_WORDS
            and OF_STUDY.search(text) is None
            and singular(text.split(maxsplit=1)[0].lower()) not in {"premise", "abstract"}
        )


def _verbs_of(instruction: str) -> frozenset[str]:
    """The words that stand where a clause has its verb, in small letters."""
    return frozenset(map(str.lower, VERB.findall(instruction)))
