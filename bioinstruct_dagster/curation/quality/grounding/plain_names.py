"""Finds inputs in the plainest forms of a name: "ECG of a man with chest pain", "Five statins".

Belongs here: forms that are known by a few words of the input and of the instruction, so that a
name counts only for a task that cannot do without the content. Does not: the grammar of names
(source_phrases, source_names), signs of tasks (task_needs), or the words (words/sources.yaml).
"""

import re
from functools import cache

from bioinstruct_dagster.curation.quality.grounding.source_words import (
    LETTERS,
    has_measurement,
    nouns_of,
    singular,
    source_list,
)
from bioinstruct_dagster.curation.word_lists import alternatives
from bioinstruct_dagster.signs import WordedPattern

MOST_CHARS = 160
MOST_KIND_WORDS = 5  # before the noun, as in "12-lead ECG" or "recent chest X-ray"
PEOPLE = frozenset({"patient", "person", "adult", "woman", "child"})
LEAST_SHARED_LETTERS = 5  # of a word of the input that the output repeats

MAY = re.compile(r"\bMay\b(?=$|[ ,.]*(?:\d|$))")  # the month in a date, no verb
# A request in place of the thing: "Please interpret the patient's chest X-ray."
REQUEST = WordedPattern(
    r"(?:please |kindly |can you |could you )?(?:interpret|read|review|evaluate|assess|analy[sz]e"
    r"|summari[sz]e|describe|look at|examine|check)\s+"
    r"(?=(?:the|this|these|my|his|her|a|an)\b)",
    re.IGNORECASE,
)
# The words after a document's noun that give neither a result nor a sentence.
AFTER = (
    r"(?:\s(?:report|result|finding|tracing|image|recording|reading|value|strip|sheet)s?)?"
    r"(?:,?\s(?:of|from|for|in|on|dated|taken|obtained|recorded|done|performed|published|written"
    r"|over|during|before|after|at|about)\b[^:.;?!,\n]{1,90})?"
    # Asides on the side, the view or the person: ", right eye, 61-year-old man".
    r"(?:, (?:the )?(?:right|left|both|bilateral|pa|ap|lateral|frontal|axial|resting|supine|erect"
    r"|upright|male|female|man|woman|an? [\w-]+ (?:man|woman|child)|\d{1,3}[- ]years?[- ]old|aged)"
    r"\b[^:.;?!\n,]{0,60})*"
)
# What a document holds, and its name does not.
HELD = (
    r"(?:abnormal\w*|find\w*|results?|values?|rhythm|rate|vitals?|signs?|doses?|dosages?|medications?"
    r"|drugs?|genes?|variants?|mutations?|events?|diagnos\w+|inheritance|negat\w+|lesions?"
    r"|changes?|symptoms?|allerg\w+|conditions?|diseases?|disorders?|patterns?|trends?|problems?"
    r"|errors?|mean|average|median|highest|lowest|p-values?|hazard|survival|risks?|severity"
    r"|grade|stage|cell\w*|organisms?|bacteri\w+|infections?|fracture\w*|tumou?r\w*|measure\w*)"
)
# The task reads what a document holds.
READS = WordedPattern(
    r"^(?:please )?(?:interpret|read|report|transcribe|score|grade|summari[sz]e"
    rf"|(?:extract|pick out|list|calculate|compute|determine|find|detect|highlight|flag|check"
    rf"|describe|identify|state|name|given .{{3,80}}, (?:please )?(?:interpret|identify|determine"
    rf"|extract|describe|calculate|list))\b.{{0,50}}?\b{HELD})\b"
    r"|\bwhat (?:does|do|did) (?:the|this|these|it)\b.{1,50}\b(?:show|reveal|indicate|say|suggest)"
    rf"|\b(?:what|which) (?:[\w-]+ ){{0,2}}{HELD} (?:is|are|was|were|do|does|can)\b"
    r"|\bdescribe the (?:change|difference)s? between\b",
    re.IGNORECASE,
)
# The kind, use or code of a document is known by its name; a new text needs no old one.
BY_NAME = WordedPattern(
    r"\b(?:types?|kinds?|modalit\w+|purpose|indications?|contraindications?|codes?|when|why|how"
    r"|preparation|risks? of|category|department|specialty|title|abbreviation\w*|acronym\w*|terms?"
    r"|words?|meaning|need\w*|appropriate|next|recommend\w*|should|cost\w*|equipment|steps?|genre"
    r"|classif\w+|view|projection|body part|organ|region|anatom\w+|explain what|explain the use"
    r"|design|draft|roles?|uses?|principles?|importance|potential|possible|common|likely|typical|expected|usual|normal)\b"
    r"|^(?:write|create|generate|compose|develop|suggest|propose|provide (?:tips|advice))\b",
    re.IGNORECASE,
)
# The task judges one study. A study's topic does not tell its methods.
JUDGES_STUDY = WordedPattern(
    r"\b(?:limit(?:ation)?s|weakness\w*|strengths?|flaws?|bias(?:es)?|quality|validity|sample size"
    r"|number of participants|participants|results?|findings?|conclusions?|methods|methodology"
    r"|outcomes?|endpoints?|effect size|p-values?|follow-up) (?:of|in|from) (?:the|this|that)"
    r" (?:[\w-]+ )?(?:study|trial|paper|article|review|rct|experiment|survey|meta-analysis)\b"
    r"|\b(?:appraise|critique) (?:the|this|that) (?:[\w-]+ )?(?:study|trial|paper|article|review)\b"
    r"|\bhow many\b.{3,60}\b(?:study|trial|enrolled|included|randomi[sz]ed|took part)\b"
    r"|\bwhat (?:did|does) (?:the|this) (?:study|trial|paper|article|review)"
    r" (?:find|show|conclude)",
    re.IGNORECASE,
)
STUDY_OF = WordedPattern(
    r"(?:an? |the |one )?(?:[\w-]+ ){0,5}?(?:study|trial|rct|cohort|review|survey|meta-analysis"
    r"|article|paper|experiment)\s(?:of|on|about|comparing|investigating|examining|into|testing"
    r"|in|with)\s[^:;?!\n.]{4,120}\.?",
    re.IGNORECASE,
)
PART_OF_WORK = WordedPattern(
    r"(?:an? |the |one |two |three )?(?:[\w-]+ ){0,2}?(?:paragraph|sentence|passage|excerpt"
    r"|abstract|section|text|page|snippet|line|quote)s? (?:from|of|in|out of) (?:an?|the|some)\s"
    r"(?:[\w'’-]+ ){0,4}(?:paper|article|journal|study|textbook|book|guideline|report|section|note"
    r"|letter|leaflet|review|trial|abstract|website)\.?",
    re.IGNORECASE,
)
# "The patient's goals as written down in the intake form".
FILED_AS = WordedPattern(
    r"[\w '’-]{3,60} as (?:documented|recorded|described|stated|listed|noted|reported|shown|given"
    r"|written down) in (?:the|his|her|a) (?:[\w-]+ ){0,3}(?:form|record|chart|note|report|file"
    r"|letter|summary|document|table|article|paper)s?\.?",
    re.IGNORECASE,
)
OF_SENTENCE = WordedPattern(r"\b(?:sentence|phrase|translate|grammar)\b", re.IGNORECASE)
READS_TEXT = WordedPattern(
    r"^(?:please )?(?:extract|pick out|identify|find|list|tag|label|mark|annotate|highlight|name"
    r"|underline|count|summari[sz]e|simplify|translate|rewrite|paraphrase|proofread|correct)\b",
    re.IGNORECASE,
)
# The members of a set are named in no other place: "Five statins" for "Rank these drugs".
SET = WordedPattern(
    r"(?:(?:an? |the )?(?:set|list|group|series|selection|choice|number) of (?:[\w-]+ )?)?"
    r"(?:two|three|four|five|six|seven|eight|nine|ten|several|various|multiple|some|[2-9]|10)?\s?"
    r"(?:[\w-]+ ){0,2}[\w-]{3,}s\.?",
    re.IGNORECASE,
)
COUNTED = WordedPattern(
    r"(?:an? |the )?(?:(?:set|list|group|series|selection) of|two|three|four|five|six|seven|eight"
    r"|nine|ten|several|various|multiple|[2-9]|10)\s",
    re.IGNORECASE,
)
ARRANGES = WordedPattern(
    r"^(?:please )?(?:rank|order|sort|arrange|group|prioriti[sz]e|compare|match|pair|put|place)\b"
    r".{0,30}?\b(?:these|following|given|listed|the (?:two|three|four|five|six|seven))\s"
    r"(?:[\w-]+ ){0,2}?(?P<noun>[\w-]{3,}s)\b",
    re.IGNORECASE,
)
# The dose or the signature of a prescription does not follow from its drug.
PRESCRIPTION = WordedPattern(
    r"(?:an? |the |one )?(?:[\w'’-]+ ){0,2}(?:prescription|order)s? (?:for|of) [\w' ’-]{3,60}\.?",
    re.IGNORECASE,
)
READS_DOSE = WordedPattern(
    r"\b(?:doses?|dosages?|strength|frequenc\w+|route|quantity|errors?|mistakes?|legib\w+|missing)"
    r"\b.{0,40}\b(?:in|from|of|on) (?:the|this) (?:[\w-]+ )?(?:prescription|order)"
    r"|\bcheck (?:the|this) (?:prescription|order) for (?:errors?|mistakes?)"
    r"|^given an? (?:[\w-]+ )?(?:prescription|order), .{0,40}\b(?:errors?|mistakes?|doses?)",
    re.IGNORECASE,
)
# A patient's question, of which only the topic is told.
QUESTION_ON = WordedPattern(
    r"(?:an? |the |one )?(?:patient|client|user|caller)(?:'s|’s)? (?:question|query|inquiry|message"
    r"|email|letter|complaint|concern)s? (?:about|on|regarding|concerning) [^:;?!\n.]{3,80}\.?",
    re.IGNORECASE,
)
REPLIES = WordedPattern(r"^(?:please )?(?:answer|reply|respond)\b", re.IGNORECASE)
STRUCTURE = WordedPattern(
    r"(?:an? |the )?(?:chemical|molecular|crystal|skeletal|structural|protein|lewis) "
    r"(?:structure|formula)(?: of (?:an?|the) (?:[\w-]+ )?(?:drug|compound|molecule"
    r"|substance))?\.?",
    re.IGNORECASE,
)
# A list of tests or variables after its label: "Lab results: blood count, lipid panel".
LABELLED = WordedPattern(
    r"(?:[\w'’-]+ ){0,4}(?:results?|signs|values|labs|tests?|panel|parameters|data|readings?"
    r"|measurements)\s*:\s*(?P<body>[^:.;?!\d][^:.;?!]{3,140})\.?",
    re.IGNORECASE,
)
READS_VALUES = WordedPattern(
    r"\b(?:interpret\w*|diagnos\w+|(?:are|is|they are) (?:ab)?normal|assess\w*|evaluat\w+"
    r"|analy[sz]e\w*|abnormal\w*|out of range|risk|determine (?:if|whether))\b",
    re.IGNORECASE,
)
SPECIMEN_ALONE = WordedPattern(
    r"(?:[\w-]+ )?reports?\s*:\s*(?:[\w-]+ ){0,4}(?:biopsy|specimen|scan|mri|ct|x-ray|ultrasound"
    r"|resection|smear)\.?",
    re.IGNORECASE,
)
# A history or a condition that is only said to exist.
UNTOLD = WordedPattern(
    r"[^:;?!.]{0,80}\bwith an? (?:(?:complex|long|lengthy|extensive|significant|complicated|known"
    r"|detailed|notable|past|previous) ){1,2}"
    r"(?:(?:medical|health|surgical|family|clinical) )?history\.?"
    r"|[^:;?!.]{0,80}\b(?:consistent with|symptoms of|suggestive of|diagnosed with|suffering from)"
    r" an? (?:particular|certain|specific) (?:condition|disease|disorder|illness)\.?",
    re.IGNORECASE,
)
READS_PERSON = WordedPattern(
    r"\b(?:summari[sz]\w*|extract|histor\w+|stage|grade|diagnos\w+)\b", re.IGNORECASE
)
# Variables of a person without a value: "The patient's age, blood pressure and cholesterol".
USES_VALUES = WordedPattern(
    r"^(?:score|calculate|compute|estimate|predict|stage)\b"
    r"|^(?:determine|assess|evaluate|identify|state|given .{3,80}, [\w ]{0,30}) (?:the |this |a )"
    r"(?:patient(?:'s|’s)? |person(?:'s|’s)? )?(?:[\w-]+ ){0,3}(?:risk|score|dose|bmi|stage)\b"
    r"(?! fact)",
    re.IGNORECASE,
)
PERSON_AND_FACTORS = WordedPattern(
    r"(?:an? |the )?(?:[\w-]+ ){0,2}(?:patient|man|woman|child|person|adult) with [\w -]{3,50} and"
    r" (?:(?:other|some|several|various|multiple|certain) )?(?:risk factors|comorbidities"
    r"|symptoms|complications|other conditions)\.?",
    re.IGNORECASE,
)
SCORES = WordedPattern(r"^(?:score|calculate|compute|estimate|grade|stage)\b", re.IGNORECASE)
EMPTY_RESULT = WordedPattern(
    r"(?:^|\n|\\n|[.;,]\s)\s*(?:interpretation|results?|test results?|findings?"
    r"|impression)\s*:\s*$",
    re.IGNORECASE,
)
ON_RESULTS = WordedPattern(r"\binterpret\w*|\bresults?\b|\bfindings?\b", re.IGNORECASE)


class PlainNames:
    """Finds these forms by `words/sources.yaml`."""

    def __init__(self) -> None:
        self._tells = source_list("says").union(
            source_list("verbs"), source_list("finding_adjectives")
        ) - {"positive", "notes", "reports"}
        self._variables, self._small = source_list("variables"), source_list("articles")
        self._kinds = source_list("kinds").union(source_list("persons"), source_list("senders"))

    def is_name(self, text: str, instruction: str, output: str) -> bool:
        """Whether the input is one of the plain names, and the task needs what it names.

        Args:
            text: the input.
            instruction: of the task.
            output: of the row. An answer that repeats a word after "with" was given that word.
        """
        if len(text) > MOST_CHARS:
            return False
        if found := LABELLED.fullmatch(text):
            return READS_VALUES.search(instruction) is not None and self._is_variables(
                found.group("body")
            )
        if has_measurement(text):
            return False
        if EMPTY_RESULT.search(text):
            return self._lacks_result(text, instruction)
        if SPECIMEN_ALONE.fullmatch(text) or UNTOLD.fullmatch(text):
            by_name = BY_NAME.search(instruction) is not None
            return not by_name and READS_PERSON.search(instruction) is not None
        return self._is_phrase(text, instruction, output)

    def _is_phrase(self, text: str, instruction: str, output: str) -> bool:
        """Whether the text is one noun phrase without a label, a verb or a finding."""
        if FILED_AS.fullmatch(text) is not None:
            return OF_SENTENCE.search(instruction) is None
        words = (MAY.sub("", text) if "May" in text else text).lower().split()
        if ":" in text or "?" in text or not self._tells.isdisjoint(words):
            return False
        return (
            self._is_document(text, instruction, output)
            or self._is_study(text, instruction)
            or self._is_set(text, instruction)
            or self._is_person_data(text, instruction)
            or (PRESCRIPTION.fullmatch(text) and READS_DOSE.search(instruction)) is not None
            or (QUESTION_ON.fullmatch(text) and REPLIES.search(instruction)) is not None
            or (
                STRUCTURE.fullmatch(text) is not None
                and "structure" in instruction.lower()
                and READS_TEXT.search(instruction) is not None
            )
        )

    def _lacks_result(self, text: str, instruction: str) -> bool:
        words = set(LETTERS.findall(text.lower()))
        told = words & (self._tells | {"positive", "raised", "level", "levels"})
        return not told and ON_RESULTS.search(instruction) is not None

    def _is_document(self, text: str, instruction: str, output: str) -> bool:
        """Whether the text names one recording, and the task reads what it shows."""
        asked = REQUEST.match(text)
        name = text[asked.end() :] if asked else text
        # A name that is cut off a request has words of its own, so they are not looked up again.
        pattern = _document_pattern()
        found = pattern.pattern.fullmatch(name) if pattern.may_match(text) else None
        if found is None:
            return False
        if READS.search(instruction) is None and not asked:
            return False
        if asked:
            return ON_RESULTS.search(instruction) is not None
        told = name.partition(" with ")[2] or name.partition(" in ")[2]
        return BY_NAME.search(instruction) is None and not shares_word(told, output)

    def _is_study(self, text: str, instruction: str) -> bool:
        if PART_OF_WORK.fullmatch(text):
            return READS_TEXT.search(instruction) is not None
        # The input is looked at first, because few inputs begin so.
        return STUDY_OF.fullmatch(text) is not None and JUDGES_STUDY.search(instruction) is not None

    def _is_set(self, text: str, instruction: str) -> bool:
        """Whether the text counts or repeats the things that the task arranges."""
        found = ARRANGES.search(instruction)
        if found is None or any(sign in text for sign in ",;/&\n"):
            return False
        if COUNTED.match(text):
            return SET.fullmatch(text) is not None
        first = text.partition(" of ")[0].partition(" for ")[0].partition(" in ")[0]
        nouns = nouns_of(first)
        whole = " and " not in text and " or " not in text and " vs" not in text
        return bool(nouns) and whole and nouns[-1] == singular(found.group("noun").lower())

    def _is_person_data(self, text: str, instruction: str) -> bool:
        """Whether the text enumerates variables of a person, and gives no value."""
        if PERSON_AND_FACTORS.fullmatch(text):
            return SCORES.search(instruction) is not None
        if not USES_VALUES.search(instruction) or any(map(str.isdigit, text)):
            return False
        return self._is_variables(text)

    def _is_variables(self, text: str) -> bool:
        nouns = nouns_of(text.replace("'s ", " ").replace("’s ", " "))
        variables = sum(noun in self._variables for noun in nouns)
        known = self._variables | self._kinds | self._small
        return variables > 1 and all(noun in known for noun in nouns)


@cache
def _document_pattern() -> WordedPattern:
    nouns = alternatives(source_list("readable"))
    return WordedPattern(
        rf"(?:[\w'’-]+ ){{0,{MOST_KIND_WORDS}}}?(?:{nouns})(?:e?s)?{AFTER}\.?", re.IGNORECASE
    )


def shares_word(told: str, output: str) -> bool:
    """Whether the output repeats a long word of these words of the input.

    Args:
        told: the words of the input.
        output: of the row.
    """
    words = {word for word in nouns_of(told) if len(word) >= LEAST_SHARED_LETTERS}
    return any(word in output.lower() for word in words - PEOPLE)
