"""Reads what a task demands of its input: a material at hand, and what is to be done with it.

Belongs here: pointing at a material ("the given report", "these drugs"), and verbs that take from
it or judge it. Does not: reading the input (mentions), the signs of the rule (task_needs), or the
words (words/mentions.yaml).
"""

import re

from bioinstruct_dagster.curation.quality.grounding.mentions import mention_list
from bioinstruct_dagster.curation.quality.grounding.source_words import (
    has_measurement,
    nouns_of,
    singular,
    source_list,
)
from bioinstruct_dagster.curation.tokens.scripts import count_words
from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.signs import WordedPattern

AT_HAND = (
    r"(?:this|these|those|following|(?:the|an?|each|any|your) given|attached|enclosed|provided|above|below|listed"
    r"|accompanying|supplied|specified|named|mentioned|reported|submitted|uploaded|indicated)"
)
# The material is said to be at hand: "the abstract supplied", "the patient described above".
HERE = WordedPattern(
    r"\b(?:described|mentioned|given|presented|shown|listed|provided|supplied|attached|named|quoted"
    r"|printed|stated|included|reported|announced|pasted) (?:above|below|here|as (?:the |an )?input|in the input"
    r"|earlier|previously|overleaf)\b"
    r"|\b(?:is|are) (?:attached|enclosed|uploaded|supplied|pasted|shown (?:above|below|here))\b"
    r"|\b(?:shown|pictured|depicted|displayed)(?: (?:is|are|has|have)\b|\W*$)"
    r"|\bthis (?:patient|man|woman|child|infant|person|case)\b(?! (?:with|who|whose|has|had|is a|of|study|report))"
    r"|\bthe (?:underlined|highlighted|boldfaced?|italici[sz]ed|bracketed|circled|marked|misspelled"
    r"|misspelt|missing) (?:word|term|part|phrase|value|text|letter)s?\b"
    r"|\b(?:patient|man|woman) in question\b|\b(?:you see|you are given|you have been given|in front of you)\b"
    r"|\bthe (?:first|second|third|last|other) (?:sentence|statement|option|paragraph|passage"
    r"|text|image|report|note|claim)\b",
    re.IGNORECASE,
)
WRITES_UP = WordedPattern(
    r"\b(?:summary|conclusions?|impression|abstract|synopsis|caption|interpretation|discussion)"
    r" (?:section |part |paragraph )?(?:of|for|to|from|that follows from) (?:the|this|these)\b",
    re.IGNORECASE,
)
# What each material of its kind holds, or should hold.
OF_ITS_KIND = WordedPattern(
    r"\bshould (?:include|contain|have|be)\b|\bcomponents\b|\belements of\b|\btypical\b|\bhow to\b"
    r"|\bin general\b|\bstandard\b",
    re.IGNORECASE,
)
# What a thing is for, or who made it, which its name tells.
OF_THING = WordedPattern(
    r"\bmodalit\w+\b|\bused (?:for|to)\b|\bpublish(?:es|ed by)\b|\borgani[sz]ation\b"
    r"|\bwhat (?:kind|sort|type) of\b",
    re.IGNORECASE,
)
SHORT_TEXTS = frozenset(
    {
        "sentence",
        "statement",
        "phrase",
        "claim",
        "headline",
        "quote",
        "snippet",
        "passage",
        "message",
        "text",
        "book",
        "study",
        "tweet",
        "post",
        "label",
    }
)
MOST_WORDS = 45  # of an instruction that holds no material itself
MOST_QUESTION_WORDS = 40

# A verb at the beginning of a clause, or after "please", "and" and similar words.
VERB = re.compile(
    r"(?:^|[.!?:;,]\s+|\b(?:and|then|to|please|can you|could you|you|or)\s+)(?:\w+ly\s)?([a-z-]+)",
    re.IGNORECASE,
)
# What the name of a material tells, or what is known of each material of its kind.
BY_NAME = WordedPattern(
    r"\b(?:(?<!cell )(?<!blood )types?|kinds?|modalit\w+|purpose|indications?|when (?:to|is|should)|why|preparation"
    r"|department|specialty|genre|titles?|headings?|meaning|view|projection|body (?:part|region)|organ|anatom\w+"
    r"|uses?|used (?:for|to)|publish(?:es|ed by)|organi[sz]ation|journal|year|web ?site|strengths?|components|elements|principles?|importance|typically|common|expected|usually|usual|ideal|template|checklist"
    r"|units?|examples?|should (?:contain|include|be|have)|how (?:to|do|does|is|are|(?:the|an?) [\w ]{1,30}? (?:is|are|should))|hypothes[ie]s|topics?|keywords?|subject"
    r"|research question|study design|full form|stands? for|definition|synonyms?|(?<!in )terms?|acronym|abbreviation)\b",
    re.IGNORECASE,
)
# A question about what was done, said or found, or about one material at hand.
PAST = WordedPattern(
    r"\b(?:which|what|how many|how|who|when|where|whether|if|did|was|were)\b.{0,60}?"
    r"\b(?:was|were|did|had|has been|have been|(?:have|has) \w+(?:ed|en))\b"
    r"|\bwhat (?:the [\w-]+|he|she|they|we) (?:\w+ed|said|told|wrote|did|saw|felt|took|ate)\b"
    r"|\b(?:is|are) (?:reported|mentioned|stated|recorded|described|documented|noted|visible|seen"
    r"|shown)\b|\b(?:that|which) the \w+ (?:used|mentioned|reported|described|made|acknowledge)\b",
    re.IGNORECASE,
)
OF_PERSON = WordedPattern(
    r"(?:'s|’s|s'|s’) |\b(?:his|her)\b|\b(?:of|for) (?:the|this|his|her) (?:[\w-]+ )?(?:patient|man|woman|newborn|child|infant"
    r"|baby|boy|girl|person)\b",
    re.IGNORECASE,
)
ASKS = WordedPattern(
    r"\b(?:does|did|do|is|are|was|were|has|have) (?:the|this|these|that|those|table|figure|chapter|section)\b",
    re.IGNORECASE,
)
ASKED_OF = WordedPattern(
    r"^(?:is|are|has|have|did|was|were) (?:the|this|these|there|any)\b(?! an?\b)"
    r"|\b(?:does|do|what|how) (?:the|this|these) (?:[\w-]+ ){1,4}?(?:show|say|reveal|indicate|suggest"
    r"|tell|contain|mention|recommend|state|describe|report|use|give|list)s?\b",
    re.IGNORECASE,
)
FOUND = WordedPattern(
    r"\bthe (?:[\w-]+ ){0,2}(?:results?|findings?|hypothes[ie]s|conclusions?|authors?|researchers"
    r"|speakers?|callers?|presenters?|writers?|interviewees?|participants|reviewers?|lecturers?"
    r"|data|p-values?|endpoints?|confounders?|effect size|sample size|investigators)\b",
    re.IGNORECASE,
)
# The task copies words out of a material.
COPIES = WordedPattern(
    r"(?:^|[.,;:]\s|\b(?:and|then|please|to)\s)(?:\w+ly\s)?(?:extract|pull|retrieve|quote"
    r"|highlight|pick out|copy|redact|underline)\b(?!.{0,20}\b(?:potential|possible|likely|relevant)\b)"
    r"|^(?:identify|find|list|name|give|locate|spot|note) (?:every|each|all)\b.{0,60}\b(?:in|from|that (?:was|were|is|are))\b"
    r"|^(?:which|what) (?!is\b|are\b|was\b)\w.{0,60}\b(?:is|are|was|were) (?:reported|mentioned|stated|recorded"
    r"|documented|noted)\b"
    r"|^(?:list|name|give|state|identify|report) (?:the|all|every) [\w -]{2,40} that (?:was|were|have been|has been|had)\b"
    r"|^(?:list|name|give|state|identify|report) the [\w -]{2,40} (?:documented|recorded|noted"
    r"|charted|mentioned|reported|stated) (?:for|in|by|on|at|during)\b",
    re.IGNORECASE,
)
CHOICE_HINTS = ("answer", "option", "choice", "alternative")
CHOOSES = WordedPattern(
    r"\b(?:choose|select|pick|mark|give|identify) (?:the )?(?:single )?(?:correct|best|right|most appropriate)"
    r" (?:answer|option|choice|alternative)\b",
    re.IGNORECASE,
)
# What is general or may be inferred, and need not stand in a record.
HEDGED = WordedPattern(
    r"\b(?:possible|potential|potentially|likely|common|commonly|typical|typically|expected|usual|usually|should|recommend\w*|suggest\w*"
    r"|first-line|appropriate|suitable|necessary|required|needed|general|may|might|can|could|would|risk|associated with|caused by"
    r"|causes?|used (?:to|for|in)|relevant|best|next|main|key|important|classic|characteristic|consistent with|contraindicated|interact\w*"
    r"|of (?:an?|each|this|the) (?:disease|condition|disorder|drug|medication|syndrome|infection|deficiency))\b",
    re.IGNORECASE,
)
OF_PAST = WordedPattern(
    r"\b(?:was|were|did|had|has been|have been|taking|takes|took|prescribed|received|performed|done|given"
    r"|documented|recorded|reported|noted|mentioned|found|seen|on admission|at discharge|discharge"
    r"|examination|exam)\b",
    re.IGNORECASE,
)
WAS = WordedPattern(r"\b(?:was|were|did|had)\b", re.IGNORECASE)
TELLS_HOW = WordedPattern(
    r"^(?:please )?(?:describe|explain|tell|outline|show) (?:how|why|when)\b", re.IGNORECASE
)
NAMES_IT = re.compile(r"(?:identify|name) the [\w ]{3,25}\.?", re.IGNORECASE)
# What only the content of a material tells.
HELD = WordedPattern(
    r"\b(?:findings?|results?|conclusions?|conclu\w+|quality|sample size|outcomes?|limitations(?! of (?:this|the|an?) (?:study design|design|method|approach|technique))|(?:was|were|has been) (?:\w+ )?confirmed)\b",
    re.IGNORECASE,
)
WITHIN = re.compile(
    r"\b(?:in|from|within|by|of|to|on) (?:the|this|these|that|each|following|given|her|his|their) ",
    re.IGNORECASE,
)
# A quotation, or a text after a colon or a line break, may be the material itself.
OWN_TEXT = re.compile(
    r"\([^()]*\d[^()]*\)|:\s*\S|[\"“]\S+|['‘]\S+\s[^'’]{3,}['’]|\n\s*\S|…|\.\.\.|\(e\.g|\bsuch as\b"
)
OPTIONS_ASKED = WordedPattern(r"\bwhich (?:one )?of (?:the following|these)\b", re.IGNORECASE)
OPTIONS = re.compile(r"\n\s*\S|\\n|\b[A-Ea-e1-5][).:]\s|\([A-Ea-e1-5]\)|[:;]\s*\S|,|\bor\b|\?\s*\S")
SUPPORTED = WordedPattern(
    r"\b(?P<first>claim|statement|hypothesis|question|answer|sentence|conclusion|summary|headline)\b"
    r".{0,60}\b(?:supported|confirmed|refuted|contradicted|backed|entailed|answered|consistent"
    r"|agrees?|justified|supports?|refutes?|contradicts?|entails?|verified|answerable)\b.{0,30}?"
    r"\b(?:by|with|from|in|of)? ?(?:the|this|an?) (?:[\w-]+ ){0,2}"
    r"(?P<second>abstract|passage|text|article|report|note|document|paper|table|premise|context"
    r"|excerpt|paragraph)\b"
    r"|\b(?:supports?|refutes?|contradicts?|entails?|answers?) (?:the|this|an?) (?:[\w-]+ ){0,2}"
    r"(?:claim|statement|hypothesis)\b",
    re.IGNORECASE,
)
# Each such task has one of these parts. They are quick to search for.
SUPPORT_HINTS = (
    *("upport", "onfirm", "efut", "ontradict", "backed", "ntail", "nswer", "onsistent", "agree"),
    *("ustif", "erifi"),
)
OF_STUDY = re.compile(r"\d|\b(?:we|our|randomi[sz]ed|measured|enrolled|assigned)\b", re.IGNORECASE)
OTHER_LABEL = re.compile(
    r"\b(?:abstract|passage|text|article|report|note|document|paper|table|premise|context|excerpt"
    r"|paragraph|evidence)s?\b",
    re.IGNORECASE,
)


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
        at_hand = AT_HAND
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
            rf"\b(?:{at_hand}|{owned}) {gap}(?:{some})(?:e?s)?\b"
            rf"|\b(?:given|from|using|based on|in|of|read|review|{sure}) (?:an?|some|several) {gap}(?:{some})(?:e?s)?\b"
            rf"|\b{at_hand} {gap}(?:{kinds})(?:e?s)\b"
            r"|\b(?:shown|pictured|displayed|depicted|seen here)\b",
            re.IGNORECASE,
        )
        read_from = alternatives(
            documents | lists | images | mention_list("data") | source_list("readable")
        )
        self._read_from = WordedPattern(
            rf"\b(?:in|from|on|out of|using|with|following from) (?:the|this|these|his|her|each) {gap}(?:{read_from})(?:e?s)?\b"
            rf"|\bof (?:the|this|these) {gap}(?:{alternatives(documents - mention_list('unsure'))})(?:e?s)?\b",
            re.IGNORECASE,
        )
        firmly = alternatives(firm)
        texts = alternatives(mention_list("texts"))
        facts = alternatives(mention_list("personal"))
        self._personal = WordedPattern(
            r"^(?:what (?:is|are|was|were)|give|name|state|extract|tell|report|provide|identify|find|list|note|who is) (?:me )?"
            rf"(?:the |his |her )?(?:[\w-]+(?:'s|’s) )?(?:[\w-]+ )?(?P<fact>{facts})\b"
            r"(?! (?:of|for|to|that|in) (?:an?|the) (?:drug|disease|condition|test|procedure))",
            re.IGNORECASE,
        )
        particulars = alternatives(mention_list("particular"))
        self._particular = WordedPattern(
            r"^(?:please )?(?:list|identify|find|name|state|give|tell|report|provide|note|record|document|detect|spot|collect|gather|locate|extract|retrieve|determine|show|enumerate|write down|what (?:is|are|was|were)|which)"
            rf"\b(?: (?:me|down|out))? (?:(?:the|all|every|each|any|his|her|all the|all of the|both) (?:[\w'’-]+ ){{0,3}}?|(?:the |this )?[\w-]+(?:'s|’s) (?:[\w-]+ ){{0,2}}?)?(?:{particulars})\b",
            re.IGNORECASE,
        )
        self._content_forms = documents | {f"{one}s" for one in documents} | {"policies"}
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
            rf"\b(?:according to|as (?:stated|described|given|listed|mentioned|recommended) (?:in|by)|based on|per) (?:the|this|these|that|its) {gap}(?:{content})(?:e?s)?\b"
            rf"|\b(?:what|which|how|when|where|why|who|whom|whether|if)\b.{{0,70}}\b(?:in|from|by|of) (?:the|this|these) {gap}(?:{content})(?:e?s)?\b"
            rf"|\b(?:does|do|did) (?:the|this|these) {gap}(?:{content})(?:e?s)? \w+"
            rf"|\b(?:the|this|these) {gap}(?:{content})(?:e?s)? (?:says?|states?|recommends?|mentions?|reports?|concludes?|contains?|advis\w+|suggests?|describes?|gives?|lists?|names?|warns?|argues?|claims?|defines?|sets?)\b",
            re.IGNORECASE,
        )
        self._supplied = WordedPattern(
            rf"\b(?:{firmly})(?:e?s)? (?:that (?:is|was|are|were) |which (?:is|was|are|were) )?(?:supplied|provided|given|attached|enclosed|uploaded|pasted|shown|submitted|below|above|here)\b(?! by\b| to\b| in\b)",
            re.IGNORECASE,
        )
        end = r"(?=\W*$|[.,;?!]| (?:and|in|into|to|as|by|so|then|using|with|at|for an?|is|are|was|were|does|has|for the (?:patient|reader|public)|below|above|provided|attached) )"
        self._absent = WordedPattern(
            rf"^(?:given|based on|using|from|according to|after reading|read|review|look at|consider) "
            rf"(?:an?|the|this|these|each|some|several|following|provided|attached|two) {gap}(?:{firmly})(?:e?s)?"
            rf"(?: of (?:an?|the|this|these|several) (?:[\w-]+ ){{0,3}}(?:patients?|persons?|drugs?|diagnos[ei]s|medications?|symptoms?|codes?|genes?|clients?))?"
            rf"(?:,| and) "
            rf"|\b(?:{at_hand}) {gap}(?:{firmly})(?:e?s)?{end}"
            rf"|\b(?:in|from|among) (?:the|his|her|their|[\w-]+(?:'s|’s)) {gap}(?:{texts})s?{end}"
            r"|\b(?:summari[sz]e|translate|rewrite|paraphrase|proofread|simplify|shorten|correct"
            r"|convert|respond to|reply to|condense|anonymi[sz]e) (?:the|his|her|their|[\w-]+(?:'s|’s))"
            rf" {gap}(?:{texts}){end}"
            rf"|\b(?:following|above|below|attached|provided|(?:the|an?) given|these|listed) {gap}(?:{kinds})(?:e?s)?{end}"
            rf"|\b{at_hand} {gap}(?:{kinds})(?:e?s){end}",
            re.IGNORECASE,
        )

    def verbs_in(self, instruction: str) -> set[str]:
        """The verbs of the task that take something from a material, or judge it."""
        return self._verbs.intersection(map(str.lower, VERB.findall(instruction)))

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
        return not self._sure.isdisjoint(map(str.lower, VERB.findall(instruction)))

    def is_borne_by_name(self, instruction: str) -> bool:
        """Whether the name of a material is enough for the task."""
        if TELLS_HOW.search(instruction) is not None and WAS.search(instruction) is None:
            return True
        if NAMES_IT.fullmatch(instruction):
            return True
        return (
            BY_NAME.search(instruction) is not None
            and HELD.search(instruction) is None
            and (WITHIN.search(instruction) is None or not self.takes_surely(instruction))
        )

    def chooses_among(self, noun: str, instruction: str) -> bool:
        """Whether the task is about some of the given members: "Which of these codes"."""
        pattern = (
            rf"\b(?:from|among|of|between|rank|order|sort|compare|these|following|listed|given|each)"
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
        return self._is_empty(instruction) and (
            HERE.search(instruction) is not None or self._supplied.search(instruction) is not None
        )

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
        """Whether a question asks to choose between options that are not there."""
        asked = text or instruction
        if (
            text
            and any(sign in instruction for sign in CHOICE_HINTS)
            and CHOOSES.search(instruction)
        ):
            return OPTIONS.search(text) is None and OPTIONS.search(instruction[:-1]) is None
        found = OPTIONS_ASKED.search(asked)
        return (
            found is not None
            and OPTIONS.search(asked[found.end() :].rstrip()) is None
            and (not text or OPTIONS.search(instruction.rstrip(".")) is None)
            and count_words(asked).fewest <= MOST_QUESTION_WORDS
        )

    def weighs_claim(self, instruction: str) -> bool:
        """Whether the task weighs a claim against a text."""
        return SUPPORTED.search(instruction) is not None

    def lacks_evidence(self, text: str, instruction: str) -> bool:
        """Whether the input is a claim alone, and the task compares it with a text."""
        if not any(hint in instruction for hint in SUPPORT_HINTS):
            return False
        found = SUPPORTED.search(instruction)
        if found is None or OWN_TEXT.search(instruction) is not None:
            return False
        return (
            "\n" not in text
            and text.count(". ") == 0
            and OTHER_LABEL.search(text) is None
            and count_words(text).fewest <= MOST_QUESTION_WORDS
            and OF_STUDY.search(text) is None
            and singular(text.split()[0].lower()) not in {"premise", "abstract"}
        )
