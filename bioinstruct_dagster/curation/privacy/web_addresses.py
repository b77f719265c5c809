"""Web addresses that belong to a person.

Belongs here: which address is public and which leads to a person. Does not: e-mail addresses
(recognizers, pictures). The hosts and paths are in `words/web.yaml`. Every repetition is bounded.
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.organizations import is_organizations
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.triggers.marks import trigger
from bioinstruct_dagster.curation.privacy.vocabulary import WEB, any_of, any_shape_of

_URL = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"'()\[\]{}|]{3,300}", re.IGNORECASE)
_HOSTS = WEB("person_hosts")
_HOSTS_HELD = trigger(_HOSTS)
_WWW = re.compile(r"www\.", re.IGNORECASE)
_BARE_URL = re.compile(
    rf"\b{any_of(_HOSTS)}\.(?:com|org|net|me)/[^\s<>\"'()]{{2,200}}", re.IGNORECASE
)
# "her blog, leangreens.example.blog": an address without "www".
_OWN_WORDS = trigger(
    ("blog", "site", "website", "page", "homepage", "webpage", "vlog", "web", "channel", "portal")
)
_OWN_ADDRESS = re.compile(
    r"\b(?i:blog|site|website|page|homepage|webpage|vlog|portal|channel)\b(?:['’]s)?(?:\s(?:is|at|on|called|address)){0,2}"
    r"[,:(]?\s(?P<v>[a-z0-9][\w-]{2,40}(?:\.[a-z][\w-]{1,20}){1,3}(?:/[^\s<>\"'()]{0,80})?)(?<![.,])"
)
_PUBLIC_HOST = re.compile(
    rf"\.{any_shape_of(WEB('public_endings'))}$"
    rf"|(?:^|\.){any_of(WEB('public_hosts'))}\.{any_of(WEB('public_host_endings'))}$",
    re.IGNORECASE,
)
_RECORD_PATH = re.compile(
    rf"/{any_of(WEB('record_paths'))}/\w|[?&]{any_of(WEB('record_queries'))}\w{{0,6}}=|mychart",
    re.IGNORECASE,
)
_PERSONS_PATH = re.compile(
    rf"/{any_of(WEB('person_paths'))}|[?&]{any_of(WEB('person_queries'))}\w{{0,6}}="
    rf"|{any_of(WEB('profile_hosts'))}\.\w{{2,3}}/|{any_of(WEB('blog_hosts'))}",
    re.IGNORECASE,
)
# Pages for all patients have such a path too; a number in it leads to one of them.
_DOUBTFUL_PATH = re.compile(
    rf"/{any_of(WEB('doubtful_paths'))}[^\s]{{0,80}}?\d{{3}}", re.IGNORECASE
)
_PERSONS_CUE = re.compile(
    rf"\b{any_of(WEB('person_cues'))}(?!\w)(?:['’]s)?\s(?:\w{{1,12}}\s){{0,2}}?"
    rf"{any_of(WEB('persons_pages'))}\b[^.!?\n]{{0,60}}$",
    re.IGNORECASE,
)
_OWN_CUE = re.compile(rf"\b(?:{any_of(WEB('person_cues'))}|your|our)(?!\w)", re.IGNORECASE)
_MOST_NAMES, _SHORT_NAME = 40, 3


def url_spans(text: ScannedText, names: Iterable[str]) -> Iterator[Span]:
    """The web addresses in a text that lead to a person.

    Args:
        text: the text.
        names: the words of the names of persons in the row.
    """
    if text.marks.held & _OWN_WORDS:
        for match in _OWN_ADDRESS.finditer(text.raw):
            host = re.split(r"[/?#:]", match["v"], maxsplit=1)[0].lower()
            before = text.raw[max(0, match.start() - 30) : match.start("v")]
            if not _PUBLIC_HOST.search(host) and _OWN_CUE.search(before):
                yield Span("url", *match.span("v"), 0.75)
    if "://" not in text.raw and not _WWW.search(text.raw) and not text.marks.held & _HOSTS_HELD:
        return
    parts = sorted({name.lower() for name in names if len(name) > _SHORT_NAME})[:_MOST_NAMES]
    for pattern in (_URL, _BARE_URL):
        for match in pattern.finditer(text.raw):
            address = match.group().rstrip(".,;:!?*")
            before = text.raw[max(0, match.start() - 80) : match.start()]
            if _is_persons(address, before, parts) and not is_organizations(
                text.raw, match.start(), match.start() + len(address)
            ):
                yield Span("url", match.start(), match.start() + len(address), 0.8)


def is_public_address(address: str) -> bool:
    """Whether an address belongs to a public host, such as a journal's or an authority's."""
    return _PUBLIC_HOST.search(_host_of(address)) is not None


def _host_of(address: str) -> str:
    rest = re.sub(r"^https?://", "", address, flags=re.IGNORECASE)
    return re.split(r"[/?#:]", rest, maxsplit=1)[0].lower()


def _is_persons(address: str, before: str, names: list[str]) -> bool:
    if _PUBLIC_HOST.search(_host_of(address)) and not _RECORD_PATH.search(address):
        return False
    if _PERSONS_PATH.search(address):
        return True
    if _DOUBTFUL_PATH.search(address):
        return True
    return _PERSONS_CUE.search(before) is not None or any(name in address.lower() for name in names)
