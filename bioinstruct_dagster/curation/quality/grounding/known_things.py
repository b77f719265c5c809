"""Finds tasks for which a name, a title or a question is the whole input that they need.

Belongs here: tasks on what is known of a named thing, on a title or a link as such, and on a study
that is still to be planned. Does not: the other signs by which a name is enough (demands,
task_needs).
"""

import re

from bioinstruct_dagster.signs import WordedPattern

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
    r"|\bnamed (?:document|form|study|trial|test|scale|instrument|guideline)\b",
    re.IGNORECASE,
)
# A new title for the old one, or what a title tells.
ON_TITLE = WordedPattern(
    r"^(?:please )?(?:rewrite|rephrase|simplify|shorten|translate|improve|reword|paraphrase|correct"
    r"|expand|capitali[sz]e|convert|classify|edit) (?:the|this|an?|each) (?:[\w-]+ ){0,3}?titles?\b",
    re.IGNORECASE,
)
# A study that is to be planned has no results yet.
PLANNED = WordedPattern(
    r"\b(?:should|could|must|need to) be (?:collected|recorded|gathered|measured|adjusted for"
    r"|controlled for)\b"
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
SIGNS = (QUESTIONS_FOR, OWN_PROPERTY, NAME_GIVEN, ON_TITLE, PLANNED, OF_LINK)


def name_is_enough(instruction: str) -> bool:
    """Whether a name, a title, a question or a link is all that the task needs.

    Args:
        instruction: of the task.
    """
    return any(sign.search(instruction) is not None for sign in SIGNS)
