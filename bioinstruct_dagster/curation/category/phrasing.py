"""How an instruction is phrased: its main clause, and the features that tell the kind of task.

"Given a discharge note, list the doses." is about listing doses: what is given says much less than
what is to be done. Belongs here: taking an instruction apart. Does not: learning from the parts
(classifier). Every step is linear in the text's length.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PREAMBLES = _words(
    "given based from for using in considering with according if read as to on after by of"
)
_QUESTIONS = _words("what which how is when why where who does do can should are will")
_STOP = _words(
    "the a an of to and or in on for with their its it is are that this these those by as at be "
    "from"
)
# What a main clause may begin with, and what "and" may join to it.
_VERBS = _words(
    """
    add advise allocate alphabetize analyse analyze annotate answer argue arrange ask assess
    assign break brief briefly build calculate categorise categorize change check choose clarify
    classify cluster code combine comment compare complete compose compute condense contrast
    convert correct counsel count create critique decide deduce define demonstrate describe design
    detect determine develop devise diagnose differentiate discuss distinguish divide draft draw
    edit educate elaborate encode encourage estimate evaluate examine expand explain explore
    express extract fill find flag format formulate generate give grade group help highlight
    identify illustrate imagine implement improve indicate inform instruct interpret judge justify
    label link list locate make map mark match mention motivate name narrate normalise normalize
    offer order organise organize outline pair paraphrase persuade pick plan plot point predict
    prepare present prioritise prioritize produce propose provide pull put quote rank recast
    recode recognise recognize recommend record reduce refer reflect reformulate remove reorganise
    reorganize rephrase replace reply report resolve respond restate retrieve review reword
    rewrite rule schedule score select separate sequence set share shorten simplify simulate solve
    sort specify split spot state structure suggest summarise summarize supply tag teach tell
    transcribe transform translate turn underline unscramble validate verify work write
    """
)
# A text that something can be picked out of, rather than a fact to reason from.
_TEXTS = _words(
    "text passage paragraph abstract note report sentence record letter excerpt article document "
    "transcript"
)
_POINTERS = _words("following given provided below mentioned")
_OBJECT_WORDS = 4  # content words after the verb: what is asked for
_REACH = 12  # words of the main clause that may pair with its verb
_OPENING = 3


def clauses(instruction: str) -> tuple[str, str]:
    """What is given, and what is to be done with it; both in lower case.

    What is given may itself hold commas: the main clause begins at the first part that begins with
    a verb or a question word.
    """
    lowered = " ".join(instruction.lower().split())
    if lowered.partition(" ")[0] not in _PREAMBLES:
        return "", lowered
    parts = lowered.split(", ")
    for place, part in enumerate(parts[1:], start=1):
        first = _WORD.match(part)
        if first and (first.group() in _VERBS or first.group() in _QUESTIONS):
            return ", ".join(parts[:place]), ", ".join(parts[place:])
    given, comma, rest = lowered.partition(", ")
    return (given, rest) if comma else ("", lowered)


def features(instruction: str) -> list[str]:
    """The features of an instruction, as words of a language of their own."""
    given, main = clauses(instruction)
    words, given_words = _WORD.findall(main), _WORD.findall(given)
    found = [f"word={word}" for word in words]
    found += [f"two={one} {two}" for one, two in pairwise(words)]
    found += [f"opening={' '.join(words[:length])}" for length in range(1, _OPENING + 1)]
    if words:
        found += _of_the_verb(words, given_words)
    found += [f"given={word}" for word in sorted(set(given_words) - _STOP)]
    found += _signs(instruction, given, words, given_words)
    return found


def _of_the_verb(words: list[str], given_words: list[str]) -> Iterator[str]:
    verb, *after = words
    content = [word for word in after if word not in _STOP]
    yield from (f"object={word}" for word in content[:_OBJECT_WORDS])
    yield from (f"pair={verb} {word}" for word in sorted(set(after[: _REACH - 1]) - _STOP))
    yield from (f"source={verb} {word}" for word in sorted(set(given_words) - _STOP))
    # "identify ... and explain ..." is another task than "identify ...".
    for joint, second in pairwise(words):
        if joint in {"and", "then"} and second in _VERBS:
            yield f"joined={second}"
            yield f"verbs={verb} {second}"


def _signs(instruction: str, given: str, words: list[str], given_words: list[str]) -> Iterator[str]:
    if instruction.rstrip().endswith("?"):
        yield "sign=question"
    if given:
        yield "sign=given"
    if not _TEXTS.isdisjoint(words) or not _TEXTS.isdisjoint(given_words):
        yield "sign=text"
    if not _POINTERS.isdisjoint(words):
        yield "sign=pointer"
