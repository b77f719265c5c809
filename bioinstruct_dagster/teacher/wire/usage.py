"""The tokens of a reply, at their most plausible.

Servers count differently: some leave the tokens of reasoning or the cached part of the prompt out
of a count, some count in text or under other names, and some count far too little. All of it is
billed, so the largest plausible count is taken. Belongs here: tokens of one reply. Does not: their
price (money.prices), or the tokens of a request (money.tokens).
"""

import re
from typing import Any

_MAX_TOKENS = 2**31  # of one reply; a server that states more is in error
_UNKNOWN = (None, 0, None)

# The names of the APIs of OpenAI, Anthropic, Ollama and Gemini, which servers also mix.
_PROMPT = (
    "prompt_tokens",
    "input_tokens",
    "prompt_eval_count",
    "promptTokenCount",
    "prompt_token_count",
)
_COMPLETION = (
    "completion_tokens",
    "output_tokens",
    "eval_count",
    "candidatesTokenCount",
    "candidates_token_count",
)
_TOTAL = ("total_tokens", "totalTokenCount", "total_token_count")
_REASONING = ("reasoning_tokens", "thinking_tokens", "thoughtsTokenCount", "thoughts_token_count")
_CACHED = (
    "cached_tokens",
    "cache_read_input_tokens",
    "prompt_cache_hit_tokens",
    "cachedContentTokenCount",
)
_CACHE_WRITES = ("cache_creation_input_tokens",)
_PROMPT_DETAILS = ("prompt_tokens_details", "input_tokens_details")
_COMPLETION_DETAILS = ("completion_tokens_details", "output_tokens_details")
_USUAL_KEYS = frozenset(
    {"prompt_tokens", "completion_tokens", "total_tokens", *_PROMPT_DETAILS, *_COMPLETION_DETAILS}
)

# No tokenizer of a language model puts more characters into a token, over a whole reply. Measured
# with the tokenizers of Qwen and of Mistral (tekken): English prose has 3.6 to 4.4 characters a
# token, indented JSON at most 5.2, German 4.2, Arabic 4.1, Russian 2.9. Chinese, Japanese and
# Korean have 0.9 to 1.7. So an honest count is never below these bounds.
_MOST_CHARACTERS = 8
_MOST_DENSE_CHARACTERS = 4
# The usual numbers, which replace a count that is below the bound.
_USUAL_CHARACTERS = 4
_USUAL_DENSE_CHARACTERS = 1
_DENSE = re.compile(
    "[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
# Long runs of a blank or of a sign are few tokens.
_RUN = re.compile(r"(\s)\s+|([^\w\s])\2+")


def read_usage(
    usage: Any, content: str, reasoning: str | None
) -> tuple[int | None, int, int | None]:
    """The billed tokens: prompt, cached part of the prompt, and completion.

    If the usage states no plausible tokens, both sides are None.

    Args:
        usage: of the reply, in any form.
        content: the text of the reply, which takes at least one token.
        reasoning: the reasoning of the reply.
    """
    if not isinstance(usage, dict):
        return _UNKNOWN
    if usual := _usual_usage(usage, content, reasoning):
        return usual
    prompt, stated, total = (_largest(usage, names) for names in (_PROMPT, _COMPLETION, _TOTAL))
    if prompt is None and stated is not None and total:
        prompt = total - stated
    if stated is None and prompt and total and total > prompt:
        stated = total - prompt
    if not prompt or prompt < 0 or stated is None or (content and not stated):
        return _UNKNOWN  # every prompt and every text takes tokens
    read_details = _details(usage, _PROMPT_DETAILS)
    cached = max(_largest(usage, _CACHED) or 0, _largest(read_details, _CACHED) or 0)
    prompt = _whole_prompt(usage, prompt, cached, stated, total or 0)
    thinking = max(
        _largest(usage, _REASONING) or 0,
        _largest(_details(usage, _COMPLETION_DETAILS), _REASONING) or 0,
    )
    completion = stated
    if thinking and not _contains(stated, thinking, content):
        completion += thinking
    completion = _at_least_text(max(completion, (total or 0) - prompt), content, reasoning)
    if max(prompt, completion) > _MAX_TOKENS:
        return _UNKNOWN  # the store can't hold such numbers
    return prompt, min(cached, prompt), completion


def _usual_usage(
    usage: dict[str, Any], content: str, reasoning: str | None
) -> tuple[int, int, int] | None:
    """The tokens of a usage in OpenAI's form whose counts agree, or None. It takes little time."""
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if type(prompt) is not int or type(completion) is not int or prompt < 1 or completion < 1:
        return None
    if usage.get("total_tokens") != prompt + completion or not usage.keys() <= _USUAL_KEYS:
        return None
    read, thought = usage.get("prompt_tokens_details"), usage.get("completion_tokens_details")
    cached = read.get("cached_tokens") or 0 if isinstance(read, dict) else 0
    thinking = thought.get("reasoning_tokens") if isinstance(thought, dict) else None
    if thinking or type(cached) is not int or not 0 <= cached <= prompt:
        return None
    completion = _at_least_text(completion, content, reasoning)
    return (prompt, cached, completion) if prompt + completion <= _MAX_TOKENS else None


def _whole_prompt(
    usage: dict[str, Any], prompt: int, cached: int, completion: int, total: int
) -> int:
    """The prompt with its cached part, which some servers count apart."""
    apart = cached + (_largest(usage, _CACHE_WRITES) or 0)
    whole = prompt + apart
    if not apart:
        return prompt
    # Anthropic counts both parts apart. The names are Anthropic's, but gateways use them too.
    named_apart = "prompt_tokens" not in usage and any(
        name in usage for name in ("cache_read_input_tokens", *_CACHE_WRITES)
    )
    is_apart = total == whole + completion or (named_apart and total != prompt + completion)
    return whole if is_apart or cached > prompt else prompt


def _contains(stated: int, thinking: int, content: str) -> bool:
    """Whether a stated count can contain the reasoning beside the text."""
    return stated - thinking >= fewest_tokens(content)


def _at_least_text(tokens: int, content: str, reasoning: str | None) -> int:
    """The count, or the usual count of the text if the text can't have taken so few tokens."""
    text = content + reasoning if reasoning else content
    # Cheap for an honest count. A character of a dense script takes two bytes more than a letter,
    # and counts twice. So this bound is never below that of `fewest_tokens`.
    size = len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    if tokens * _MOST_CHARACTERS * 2 >= len(text) + size:
        return tokens
    return max(tokens, usual_tokens(text)) if tokens < fewest_tokens(text) else tokens


def fewest_tokens(text: str) -> int:
    """The fewest tokens that any tokenizer makes of a text."""
    short = _RUN.sub(r"\1\2", text)
    dense = 0 if short.isascii() else len(_DENSE.findall(short))
    return (len(short) - dense) // _MOST_CHARACTERS + dense // _MOST_DENSE_CHARACTERS


def usual_tokens(text: str) -> int:
    """The tokens that tokenizers usually make of a text."""
    short = _RUN.sub(r"\1\2", text)
    dense = 0 if short.isascii() else len(_DENSE.findall(short))
    return -(-(len(short) - dense) // _USUAL_CHARACTERS) + dense // _USUAL_DENSE_CHARACTERS


def _details(usage: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    for name in names:
        value = usage.get(name)
        if isinstance(value, dict):
            return value
    return {}


def _largest(usage: dict[str, Any], names: tuple[str, ...]) -> int | None:
    counts = [
        count for name in names if name in usage and (count := _count(usage[name])) is not None
    ]
    return max(counts) if counts else None


def _count(value: Any) -> int | None:
    if isinstance(value, str) and value.strip().isdecimal() and len(value) < 20:  # noqa: PLR2004
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 <= value <= _MAX_TOKENS else None
