"""The meaning of a server's error answer, read from its words as well as from its status.

The status alone is not enough. Gateways send a rate limit as 400 or 403, a prompt that is too long
as 500, and an empty account as 400 or 429. The word lists name the servers whose texts they come
from. Belongs here: the kind of an error answer, its plain words, and the setting that helps. Does
not: what a kind means for a request or a round (errors, flow).
"""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

Kind = Literal[
    "billing",  # the account has no credit: no request can succeed
    "key",  # the key is refused
    "access",  # 403 without further words: the key, the model or the prompt is refused
    "model",  # the server has no such model
    "path",  # no API answers at the address
    "context",  # the request is too long for the model or for a limit
    "moderation",  # the prompt is refused for its content
    "format",  # the response format is refused
    "system_role",  # the system message is refused
    "output_tokens",  # the limit of output tokens is refused
    "request",  # any other refusal of a request
    "rate_limit",  # the request may succeed after a wait
    "later",  # the same request may succeed at once
    "server",  # the server failed
]

# No request can succeed with this key, model or address, if no other request has succeeded.
ACCESS_KINDS: frozenset[Kind] = frozenset({"key", "access", "model", "path"})
TRANSIENT_KINDS: frozenset[Kind] = frozenset({"rate_limit", "later", "server"})

_NO_CREDIT = 402  # of some compatible servers; OpenAI answers 429 with a code
_BAD_REQUEST = 400
_FORBIDDEN = 403
_NOT_FOUND = 404
_PAYLOAD_TOO_LARGE = 413
_SERVER_ERROR = 500
# Statuses whose words say no more.
_BY_STATUS: dict[int, Kind] = {
    **dict.fromkeys((*range(300, 400), 405, 410, 501, 505), "path"),
    **dict.fromkeys((408, 409, 425), "later"),
    401: "key",
    429: "rate_limit",
}

# OpenAI, Moonshot, DeepSeek, DashScope, LiteLLM.
BILLING_CODES = frozenset({
    "insufficient_quota", "billing_hard_limit_reached", "billing_not_active",
    "exceeded_current_quota_error", "insufficient_balance", "Arrearage", "budget_exceeded",
})  # fmt: skip
# DeepSeek 402, Anthropic 400, OpenRouter 402 and 403, DashScope 400, LiteLLM 400, Zhipu 429,
# one-api 403, and the codes of gateways. No bare "balance is too low": a prompt may be about the
# balance of fluids. OpenAI's sentence about the current quota is left out: Gemini sends it for a
# limit per minute.
_BILLING = (
    "insufficient balance", "insufficient credit", "insufficient funds", "insufficient_quota",
    "insufficient quota", "insufficient_balance", "insufficient_credit", "insufficient_funds",
    "insufficient account balance", "credit balance is too low", "credit balance too low",
    "account balance is too low", "your balance is too low", " payment required", " no credits",
    "requires more credits", "need more credits", "out of credits", "key limit exceeded",
    "budget has been exceeded", "budget_exceeded", "account is in good standing", "arrear",
    "billing hard limit", "billing_hard_limit_reached", "account is not active", "余额不足",
    "额度不足", "欠费",
)  # fmt: skip
# OpenAI 429 and Groq 413: a request that is larger than the limit per minute never passes.
_TOO_LARGE = ("request too large",)
# OpenAI, vLLM, llama.cpp (400 and 500), llama-cpp-python, LM Studio, Together, Mistral, Bedrock,
# Anthropic, Groq, TGI, Cohere ("too many tokens: total number of tokens in the prompt").
_CONTEXT = (
    "context length", "context_length", "context window", "context size", "context_window",
    "exceed_context_size", "maximum context", "max_model_len", "maximum model length",
    "prompt is too long", "prompt too long", "input is too long", "input too long",
    "too many input tokens", "too many tokens:", "n_ctx", "available context",
    "input tokens exceed", "input token count", "inputs tokens +",
    "`inputs` tokens", "reduce the length", "reduce your message size", "reduce the input",
    "please reduce your prompt", "must be at least 1, got -", "tokens to keep from the initial",
    "string_above_max_length", "request entity too large",
)  # fmt: skip
# Azure, OpenAI, OpenRouter 403, DashScope, DeepSeek, Bedrock and LiteLLM guardrails.
_MODERATION = (
    "content_filter", "content filter", "content management policy", "content policy",
    "content_policy", "responsibleaipolicy", "moderation", "was flagged", "been flagged",
    "inappropriate content", "data_inspection_failed", "content exists risk", "safety system",
    "usage polic", "guardrail", "content violat", "violates our",
)  # fmt: skip
# Bedrock, Mistral, Gemini, Groq 498, DashScope, Zhipu, nginx and Cloudflare pages. No bare "per
# minute": a server may repeat a prompt, and a prompt may count beats per minute.
_RATE_LIMIT = (
    "too many requests", "too many tokens, please wait", "rate limit", "rate_limit", "ratelimit",
    "rate-limit", "throttl", "quota per minute", "limit per minute", "requests per minute",
    "tokens per minute", "requests per second", "requests per day", "wait before trying",
    "server is busy", "system busy", "system is busy", "currently busy", "temporarily busy",
    "overloaded", "over capacity", "at capacity", "capacity exceeded", "no capacity",
    "capacity_exceeded", "resource_exhausted", "resource has been exhausted",
    "temporarily unavailable", "try again later", "concurrency limit", "model is loading",
    "currently loading", "loading model",
)  # fmt: skip
_FORMAT = (
    "response_format", "response format", "json_schema", "json schema", "json_object", "json mode",
    "structured output", "guided_json", "guided decoding", "grammar", "text.format",
)  # fmt: skip
# Templates of chat models (Gemma, Mistral), Gemini's "Developer instruction is not enabled". No
# "role" beside "system" in any order: a prompt may ask for a role of the immune system.
SYSTEM_ROLE_WORDS = (
    "system role", "role: system", "role 'system'", 'role "system"', "role `system`",
    "'system' role", '"system" role', "`system` role", "developer role", "developer message",
    "system message", "system prompt", "system instruction", "developer instruction",
    "roles must alternate", "only user and assistant roles",
)  # fmt: skip
OUTPUT_TOKEN_WORDS = (
    "max_tokens", "max_completion_tokens", "max_output_tokens", "max_new_tokens",
    "maximum output", "output tokens", "completion tokens", "max tokens",
)  # fmt: skip
# Gemini 400 ("API key not valid"), LiteLLM, one-api, xAI 400 and gateways. No bare "authentication"
# and "credentials": a server may say so of a service behind it that is down.
_KEY = (
    "api key", "api_key", "api-key", "apikey", "unauthorized", "unauthorised", "unauthenticated",
    "not authenticated", "authenticationerror", "authentication failed", "authentication error",
    "authentication fails", "authentication required", "authentication credentials",
    "invalid authentication", "invalid credentials", "incorrect credentials", "no credentials",
    "missing credentials",
)  # fmt: skip
_MODEL = (
    "model_not_found", "model not found", "modelnotfound", "unknown model", "invalid model",
    "no such model", "not a valid model", "deploymentnotfound", "no endpoints found",
    "not found, try pulling it", "model is unknown",
)  # fmt: skip
# DeepSeek's "Model Not Exist", DeepInfra's "Model is not available".
_MODEL_MISSING = re.compile(
    r"\bmodel\b.{0,100}?\b(not found|not exist|doesn't exist|is not available)\b"
)
# A 5xx with these words is a refusal of the request: LiteLLM and one-api pass them on so.
_INVALID_REQUEST = (
    "invalid request", "invalid_request", "bad request", "badrequest", "validationexception",
    "validation error", "unprocessable", "invalid parameter", "unsupported parameter",
)  # fmt: skip
_BY_WORDS: tuple[tuple[Kind, Sequence[str]], ...] = (
    ("format", _FORMAT),
    ("system_role", SYSTEM_ROLE_WORDS),
    ("output_tokens", OUTPUT_TOKEN_WORDS),
    ("key", _KEY),
)

_SEARCHED_CHARACTERS = 1_000
_LIKENESS_CHARACTERS = 80
# A longer quoted part may be the prompt; a shorter one is the name of a parameter or a model.
_LONG_QUOTE = re.compile(r'"[^"]{40,}"?|`[^`]{40,}`?')
_ANY_QUOTE = re.compile(r"""(?<!\w)(["'`]).*?\1(?!\w)|["`].*$""")
_NOT_LETTERS = re.compile(r"\S*[\d/@]\S*|[^\w\s]+|_")
_HTML = re.compile(r"^\s*<(?:!doctype|html|head|body|center|h1|title)\b", re.IGNORECASE)
_TITLE = re.compile(r"<(title|h1)\b[^>]*>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_HIDDEN = re.compile(r"<(script|style)\b.*?(</\1>|$)", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*(>|$)")
_JSON_WORDS = re.compile(r'"(?:message|detail|msg|error)"\s*:\s*"((?:[^"\\]|\\.)+)')
# What changes a terminal, or the order in which it shows letters: sequences that an escape begins,
# other signs of control (line breaks and tabs stay), and marks of direction.
_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(
    r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_LINE_MOVES = re.compile(r"[\r\x0b\x0c\x85\u2028\u2029]+")
_NAMES_OF_WORDS = ("message", "msg", "detail", "error", "errors", "error_description", "title")

_HELP: dict[Kind, str] = {
    "billing": "Add credit or raise the limit of the account, then run again.",
    "key": "Check OPENAI_API_KEY, and that OPENAI_BASE_URL is the address for this key.",
    "access": "Check OPENAI_API_KEY and that it may use the model (BIOINSTRUCT_TEACHER_MODEL).",
    "model": "Set BIOINSTRUCT_TEACHER_MODEL to a model that the server has.",
    "path": "Check OPENAI_BASE_URL, whose path mostly ends in /v1, and BIOINSTRUCT_API.",
    "context": "Lower BIOINSTRUCT_TASKS_PER_REQUEST, use shorter seeds, or set "
    "BIOINSTRUCT_TEACHER_MODEL to a model with a longer context.",
    "moderation": "Change or remove the seeds in the refused prompts, or set "
    "BIOINSTRUCT_TEACHER_MODEL to another teacher.",
    "format": "Set BIOINSTRUCT_REPLY_FORMAT to json_object or text.",
    "system_role": "The model takes no system message. Delete the server's row from the table "
    "teacher_dialects, so that the next run probes the server again, or set "
    "BIOINSTRUCT_TEACHER_MODEL to another model.",
    "output_tokens": "Lower BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK, BIOINSTRUCT_REASONING_TOKENS or "
    "BIOINSTRUCT_TASKS_PER_REQUEST.",
    # LiteLLM without a database answers a wrong key with 400 and "No connected db."
    "request": "Check OPENAI_API_KEY, OPENAI_BASE_URL, BIOINSTRUCT_TEACHER_MODEL, BIOINSTRUCT_API "
    "and BIOINSTRUCT_REPLY_FORMAT.",
    "rate_limit": "Lower BIOINSTRUCT_RPM or BIOINSTRUCT_CONCURRENCY, or run again later.",
    "later": "Run again later.",
    "server": "Run again when the server works.",
}


def kind_of(status: int, code: str | None, message: str) -> Kind:
    """The kind of an error answer.

    Args:
        status: the HTTP status.
        code: the server's code of the error.
        message: the server's message, or the whole body of its answer.
    """
    words = _searched_words(code, message)
    if status == _NO_CREDIT or code in BILLING_CODES or has_any(words, _BILLING):
        return "billing"
    if has_any(words, _TOO_LARGE):
        return "context"
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return _kind_by_words(status, words) or _kind_by_status(status, words, message)


def _kind_by_words(status: int, words: str) -> Kind | None:
    """The kind that the words of a 4xx or 5xx name; None if they name none."""
    if has_any(words, _CONTEXT):
        return "context"
    if has_any(words, _MODERATION):
        return "moderation"
    if status != _NOT_FOUND:
        if status < _SERVER_ERROR and has_any(words, _RATE_LIMIT):
            return "rate_limit"
        for kind, phrases in _BY_WORDS:
            if has_any(words, phrases):
                return kind
    # A 5xx about a model may mean that the model is being loaded.
    missing = has_any(words, _MODEL) or _MODEL_MISSING.search(words)
    return "model" if missing and status < _SERVER_ERROR else None


def _kind_by_status(status: int, words: str, message: str) -> Kind:
    if status >= _SERVER_ERROR:
        return "request" if has_any(words, _INVALID_REQUEST) else "server"
    if status == _NOT_FOUND:
        return "model" if "model" in words and not _HTML.match(message) else "path"
    if status == _FORBIDDEN:
        return "access"
    return "context" if status == _PAYLOAD_TOO_LARGE else "request"


def help_for(kind: Kind) -> str:
    """What a user can do about refusals of a kind, with the setting that helps."""
    return _HELP[kind]


def kind_of_all(messages: Sequence[str]) -> Kind | None:
    """The kind of refusal that the words of all these messages name; None if they do not agree.

    Args:
        messages: of requests that got no reply, such as the lines of a batch.
    """
    kinds = {kind_of(_BAD_REQUEST, None, message) for message in messages}
    kind = kinds.pop() if len(kinds) == 1 else None
    return None if kind == "request" or kind in TRANSIENT_KINDS else kind


def likeness(status: int, code: str | None, message: str) -> tuple[int, str]:
    """What two refusals have in common if the server refuses both for one reason.

    That is the status, and the kind if the words name it. Otherwise it is the beginning of the
    message, without numbers, ids, addresses and quoted parts, because they differ by request.
    """
    kind = kind_of(status, code, message)
    if kind not in {"request", "access"}:
        return status, kind
    words = _ANY_QUOTE.sub(" ", plain_words(message).lower())
    return status, " ".join(_NOT_LETTERS.sub(" ", words).split())[:_LIKENESS_CHARACTERS]


def without_controls(text: str) -> str:
    """A text of a server without anything that controls a terminal or hides letters."""
    if text.isprintable() and text.isascii():
        return text  # the usual one
    text = _LINE_MOVES.sub(" ", text.replace("\r\n", "\n"))
    return _CONTROLS.sub("", _SEQUENCES.sub("", text))


def plain_words(message: str) -> str:
    """The words of a server's answer in one line: the text of a page, or the message in a JSON."""
    text = message.strip()
    if _HTML.match(text):
        title = _TITLE.search(text)
        text = title.group(2) if title else _HIDDEN.sub(" ", text)
        text = _TAG.sub(" ", text)
    elif text[:1] in {"{", "["}:
        text = _json_words(text) or text
    # An escape may come out of the text of a JSON. No half of a surrogate pair can be stored.
    text = without_controls(text)
    return " ".join(text.split()).encode("utf-8", "backslashreplace").decode()


def _json_words(text: str) -> str:
    with suppress(ValueError, RecursionError):
        return _words_in(json.loads(text))
    found = _JSON_WORDS.search(text)  # the text is cut, so it is no JSON
    return found.group(1) if found else ""


def _words_in(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return value
    if depth > len(_NAMES_OF_WORDS):
        return ""
    if isinstance(value, list):
        return "; ".join(filter(None, (_words_in(each, depth + 1) for each in value[:3])))
    if isinstance(value, dict):
        for name in _NAMES_OF_WORDS:
            if words := _words_in(value.get(name), depth + 1):
                return words
    return ""


def _searched_words(code: str | None, message: str) -> str:
    words = _LONG_QUOTE.sub(" ", plain_words(message)[:_SEARCHED_CHARACTERS])
    return f"{code or ''} {words}".lower()


def has_any(words: str, phrases: Sequence[str]) -> bool:
    """Whether one of these phrases stands in words of lower case."""
    return any(phrase in words for phrase in phrases)
