"""Places smaller than a state, and web addresses that belong to a person.

Belongs here: street addresses, homes, postal codes, and which web address is public. Does not:
cities by themselves, which tell where a company or a hospital is. Every repetition is bounded.
"""

import re
from collections.abc import Iterable, Iterator

from bioinstruct_dagster.curation.privacy.kinds import ALONE, ScannedText, Span, words

_CAP = r"[A-ZÀ-Þ][A-Za-zÀ-ÿ'’.-]{0,24}"
_UK = r"[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}"
_STREET = (
    r"(?:Street|Avenue|Road|Drive|Lane|Boulevard|Court|Way|Place|Terrace|Circle|Parkway|Highway"
    r"|Square|Trail|Loop|Close|Crescent|Row|Alley|Plaza|Turnpike|Pike|Path|Gardens|Grove|Mews|Hill)"
)
_STREET_SHORT = r"(?:St|Ave|Av|Rd|Dr|Ln|Blvd|Ct|Pl|Ter|Cir|Pkwy|Hwy|Sq|Trl)"
_STATES = (
    "AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM"
    " NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR"
).replace(" ", "|")
_STATE_NAMES = (
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia"
    "|Hawaii"
    "|Idaho|Illinois|Indiana|Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan"
    "|Minnesota|Mississippi|Missouri|Montana|Nebraska|Nevada|New Hampshire|New Jersey|New Mexico"
    "|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|Rhode Island"
    "|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|West Virginia"
    "|Wisconsin|Wyoming"
)
_STATE = rf"(?:{_STATES}|{_STATE_NAMES})"
_CITY = rf"(?:{_CAP})(?:\s(?:{_CAP}|de|la|of|the|upon|del)){{0,3}}"
_ZIP = r"\d{5}(?:-\d{4})?"
_UNIT = r"(?:,?\s(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Rm|Room|#)\.?\s?#?[\w-]{1,6})?"
_AFTER_STREET = rf"(?:,?\s{_CITY})?(?:,?\s{_STATE}\b)?(?:,?\s(?:{_ZIP}|{_UK})\b)?"
_ADDRESS = re.compile(
    r"(?<![\w.,/-])\d{1,5}[A-Z]?(?:-\d{1,4})?\s(?:[NSEW]{1,2}\.?\s|(?:North|South|East|West)\s)?"
    rf"(?:(?:{_CAP}|\d{{1,3}}(?:st|nd|rd|th)|of|the|de|la)\s){{1,4}}?"
    rf"(?:{_STREET}\b|{_STREET_SHORT}\b(?:\.|(?=[,;)]|\n|$|\s(?:Apt|Unit|Suite|#|in\b|and\b"
    rf"|[A-Z]))))"
    rf"{_UNIT}{_AFTER_STREET}"
)
_PO_BOX = re.compile(r"\bP\.?\s?O\.?\s?Box\s#?\d{1,7}\b", re.IGNORECASE)
_CITY_ZIP = re.compile(rf"(?<!\w)(?:{_CITY},?\s)?{_STATE},?\s{_ZIP}(?![\w-])")
_LABELLED_ZIP = re.compile(
    r"\b(?:zip(?:\s?code)?|postal code|post\s?code)\b[^\w\n.]{0,4}(?:(?:is|was|of)\s)?"
    r"(?P<v>\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}|[A-Z]\d[A-Z]\s?\d[A-Z]\d|\d{4})\b",
    re.IGNORECASE,
)
_POSTCODE = re.compile(
    r"(?<=[a-z],\s)(?:[A-Z]{2}\s)?(?:[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}"
    r"|[A-Z]\d[A-Z]\s\d[A-Z]\d)(?!\w)"
    r"|(?<=[a-z]\s)(?:[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2})(?=[,.\n]|$)"
)
# A home: "lives in Dayton, Ohio", "a man from Leeds". The cue ties it to a person.
_HOME_WORDS = words(
    "lives lived living resides resided residing resident native hometown hails moved relocated"
    " born raised grew address city residence county"
)
_PERSON_WORDS = words(
    "farmer man woman male female boy girl lady gentleman teacher nurse worker driver retiree"
)
_HOME = re.compile(
    r"\b(?:(?:[Ll]iv(?:es|ed|ing)|[Rr]esid(?:es|ed|ing)|[Rr]esident|[Nn]ative|[Hh]ometown(?:\sis)?"
    r"|[Hh]ails|(?:[Mm]oved|[Rr]elocated)(?:\shere)?|[Bb]orn(?:\sand\sraised)?|[Rr]aised"
    r"|[Gg]r[eo]wn? up)\s(?:(?:alone|independently|currently|recently|with\s\w{1,12}\s\w{1,12})\s)?"
    r"(?:in|of|at|from|near|to|outside)"
    r"|(?:farmer|man|woman|male|female|boy|girl|lady|gentleman|teacher|nurse|worker|driver|retiree)"
    r"\sfrom)\s(?:downtown\s|rural\s|suburban\s)?"
    rf"(?P<v>{_CITY}(?:,\s{_STATE}\b)?)"
)
_HOME_LABEL = re.compile(
    rf"\b(?:[Aa]ddress|ADDRESS|[Cc]ity|[Hh]ometown|[Rr]esidence"
    rf"|[Cc]ounty)\s?[:=]\s?(?P<v>{_CITY}(?:,\s{_STATE}\b)?)"
)
_COUNTY = re.compile(rf"\b(?:in|of|from)\s(?P<v>{_CAP}(?:\s{_CAP})?\sCounty(?:,\s{_STATE}\b)?)")
# As large as a state, or larger; and what follows "in" in a sentence but is no place.
_LARGE = words(
    """
    africa america asia australia europe antarctica antarctic arctic oceania scandinavia
    afghanistan albania algeria angola argentina armenia austria azerbaijan bangladesh belarus
    belgium benin bolivia bosnia botswana brazil britain bulgaria burkina burundi cambodia
    cameroon canada chile china colombia congo croatia cuba cyprus czech denmark ecuador egypt
    england eritrea estonia ethiopia fiji finland france gabon gambia georgia germany ghana
    greece guatemala guinea guyana haiti honduras hungary iceland india indonesia iran iraq
    ireland israel italy jamaica japan jordan kazakhstan kenya korea kosovo kuwait laos latvia
    lebanon lesotho liberia libya lithuania madagascar malawi malaysia mali malta mauritius
    mexico moldova mongolia morocco mozambique myanmar namibia nepal netherlands nicaragua niger
    nigeria norway oman pakistan palestine panama papua paraguay peru philippines poland
    portugal qatar romania russia rwanda samoa saudi scotland senegal serbia singapore slovakia
    slovenia somalia spain sri sudan sweden switzerland syria taiwan tajikistan tanzania
    thailand togo tunisia turkey uganda ukraine uruguay usa uzbekistan venezuela vietnam wales
    yemen zambia zimbabwe northern southern eastern western central latin middle united
    mediterranean caribbean pacific atlantic us uk eu midwest northeast southeast southwest
    northwest north south east west asian african european american i the a an january february
    march april may june july august september october november december type stage grade phase
    group class icu er ed hospital ward room unit home medicaid medicare english spanish french
    dr sub saharan covid
    """
)


_STREET_WORDS = words(f"{_STREET}{_STREET_SHORT}".lower())
_ZIP_HINT = re.compile(r"(?<!\d)\d{5}(?![\d.])")
_POSTCODE_HINT = re.compile(r"\d\s?[A-Z]{2}\b|\d[A-Z]\d")
_ZIP_WORDS = words("zip zipcode postal postcode post")


def place_spans(text: ScannedText) -> Iterator[Span]:
    """The addresses, homes and postal codes of a text."""
    for pattern, group, score in _tried(text):
        for match in pattern.finditer(text.raw):
            if score >= ALONE or not is_large(match[group]):
                yield Span("location", *match.span(group), score)


def _tried(text: ScannedText) -> Iterator[tuple[re.Pattern[str], str | int, float]]:
    """The patterns that could match, with the group that is the place, and the score."""
    if text.says(_HOME_WORDS) or ("from" in text.words and text.says(_PERSON_WORDS)):
        for pattern in (_HOME, _HOME_LABEL, _COUNTY):
            yield pattern, "v", 0.6
    if not text.has_digit:
        return
    if text.says(_STREET_WORDS):
        yield _ADDRESS, 0, 0.9
    if "box" in text.words:
        yield _PO_BOX, 0, 0.9
    if _ZIP_HINT.search(text.raw):
        yield _CITY_ZIP, 0, 0.85
    if text.says(_ZIP_WORDS):
        yield _LABELLED_ZIP, "v", 0.85
    if _POSTCODE_HINT.search(text.raw):
        yield _POSTCODE, 0, 0.6


def is_large(place: str) -> bool:
    """Whether a place is a state or larger, or no place at all."""
    if place.isupper() or place in _STATE_NAMES.split("|"):
        return True
    parts = re.findall(r"[a-zß-ÿ]+", place.lower())
    return not parts or parts[0] in _LARGE or parts[-1] in _NO_PLACES


_NO_PLACES = words("disease syndrome hospital university trial s")
_URL = re.compile(r"(?:https?://|\bwww\.)[^\s<>\"'()\[\]{}|]{3,300}", re.IGNORECASE)
_HOSTS = words(
    "facebook linkedin twitter instagram tiktok myspace github flickr youtube caringbridge gofundme"
    " patreon pinterest mychart"
)
_BARE_URL = re.compile(
    rf"\b(?:{'|'.join(sorted(_HOSTS))})\.(?:com|org|net|me)/[^\s<>\"'()]{{2,200}}",
    re.IGNORECASE,
)
_PUBLIC_HOST = re.compile(
    r"\.(?:gov|edu|int|mil|nhs\.uk|gov\.\w\w|ac\.\w\w|museum)$"
    r"|(?:^|\.)(?:doi|who|nejm|bmj|jamanetwork|thelancet|sciencedirect|elsevier|springer|nature"
    r"|wiley"
    r"|cell|science(?:mag)?|frontiersin|mdpi|plos|biomedcentral|tandfonline|oup|academic\.oup"
    r"|uptodate"
    r"|medscape|mayoclinic|webmd|healthline|lww|wikipedia|wikimedia|cochrane(?:library)?|acc|heart"
    r"|diabetes(?:journals)?|cancer|nccn|asco(?:pubs)?|escardio|idsociety|drugs|drugbank|rxlist"
    r"|clinicaltrials|pubmed|orpha|omim|kidney|lung|aha(?:journals)?|ama-assn|aafp|acog|acr|nice"
    r"|arxiv|biorxiv|medrxiv|researchgate|semanticscholar|zenodo|figshare|statpearls|msdmanuals"
    r"|merckmanuals|clevelandclinic|hopkinsmedicine)\.(?:org|com|net|co\.uk|org\.uk|info|edu)$",
    re.IGNORECASE,
)
_RECORD_PATH = re.compile(
    r"/(?:patients?|mychart|records?|charts?)/\w|[?&](?:patient|pt|mrn|member)\w{0,6}=|mychart",
    re.IGNORECASE,
)
_PERSONS_PATH = re.compile(
    r"/(?:~|@|in/|u/|users?/|people/|profiles?/|members?/|patients?/|my/|account|accounts/|visit/"
    r"|records?/|charts?/|mychart|portal|blog|wall)|mychart|portal\.|[?&](?:patient|pt|mrn|user"
    r"|id|name"
    r"|member)\w{0,6}=|(?:facebook|linkedin|twitter|instagram|tiktok|caringbridge|gofundme|myspace"
    r"|patreon|flickr|pinterest)\.\w{2,3}/|blogspot|wordpress|tumblr|wixsite|weebly|substack|/~",
    re.IGNORECASE,
)
_PERSONS_CUE = re.compile(
    r"\b(?:patient|pt|his|her|their|my|personal|family|profile|blog|portal|homepage|husband|wife"
    r"|daughter|son|mother|father|practice|caregiver)\b(?:['’]s)?[^.!?\n]{0,60}$",
    re.IGNORECASE,
)


_MOST_NAMES, _SHORT_NAME = 40, 3


def url_spans(text: ScannedText, names: Iterable[str]) -> Iterator[Span]:
    """Web addresses of a person. `names` are the words of the persons' names in the row."""
    if "://" not in text.raw and "www." not in text.lowered and not text.says(_HOSTS):
        return
    parts = sorted({name.lower() for name in names if len(name) > _SHORT_NAME})[:_MOST_NAMES]
    for pattern in (_URL, _BARE_URL):
        for match in pattern.finditer(text.raw):
            address = match.group().rstrip(".,;:!?*")
            if _is_persons(address, text.raw[max(0, match.start() - 80) : match.start()], parts):
                yield Span("url", match.start(), match.start() + len(address), 0.8)


def _is_persons(address: str, before: str, names: list[str]) -> bool:
    rest = re.sub(r"^https?://", "", address, flags=re.IGNORECASE)
    host = re.split(r"[/?#:]", rest, maxsplit=1)[0].lower()
    if _PUBLIC_HOST.search(host) and not _RECORD_PATH.search(address):
        return False
    if _PERSONS_PATH.search(address):
        return True
    return _PERSONS_CUE.search(before) is not None or any(name in address.lower() for name in names)
