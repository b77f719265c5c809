"""The patterns by which an instruction is read as the demand for a material.

Belongs here: these patterns. Does not: their use (demands), or nouns and verbs
(words/mentions.yaml).
"""

import re

from bioinstruct_dagster.signs import WordedPattern

AT_HAND = (
    r"(?:this|these|those|following|(?:the|an?|each|any|your) given|attached|enclosed|provided"
    r"|above|below|listed"
    r"|accompanying|supplied|specified|named|mentioned|reported|submitted|uploaded|indicated)"
)
# The material is said to be at hand: "the abstract supplied", "the patient described above".
HERE = WordedPattern(
    r"\b(?:described|mentioned|given|presented|shown|listed|provided|supplied|attached|named|quoted"
    r"|printed|stated|included|reported|announced|pasted) (?:above|below|here|as (?:the |an )?input"
    r"|in the input"
    r"|earlier|previously|overleaf)\b"
    r"|\b(?:is|are) (?:attached|enclosed|uploaded|pasted|shown (?:above|below|here))\b(?! (?:to|in"
    r"|by|with)\b)"
    r"|\b(?:shown|pictured|depicted|displayed)(?: (?:is|are|has|have)\b|\W*$)"
    r"|\bthe (?:underlined|highlighted|boldfaced?|italici[sz]ed|bracketed|circled|marked|misspelled"
    r"|misspelt|missing) (?:word|term|part|phrase|value|text|letter)s?\b"
    r"|\b(?:patient|man|woman) in question\b|\b(?:you see|you are given|you have been given"
    r"|in front of you)\b"
    r"|\bthe (?:first|second|third|last|other) (?:sentence|statement|option|paragraph|passage"
    r"|text|image|report|note|claim)\b",
    re.IGNORECASE,
)
# The words or the content of a text that should be at hand.
OF_PASSAGE = WordedPattern(
    r"\b(?:each|every) (?:token|word|letter|line|clause|sentence) (?:of|in) the (?:sentence|text"
    r"|note|passage|report|paragraph)\b"
    r"|\b(?:about|on|to|from|in) the passage\b(?! of\b)"
    r"|\bthe passage (?:says|states|tells|mentions)\b",
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
    r"\b(?:(?<!cell )(?<!blood )types?|kinds?|modalit\w+|purpose|indications?|when (?:to|is|should)"
    r"|why|preparation"
    r"|department|specialty|genre|titles?|headings?|meaning|view|projection|body (?:part|region)"
    r"|organ|anatom\w+"
    r"|(?<!for )uses?|used (?:for|to)|publish(?:es|ed by)|organi[sz]ation|journal|year|web ?site"
    r"|strengths?|components|elements|principles?|importance|typically|common|expected|usually|usual|ideal"
    r"|template|checklist"
    r"|units?|examples?|(?<!patient )should (?:contain|include|be|have)"
    r"|(?<!suggest )how (?:to|do|does|is|are|(?:the"
    r"|an?) [\w ]{1,30}? (?:is|are|should))|hypothes[ie]s|topics?|keywords?|subject"
    r"|research question|study design|full form|stands? for|definition|synonyms?|(?<!in )terms?"
    r"|acronym|abbreviation)\b",
    re.IGNORECASE,
)
# A question about what was done, said or found, or about one material at hand.
PAST = WordedPattern(
    r"\b(?:which|what|how many|how|who|when|where|whether|if|did|was|were)\b.{0,60}?"
    r"\b(?:was|were|did|had|has been|have been|(?:have|has) \w+(?:ed|en))\b"
    r"|\bwhat (?:the [\w-]+|he|she|they|we) (?:\w+ed|said|told|wrote|did|saw|felt|took|ate)\b"
    r"|\b(?:complications|events|errors|problems|injuries) that occurred\b"
    r"|\b(?:is|are) (?:reported|mentioned|stated|recorded|described|documented|noted|visible|seen"
    r"|shown)\b|\b(?:that|which) the \w+ (?:used|mentioned|reported|described|made|acknowledge)\b",
    re.IGNORECASE,
)
OF_PERSON = WordedPattern(
    r"(?:'s|’s|s'|s’) |\b(?:his|her)\b|\b(?:of|for) (?:the|this|his|her) (?:[\w-]+ )?(?:patient|man"
    r"|woman|newborn|child|infant"
    r"|baby|boy|girl|person)\b",
    re.IGNORECASE,
)
ASKS = WordedPattern(
    r"\b(?:does|did|do|is|are|was|were|has|have) (?:the|this|these|that|those|table|figure|chapter"
    r"|section)\b",
    re.IGNORECASE,
)
ASKED_OF = WordedPattern(
    r"^(?:is|are|has|have|did|was|were) (?:the|this|these|there|any)\b(?! an?\b)"
    r"|\b(?:does|do|what|how) (?:the|this|these) (?:[\w-]+ ){1,4}?(?:show|say|reveal|indicate"
    r"|suggest"
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
    r"|highlight|pick out|copy|redact|underline)\b(?!.{0,20}\b(?:potential|possible|likely"
    r"|relevant)\b)"
    r"|^(?:identify|find|list|name|give|locate|spot|note) (?:every|each|all)\b.{0,60}\b(?:in|from"
    r"|that (?:was|were|is|are))\b"
    r"|^(?:find|record|list|identify|note|name|give|state)\b.{3,80}\b(?:stated|found|documented"
    r"|recorded|given|mentioned|noted) in (?:the|his|her) (?:[\w-]+ )?(?:record|history|chart|note"
    r"|file|report)\b"
    r"|^(?:build|make|create|construct|draw up) a timeline of\b"
    r"|^(?:which|what) (?!is\b|are\b|was\b)\w.{0,60}\b(?:is|are|was|were) (?:reported|mentioned"
    r"|stated|recorded"
    r"|documented|noted)\b"
    r"|^(?:list|name|give|state|identify|report) (?:the|all|every) [\w -]{2,40} that (?:was|were"
    r"|have been|has been|had)\b"
    r"|^(?:list|name|give|state|identify|report) the [\w -]{2,40} (?:documented|recorded|noted"
    r"|charted|mentioned|reported|stated) (?:for|in|by|on|at|during)\b",
    re.IGNORECASE,
)
CHOICE_HINTS = ("answer", "option", "choice", "alternative")
CHOOSES = WordedPattern(
    r"\b(?:choose|select|pick|mark|give|identify) (?:the )?(?:single )?(?:correct|best|right"
    r"|most appropriate)"
    r" (?:answer|option|choice|alternative)\b",
    re.IGNORECASE,
)
# What is general or may be inferred, and need not stand in a record.
HEDGED = WordedPattern(
    r"\b(?:possible|potential|potentially|likely|common|commonly|typical|typically|expected|usual"
    r"|usually|should|recommend\w*|suggest\w*"
    r"|first-line|appropriate|suitable|necessary|required|needed|general|may|might|can|could|would"
    r"|risk|associated with|caused by"
    r"|causes?|used (?:to|for|in)|relevant|best|next|main|key|important|classic|characteristic"
    r"|consistent with|contraindicated|interact\w*"
    r"|of (?:an?|each|this|the) (?:disease|condition|disorder|drug|medication|syndrome|infection"
    r"|deficiency))\b",
    re.IGNORECASE,
)
OF_PAST = WordedPattern(
    r"\b(?:was|were|did|had|has been|have been|taking|takes|took|prescribed|received|performed|done"
    r"|given"
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
    r"\b(?:findings?|results?|conclusions?|conclu\w+|quality|sample size|outcomes?"
    r"|limitations(?! of (?:this|the|an?) (?:study design|design|method|approach|technique))"
    r"|(?:was|were|has been) (?:\w+ )?confirmed"
    r"|(?:bias(?:es)?|errors|claims|complications) (?:present|made|contained|that occurred))\b",
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
MOST_MENTION_WORDS = 14  # of an input that mentions a question and is none
# One short sentence about a person who is nowhere described.
THIS_PERSON = WordedPattern(
    r"(?!.*\b(?:with|who|whose|has|had|an?|of)\b)(?:[\w'’-]+ ){1,9}this (?:patient|man|woman|child"
    r"|infant"
    r"|person|case)(?: [\w'’-]+){0,5}[.?]?",
    re.IGNORECASE,
)
OPTIONS = re.compile(r"\n\s*\S|\\n|\b[A-Ea-e1-5][).:]\s|\([A-Ea-e1-5]\)|[:;]\s*\S|,|\bor\b|\?\s*\S")
# The task looks at a picture, whatever it asks of it.
LOOKS_AT = WordedPattern(
    r"^(?:please )?(?:examine|look at|inspect|view|interpret|grade|read) (?:the|this|these)"
    r" (?:[\w-]+ ){0,3}?(?:image|slide|photo|photograph|picture|radiograph|x-ray|scan|micrograph"
    r"|photomicrograph|smear|tracing)s?\b",
    re.IGNORECASE,
)
SUPPORTED = WordedPattern(
    r"\b(?P<first>claim|statement|hypothesis|question|answer|sentence|conclusion|summary"
    r"|headline)\b"
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
# "Given a procedure, describe its risks": what is known of each thing of this name.
OWN_PROPERTY = WordedPattern(
    r"^given (?:only )?(?:an?|the) (?:[\w-]+ ){0,3}?(?:procedure|operation|surgery|test|examination"
    r"|exam|technique|device|screening|drug|medication|medicine|vaccine|disease|condition|disorder"
    r"|treatment|therapy|method)(?: name)?, (?:please )?(?:describe|list|explain|state|give|name"
    r"|outline|identify|provide|discuss) (?:(?:some|three|the|all)(?: of)? )?its (?:[\w-]+ ){0,2}"
    r"(?:risks?|benefits?|uses?|purpose|steps|indications?|contraindications?|complications"
    r"|side effects|effects|alternatives|limitations|advantages|disadvantages|causes?|symptoms"
    r"|mechanism|aims?|goals?|costs?)\b",
    re.IGNORECASE,
)
NAME_GIVEN = WordedPattern(
    r"\b(?:given|from|by|knowing) (?:only )?(?:the|an?|its) names? of\b"
    r"|\bnamed (?:[\w-]+ )?(?:document|form|study|trial|test|scale|instrument|guideline|method"
    r"|technique|procedure|device)\b",
    re.IGNORECASE,
)
# A new title for the old one, or what a title tells.
ON_TITLE = WordedPattern(
    r"^(?:please )?(?:rewrite|rephrase|simplify|shorten|translate|improve|reword|paraphrase|correct"
    r"|expand|capitali[sz]e|convert|classify|edit)"
    r" (?:the|this|an?|each) (?:[\w-]+ ){0,3}?titles?\b",
    re.IGNORECASE,
)
# A study that is to be planned has no results yet.
PLANNED = WordedPattern(
    r"\b(?:should|could|must|need to) be (?:collected|recorded|gathered|measured|adjusted for"
    r"|controlled for)\b"
    r"|\b(?:such an?|(?:the|this|an?) (?:planned|proposed|intended|future)) (?:[\w-]+ )?(?:study"
    r"|trial|experiment|survey|cohort)\b"
    r"|\b(?:suggest|propose|recommend|choose|which|what) (?:[\w-]+ ){0,3}(?:diagram|chart|plot"
    r"|graph|visuali[sz]ation)s? (?:for|to show|would)\b"
    r"|\bwould (?:suit|fit|be (?:suitable|appropriate|adequate|best))\b"
    r"|\bwould you (?:use|choose|collect|measure|record)\b"
    r"|^(?:plan|design) (?:the|an?) (?:[\w-]+ ){0,2}(?:study|trial|experiment|survey|sampling"
    r"|collection|recruitment)\b"
    r"|^(?:suggest|propose|recommend) how to (?:illustrate|present|display|plot|visuali[sz]e"
    r"|analy[sz]e|store|collect|measure|test|study|investigate)\b"
    r"|\b(?:suggest|propose|recommend|choose|select|name|with|which|what) (?:an? |the |some )?"
    r"(?:suitable|appropriate|adequate|right|proper|best|fitting) (?:study designs?"
    r"|research designs?|statistical (?:tests?|methods?|analys[ie]s|models?))\b",
    re.IGNORECASE,
)
# The parts of a link or of another address.
OF_LINK = WordedPattern(
    r"\b(?:PMC ?ID|PMID|DOI|domain|host(?:name)?|identifier|accession(?: number)?|extension"
    r"|file ?name|protocol|ID)s? (?:number )?(?:from|of|in|out of) (?:the|this|each)"
    r" (?:[\w-]+ )?(?:link|url|web address|address|file ?name|path)s?\b",
    re.IGNORECASE,
)
QUESTIONS_FOR = WordedPattern(
    r"^(?:please )?(?:suggest|propose|prepare|write|list|draft|give) (?:[\w-]+ ){0,2}questions"
    r" (?:for|to ask)\b",
    re.IGNORECASE,
)
# Signs that a name, a title, a question or a link is all that a task needs.
NAME_DOES = (QUESTIONS_FOR, OWN_PROPERTY, NAME_GIVEN, ON_TITLE, PLANNED, OF_LINK)
