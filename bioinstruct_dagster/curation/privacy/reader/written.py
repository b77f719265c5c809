"""Addresses of the web, names of files, and ages in words, which may identify.

Belongs here: their forms. Does not: runs of words and figures (candidates), codes and dates in
further forms (told_figures), or whether one is an identifier (features, weights).
"""

import re
from collections.abc import Iterator

from bioinstruct_dagster.curation.privacy.old_ages.told import ONES
from bioinstruct_dagster.curation.privacy.texts import ScannedText
from bioinstruct_dagster.curation.privacy.vocabulary import READER
from bioinstruct_dagster.curation.privacy.web_addresses import is_public_address

_WEB = re.compile(
    r"(?<![\w@/])(?:(?:https?|s?ftp)://|www\.)?[\w%+-]+(?:[.@][\w-]+)+(?:[/?#](?:[\w./?=&#%+~-]*\w)?)?"
)
# A mail address, and an address of the web that leads to one thing among many.
_NAMED_WEB = re.compile(
    r"@[^@]+\.|^(?:\w+://|www\.)[^/]+/.*(?:\d{2}|[=@~])|^[\w-]+(?:\.[\w-]+)*\.[a-z]{2,12}/\w"
)
_PATH = re.compile(r"\.[a-z]{2,12}/\w")
_SPOKEN_WEB = re.compile(
    r"\b[a-z][\w-]{1,30}(?: dot [a-z]\w{1,20}){1,4}(?: slash \w{1,15}(?: \w{1,15}){0,3})?\b"
)
_FILE_ENDINGS = tuple(f".{ending}" for ending in READER("file_endings"))
_WEB_WORDS = READER("file_endings") | {"http", "https", "www"}
_WRITTEN_AGES = frozenset(("ninety", "hundred", "ninetieth", "hundredth"))
_WRITTEN_AGE = re.compile(
    rf"(?<!nineteen )(?<!one )(?<!in )(?<!over )\bninety(?:[- ]{ONES})?\b"
    r"(?! (?:percent|over|mg|m g|pounds|beats|five? over)\b)"
    r"|(?:(?<=is )|(?<=turned )|(?<=nearly )|(?<=be )|(?<=was ))"
    rf"(?:a |one )?hundred(?: and {ONES})?\b(?=[.,;!?)]| years)"
)


def written(text: ScannedText) -> Iterator[tuple[int, int, str, str]]:
    """Addresses of the web, names of files, and ages in words: place, word and form.

    Args:
        text: the text.
    """
    raw = text.raw
    if "@" in raw or not text.words.isdisjoint(_WEB_WORDS) or _PATH.search(raw):
        for match in _WEB.finditer(raw):
            word = match.group()
            named = _NAMED_WEB.search(word) is not None
            if (named or word.lower().endswith(_FILE_ENDINGS)) and not is_public_address(word):
                yield (*match.span(), word, "web")
    if "dot" in text.words:
        for match in _SPOKEN_WEB.finditer(text.lowered):
            yield (*match.span(), match.group(), "web")
    if not text.words.isdisjoint(_WRITTEN_AGES):
        for match in _WRITTEN_AGE.finditer(text.lowered):
            yield (*match.span(), match.group(), "age")
