"""The refused parts: which parts of a request a server refuses, by the words of its refusal.

Each gateway words a refusal in its own way: a field `param`, FastAPI's `loc`, a quoted name, a list
of unsupported parameters, or a sentence. Only parts that the request holds can be refused, so the
names of these parts are looked for, first where names stand for certain, then anywhere. Belongs
here: the part that a refusal is about, and the size of the output limit. Does not: the kind of a
refusal (teacher.refusals), or what is sent next (search).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bioinstruct_dagster.teacher.errors import StatusError
from bioinstruct_dagster.teacher.refusals import OUTPUT_TOKEN_WORDS, SYSTEM_ROLE_WORDS, has_any
from bioinstruct_dagster.teacher.wire.dialect import SYSTEM_ROLES, TOKEN_LIMIT_NAMES

# Parts of a request. Other parts have the name of their parameter.
SYSTEM = "system message"
FORMAT = "response_format"
LIMIT = "token limit"
EFFORT = "reasoning_effort"
SCHEMA_KEYWORDS = ("strict", "additionalProperties")

_OTHER_WORDS = {
    FORMAT: ("json_schema", "json_object", "text.format", "response_schema", "guided_json"),
    EFFORT: ("reasoning", "reasoning.effort"),
}
# Words that also occur in sentences about other things. They count only as a last resort.
_COMMON_WORDS = {
    FORMAT: ("format", "schema", "grammar", "structured", "guided"),
    "stream": ("stream", "streaming"),
    "store": ("store",),
    "strict": ("strict",),
    EFFORT: ("reasoning",),
}
_AMBIGUOUS = frozenset({"stream", "store", "strict", "reasoning"})
# Keys of a JSON error whose values are names or paths, and keys whose values repeat the request.
_PATH_KEYS = frozenset(
    {"param", "loc", "field", "property", "parameter", "path", "argument", "keys", "instancePath"}
)
_ECHO_KEYS = frozenset({"input", "ctx", "body", "request"})

_WRITTEN_PATH = re.compile(r"""['"]loc['"]\s*:\s*[\[(]([^\])]*)[\])]""")
_ECHOED_ROLE = re.compile(r"""['"]role['"]\s*:\s*['"]\w+['"]""")
# What would be right is no refusal: "Use 'max_tokens' instead", "expected one of `model`, `seed`".
_ADVICE = re.compile(
    r"""
    \bdid\ you\ mean\b[^.;\n]*
    | \b(?:please\ )?use\b[^.;\n]*\binstead\b
    | \b(?:expected|must\ be|should\ be)\ one\ of\b[^.;\n]*
    | ,\s*expected\b[^.;\n]*
    | (?<!not\ )(?<!not\ a\ )(?<!no\ )
      \b(?:supported|allowed|valid|accepted|available|known|permitted)\s
      (?:parameters|params|fields|keys|properties|arguments|options|names)\b[^.;\n]*
    """,
    re.VERBOSE | re.IGNORECASE,
)
# Names are ASCII, also beside the letters of other scripts.
_NAME = r"[A-Za-z_][\w.\[\]]*"
_LISTED = re.compile(
    rf"""
    (?: \bsupplied | \barguments? | \bparam(?:eter)?s? | \bfields? | \bkeys? | \bpropert(?:y|ies)
      | \bnames? | \boptions? | \binputs? | \bon\ this\ model )
    (?:\(s\))? [^\w\n]{{1,5}} ({_NAME} (?: [^\w\n]{{1,5}} (?:and\s)? {_NAME} )*)
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
_QUOTED = re.compile(rf"""['"`\[]({_NAME})['"`\]](?!\s*:)""", re.ASCII)
_AT_LINE_START = re.compile(rf"^\W*({_NAME})\s*:", re.ASCII | re.MULTILINE)
_SUBJECT = re.compile(
    rf"({_NAME})['\"`]?\s+(?:(?:is|are|was|were)\s+)?"
    r"(?:not|un\w+|in\w+|disallowed|deprecated|forbidden|must|cannot|can't|does|should)\b",
    re.IGNORECASE | re.ASCII,
)
_WORD = re.compile(r"[A-Za-z_]\w*(?:\.\w+)*", re.ASCII)

# Words beside each other, beyond `SYSTEM_ROLE_WORDS`. The prompt of a probe says nothing of roles.
_ROLES_REFUSED = re.compile(
    r"""
    \broles?\b.{0,40}\balternat
    | \b(?:system|developer)\W{1,3}(?:role|message|prompt|instruction)
    | \brole\b.{0,60}\b(?:system|developer)\b | \b(?:system|developer)\b.{0,40}\brole\b
    | \bonly\b.{0,20}\buser\b.{0,20}\bassistant\b
    | \b(?:first\ message|start\ with|begin\ with)\b.{0,40}\buser\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LIMIT_TOO_LARGE = re.compile(
    r"\btoo large\b|\bat most\b|\babove (?:the )?maximum\b|\bexceeds?\b"
    r"|\bmaximum (?:value|allowed)\b|\bless than or equal\b|<=|\bis limited\b"
    r"|\bnot be (?:greater|larger)\b|\bhigher than\b|\brange (?:of|is)\b|\bbetween \d|\[1, ?\d",
    re.IGNORECASE,
)
_LIMIT_TOO_SMALL = re.compile(
    r"\btoo (?:small|low)\b|\bat least\b|\bbelow (?:the )?minimum\b|\bminimum (?:value|of)\b"
    r"|\bgreater than\b|>=?|\bnot be (?:less|lower|smaller)\b|\blower than\b",
    re.IGNORECASE,
)
# A number that is no part of a name, such as of a model or of a request.
_NUMBER = re.compile(r"(?<![\w.,/-])\d{1,3}(?:,\d{3})+(?![\w,-])|(?<![\w.,/-])\d+(?![\w-])")
_LEAST_LIMIT = 16  # a smaller number is no limit of output
_LIMIT_REACHED = re.compile(
    r"could not finish the message|output limit was reached|"
    r"(?:max_tokens|max_completion_tokens|max_output_tokens|token limit)\W.{0,40}\breached",
    re.IGNORECASE,
)


@dataclass
class _Words:
    """The words of an error: names and paths that stand for certain, and sentences."""

    paths: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The sentences."""
        return "\n".join(self.texts)

    @property
    def whole(self) -> str:
        """All words."""
        return "\n".join([*self.texts, *self.paths])


def parts_of(body: Mapping[str, Any]) -> frozenset[str]:
    """The parts of a request's body that a server may refuse."""
    parts = {
        {"text": FORMAT, "reasoning": EFFORT}.get(name, name)
        for name in body
        if name not in {"model", "messages", "input"}
    }
    limits = parts & {*TOKEN_LIMIT_NAMES, "max_output_tokens"}
    messages = body.get("messages") or body.get("input") or []
    form = json.dumps(body.get("response_format") or body.get("text") or {})
    return frozenset(
        (parts - limits)
        | ({LIMIT} if limits else set())
        | {word for word in SCHEMA_KEYWORDS if f'"{word}"' in form}
        | ({SYSTEM} if any(m["role"] in SYSTEM_ROLES for m in messages) else set())
    )


def refused_parts(
    error: StatusError, body: Mapping[str, Any], *, certain: bool = False
) -> list[str]:
    """The parts of a request that a server refuses by name; none if its words name no part.

    Args:
        error: the server's answer.
        body: of the request.
        certain: whether a name counts only where a refused name stands.
    """
    parts = parts_of(body)
    words = _words_of(error)
    text = _ECHOED_ROLE.sub(" ", words.text)
    if SYSTEM in parts and (_names_role(words.paths) or _refuses_role(text)):
        return [SYSTEM]
    names = _names_of(parts, body)
    text = _ADVICE.sub(" ", text)
    found = _known(words.paths, names) or _known(_certain_names(text), names)
    if not found and not certain:
        rare = {word: part for word, part in names.items() if word not in _AMBIGUOUS}
        found = _known(_WORD.findall(text), rare)[:1]
    if not found and not certain and not error.server_fault:
        common = {w: part for part, ws in _COMMON_WORDS.items() if part in parts for w in ws}
        found = _known(_WORD.findall(text), common)[:1]
    if FORMAT in found and set(found) & set(SCHEMA_KEYWORDS):
        found.remove(FORMAT)  # the whole format is named only as the place of the keyword
    return found


def limit_is_too_large(error: StatusError) -> bool:
    """Whether the server takes a limit of output tokens, but not so large a limit."""
    return names_limit(error) and bool(_LIMIT_TOO_LARGE.search(_words_of(error).whole))


def named_maximum(error: StatusError, asked: int) -> int | None:
    """The largest limit of output tokens that a server takes, if its words name one.

    Args:
        error: the refusal of a limit that is too large.
        asked: the refused limit.
    """
    found = (int(n.replace(",", "")) for n in _NUMBER.findall(_words_of(error).text))
    return max((number for number in found if _LEAST_LIMIT <= number < asked), default=None)


def limit_is_too_small(error: StatusError) -> bool:
    """Whether the server takes a limit of output tokens, but not so small a limit."""
    return names_limit(error) and bool(_LIMIT_TOO_SMALL.search(_words_of(error).whole))


def limit_was_reached(error: StatusError) -> bool:
    """Whether the error says that the model reached the limit of output tokens."""
    return bool(_LIMIT_REACHED.search(_words_of(error).whole))


def names_limit(error: StatusError) -> bool:
    """Whether the error names the limit of output tokens."""
    return has_any(_words_of(error).whole.lower(), OUTPUT_TOKEN_WORDS)


def _names_of(parts: Iterable[str], body: Mapping[str, Any]) -> dict[str, str]:
    """The parts of a request, by each word that names one for certain."""
    names = {part: part for part in parts if part not in {LIMIT, SYSTEM}}
    for part in parts:
        names |= dict.fromkeys(_OTHER_WORDS.get(part, ()), part)
    if LIMIT in parts:
        names |= {n: LIMIT for n in (*TOKEN_LIMIT_NAMES, "max_output_tokens") if n in body}
    return names


def _known(found: Iterable[str], names: Mapping[str, str]) -> list[str]:
    """The parts that these names or paths name, each once. The last known name of a path counts."""
    plain = {_plain(name): part for name, part in names.items()}
    parts: list[str] = []
    for path in found:
        steps = (path, *reversed(re.split(r"\W+", path)))
        part = next((plain[_plain(step)] for step in steps if _plain(step) in plain), None)
        if part and part not in parts:
            parts.append(part)
    return parts


def _plain(name: str) -> str:
    """A name without case and underscores, because some gateways write names in camel case."""
    return re.sub(r"[\W_]", "", name).lower()


def _certain_names(text: str) -> Iterator[str]:
    """The names in sentences that stand where a refused name stands."""
    for listed in _LISTED.finditer(text):
        yield from re.findall(_NAME, listed[1])
    for pattern in (_QUOTED, _AT_LINE_START, _SUBJECT):
        yield from (found[1] for found in pattern.finditer(text))


def _refuses_role(text: str) -> bool:
    return has_any(text.lower(), SYSTEM_ROLE_WORDS) or bool(_ROLES_REFUSED.search(text))


def _names_role(paths: Iterable[str]) -> bool:
    """Whether a path leads to the role of a message."""
    steps = [re.split(r"\W+", path) for path in paths]
    return any({"messages", "input"} & set(s) and {"role", "system"} & set(s) for s in steps)


def _words_of(error: StatusError) -> _Words:
    words = _Words()
    if error.param:
        words.paths.append(error.param)
    _collect(error.text or error.message, words)
    if error.message not in words.texts:
        words.texts.append(error.message)
    for text in words.texts:
        for path in _WRITTEN_PATH.finditer(text.replace("\\", "")):
            words.paths.append(".".join(re.findall(r"[\w.]+", path[1])))
    return words


def _collect(value: Any, words: _Words) -> None:
    """Collect the words of a JSON value, also of JSON inside its texts."""
    if isinstance(value, str):
        inner = _json_of(value)
        if isinstance(inner, dict | list):
            _collect(inner, words)
        else:
            words.texts.append(value)
    elif isinstance(value, list):
        for part in value:
            _collect(part, words)
    elif isinstance(value, dict):
        for key, part in value.items():
            if key in _PATH_KEYS:
                words.paths.extend(_paths_of(part))
            elif key not in _ECHO_KEYS:
                _collect(part, words)


def _paths_of(value: Any) -> list[str]:
    if isinstance(value, list):
        return [".".join(str(step) for step in value)] if value else []
    return [value] if isinstance(value, str) else []


def _json_of(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
