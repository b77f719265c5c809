"""Contacts of organizations: telephone numbers, addresses and e-mail that are no person's.

Belongs here: what ties a contact to an authority, a society or a company, and what ties it to a
person all the same. Does not: finding contacts (telephones, places, recognizers, web_addresses).
The words are in `words/organizations.yaml`. Every repetition is bounded.
"""

import re

from bioinstruct_dagster.curation.privacy.kinds import TEXT_LIMIT
from bioinstruct_dagster.curation.privacy.names.forms import KNOWN_NAMES
from bioinstruct_dagster.curation.privacy.vocabulary import ORGANIZATIONS, any_of, any_shape_of

_BEFORE, _AFTER = 220, 60  # characters that are read
_ORGANIZATION = re.compile(
    rf"\b(?i:{any_of(ORGANIZATIONS('kinds'))})\b|\b{any_of(ORGANIZATIONS('names'))}(?![A-Za-z])"
)
_PLACE_OF_CARE = re.compile(rf"\b(?i:{any_of(ORGANIZATIONS('places_of_care'))})\b")
_PERSONAL = re.compile(rf"\b(?i:{any_of(ORGANIZATIONS('personal'))})(?![\w])")
_ROLES = ORGANIZATIONS("roles")
_SENTENCE_END = re.compile(r"(?<=[a-z]{3}|[\d,:]\d\d|[a-z\d]{2}\))[.!?]\s|" + TEXT_LIMIT)
_BARE_LABEL = re.compile(
    rf"\W*(?:{any_of(ORGANIZATIONS('contact_labels'))}\W*){{1,4}}", re.IGNORECASE
)
_NEAR = 45  # characters of the sentence before a bare label such as "Phone:"
_FREE_MAIL = re.compile(
    rf"@{any_of(ORGANIZATIONS('free_mail_hosts'))}\.[a-z]{{2,3}}(?:\.[a-z]{{2}})?$", re.IGNORECASE
)
_PUBLIC_HOST = re.compile(rf"\.{any_shape_of(ORGANIZATIONS('public_endings'))}$", re.IGNORECASE)
_AUTHORITY = re.compile(r"\.(?:gov|int|mil|nhs\.uk|gov\.[a-z]{2})$")
_PARTS = re.compile(r"[^a-z]+")
_SHORTEST_ROLE = 4  # letters of a role that may be a part of a longer word: "nidcdinfo"
_LONG_ROLES = tuple(role for role in _ROLES if len(role) >= _SHORTEST_ROLE)


def is_organizations(text: str, start: int, end: int, *, care: bool = False) -> bool:
    """Whether a telephone number or an address in a text is an organization's.

    The organization stands in the same sentence, or it ends the sentence before: "Write to the
    Heart Association. Phone: ...".

    Args:
        text: the text.
        start: where the number or address begins.
        end: where it ends.
        care: whether hospitals and practices count as organizations too.
    """
    before = text[max(0, start - _BEFORE) : start]
    *others, sentence = _SENTENCE_END.split(before)
    if others and _BARE_LABEL.fullmatch(sentence):
        sentence = f"{others[-1][-_NEAR:]} {sentence}"
    last = max((match.end() for match in _ORGANIZATION.finditer(sentence)), default=-1)
    if care and (place := _PLACE_OF_CARE.search(sentence, max(len(sentence) - _NEAR, 0))):
        last = max(last, place.end())
    if last < 0 and not _ORGANIZATION.search(re.split(r"[.;!?\n]", text[end : end + _AFTER])[0]):
        return False
    return not _PERSONAL.search(sentence, max(last - 60, 0))


def is_organizations_email(text: str, start: int, end: int) -> bool:
    """Whether an e-mail address is an office's.

    Its first part says so ("info"), or its host is public and its first part is no name.
    """
    address = text[start:end]
    if _FREE_MAIL.search(address):
        return False
    user, _, host = address.lower().rpartition("@")
    parts = [part for part in _PARTS.split(user) if part]
    if not _ROLES.isdisjoint(parts) or user.startswith(_LONG_ROLES) or user.endswith(_LONG_ROLES):
        return True
    # "eleanor.whitcombe" and "e.whitcombe" are persons; "orphan" and "2020" are offices.
    if not _PUBLIC_HOST.search(host) or len(parts) > 1:
        return False
    if is_organizations(text, start, end):
        return True
    authority = _AUTHORITY.search(host) is not None
    return authority and KNOWN_NAMES.isdisjoint(parts) and not re.search(r"[a-z]\d", user)
