"""Names of accounts on social media, and web pages that no public host holds.

Belongs here: their forms, and the sites beside them. Does not: addresses that lead to a person by
their path (web_addresses). The words are in `words/noted.yaml` and `words/web.yaml`. Every
repetition is bounded.
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.kinds import DOUBTFUL_SCORE, Span
from bioinstruct_dagster.curation.privacy.noted.persons import PERSONS
from bioinstruct_dagster.curation.privacy.organizations import is_organizations
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import (
    NOTED,
    any_of,
    longest_words,
    pieces,
)
from bioinstruct_dagster.curation.privacy.web_addresses import is_public_address

_AT_NAME = re.compile(r"(?<![\w.@/])@[A-Za-z][\w.-]{2,30}\w")
_PLATFORMS = trigger(longest_words(NOTED("platforms")))
_ON_PLATFORM = re.compile(
    rf"\b(?i:{any_of(NOTED('platforms'))})\b[^.!?\n]{{0,45}}?[\s\"'“:(](?P<v>(?=\w*(?:_|[a-z]\d|\w\.\w)|[a-z]{{2,20}}[A-Z]|[A-Z][a-z]+[A-Z])[A-Za-z]\w*(?:\.\w+){{0,3}})(?![\w@/])"
)
_BEFORE_PLATFORM = re.compile(
    rf"[\s\"'“:(](?P<v>(?=\w*(?:_|[a-z]\d)|[a-z]{{2,20}}[A-Z])[A-Za-z][\w.]{{3,30}})[\"'”]?,?\s(?:on|at)\s(?:\w{{2,8}}\s)?(?i:{any_of(NOTED('platforms'))})\b"
)
_ADDRESS = re.compile(
    r"(?:https?://|\bwww\.)[^\s<>\"'()\[\]{}|]{3,300}"
    r"|(?<![\w@./-])[a-z0-9][a-z0-9-]{2,40}\.(?:com|org|net|me|blog|info|site|life)(?:/[\w./~-]{0,80})?(?![\w@-])",
    re.IGNORECASE,
)
# "pacs.stolav.example.org/v/88213": a path with a number, or a page to call or to enrol at.
_WITH_PATH = re.compile(
    r"(?<![\w@./-])(?:https?://)?(?:[a-z0-9-]{2,40}\.){1,4}[a-z]{2,8}/(?:[\w./~%-]{0,60}[/=?-]|[\w.%-]{0,20})"
    r"(?:[A-Za-z]{0,3}\d{4,12}|(?:enrol|enroll|screening|portal|record|chart|viewer|results|images)\w{0,5})(?![\w-])"
    r"(?<![.,])"
)
_PATH_HINT = re.compile(r"\.(?<=\w\.)[a-z]{2,8}/\w")
_PUBLISHED = re.compile(
    r"\b(?:doi|available|download|published|article|software|database|data|code|supplement\w*"
    r"|journal|see also|source|registered|registry|protocol|github)\b",
    re.IGNORECASE,
)
_ADDRESS_HINTS = ("://", "www.", ".com", ".org", ".net", ".blog")


def noted_handle_spans(text: ScannedText, *, tied: bool, note: bool) -> Iterator[Span]:
    """The names of accounts and the pages of persons in a text.

    Args:
        text: the text.
        tied: whether the text may be of a study, whose pages are no person's.
        note: whether the text is a note; elsewhere a link is one to an article.
    """
    raw = text.raw
    if "/" in raw and "." in raw and (note or text.marks.held & PERSONS):
        yield from _with_paths(raw)
    if "@" in raw:
        for match in _AT_NAME.finditer(raw):
            yield Span("other_id", *match.span(), DOUBTFUL_SCORE)
    if (not tied or "@" in raw) and text.marks.held & _PLATFORMS:
        for pattern in (_ON_PLATFORM, _BEFORE_PLATFORM):
            for match in pattern.finditer(raw):
                yield Span("other_id", *match.span("v"), DOUBTFUL_SCORE)
    if note and not tied and any(hint in text.lowered for hint in _ADDRESS_HINTS):
        yield from _addresses(raw)


def _with_paths(raw: str) -> Iterator[Span]:
    """Addresses of unknown sites whose path leads to a record, or to a page to enrol at."""
    for begin, end in pieces(_PATH_HINT, raw, 170, 140):
        for match in _WITH_PATH.finditer(raw, begin, end):
            start = match.start()
            if not (
                is_public_address(match[0]) or _PUBLISHED.search(raw, max(0, start - 60), start)
            ):
                yield Span("url", *match.span(), DOUBTFUL_SCORE)


def _addresses(raw: str) -> Iterator[Span]:
    for match in _ADDRESS.finditer(raw):
        end = match.start() + len(match[0].rstrip(".,;:!?*"))
        if not (
            is_public_address(raw[match.start() : end]) or is_organizations(raw, match.start(), end)
        ):
            yield Span("url", match.start(), end, DOUBTFUL_SCORE)
