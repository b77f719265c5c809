"""What an answer says in the end: without the questions that it denies itself, and its corrections.

Models write as people speak: `Entailment? No, contradiction.`, `B. Wait, no: C.`, `Probably yes.`
Belongs here: which part of an answer counts. Does not: which option that part names
(evaluation.metrics.reading, evaluation.metrics.option_texts). It is made for English answers.
"""

import re
from collections.abc import Sequence

_PAUSE = r"[\s,.:;!–—-]"
_DENIED_QUESTION = re.compile(rf"[^.!?;\n]*\?\s*no\b{_PAUSE}*", re.IGNORECASE)
_SHORT = r"(?:yes|no|maybe|true|false)\b"
_QUESTION = re.compile(rf"^[^.!?\n]*\?\s*(?={_SHORT})", re.IGNORECASE)
_HEDGE = re.compile(
    r"^(?:(?:i\s+(?:think|believe|guess|would\s+say)(?:\s+that)?|i'd\s+say"
    r"|(?:(?:most|very|quite)\s+)?(?:probably|likely)|presumably|definitely|certainly|clearly"
    rf"|surely|absolutely|h+m+|u+m+|oh|well)[\s,:.]+)+(?={_SHORT})",
    re.IGNORECASE,
)
_CORRECTION = (
    r"(?:\b(?:(?:no\b[\s,–—-]+)?wait{no}|actually{no}|correction|sorry|scratch\s+that"
    r"|on\s+second\s+thoughts?|let\s+me\s+correct\s+(?:that|myself))\b{sentence})"
    rf"{_PAUSE}+(?:i\s+meant?{_PAUSE}+)?"
)
_CORRECTIONS = {
    # `no` is a part of the correction, unless it is an option: `Yes. Wait, no.`
    offers_no: re.compile(_CORRECTION.format(no=no, sentence=sentence), re.IGNORECASE)
    for offers_no, no, sentence in (
        (False, rf"(?:{_PAUSE}+(?:no|actually))?", r"|(?<=[.!])\s+no(?=,)"),
        (True, rf"(?:{_PAUSE}+actually)?", ""),
    )
}
_SPEAKING = r"(?:i\s+(?:think|believe|guess|would\s+say)|i'd\s+say|probably|likely)\s+"
_POINTING = r"(?:it|this|that)(?:'s|\s+(?:is|would\s+be|must\s+be))\s+"
_ANSWERING = r"the\s+(?:correct\s+)?answer\s+(?:is|would\s+be)\s*:?\s*"
_LEAD_IN = re.compile(
    rf"\W*(?:well\W+)?(?:{_SPEAKING})?(?:(?:that\s+)?(?:{_POINTING}|{_ANSWERING})|that\s+)?"
    r"(?:probably\s+|most\s+likely\s+|likely\s+|the\s+|an?\s+)?",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[.!?;\n]|,\s*(?=(?:i|because|since|as|which|so|due)\b)|\s+(?=because\b|since\b)",
    re.IGNORECASE,
)
# Labels of inference, which answers also write as verbs and adjectives.
_LABEL_FORMS = (
    re.compile(r"entail(?:ment|s|ed|ing)?", re.IGNORECASE),
    re.compile(r"contradict(?:ion|s|ed|ing|ory)?", re.IGNORECASE),
    re.compile(r"neutral(?:ity|ly)?", re.IGNORECASE),
)


def as_answered(text: str, options: Sequence[str]) -> str:
    """The text without questions that it denies, and without a hedge before a short answer.

    Args:
        text: the answer, as `plain_text` of evaluation.metrics.reading gives it.
        options: their texts.
    """
    if _offers_no(options):
        text = _QUESTION.sub("", text)
    else:
        text = _DENIED_QUESTION.sub(" ", text).strip()
    return _HEDGE.sub("", text)


def correction(text: str, options: Sequence[str]) -> str | None:
    """What an answer says after its last correction of itself; None if it corrects nothing."""
    found = [
        match for match in _CORRECTIONS[_offers_no(options)].finditer(text) if match.start() > 0
    ]
    if not found:
        return None
    rest = text[found[-1].end() :]
    return rest[_lead_in(rest) :] or None


def first_clause(text: str) -> str:
    """The first clause of a text, without `I think it's` and the like before it."""
    text = text[_lead_in(text) :]
    end = _CLAUSE_END.search(text)
    return text[: end.start()] if end else text


def with_labels(text: str, options: Sequence[str]) -> str | None:
    """The text with labels of inference in place of their verbs and adjectives.

    It is None if an option is no such label.
    """
    forms = [
        next((form for form in _LABEL_FORMS if form.fullmatch(option.strip())), None)
        for option in options
    ]
    for form, option in zip(forms, options, strict=True):
        if form is None:
            return None
        text = re.sub(rf"\b{form.pattern}\b", option.strip(), text, flags=re.IGNORECASE)
    return text


def _lead_in(text: str) -> int:
    """The place after the words that lead to an answer."""
    match = _LEAD_IN.match(text)
    return match.end() if match else 0


def _offers_no(options: Sequence[str]) -> bool:
    return any(option.strip().casefold() == "no" for option in options)
