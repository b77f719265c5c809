"""Loads a model's tokenizer, mends what is safe to mend, and finds what is not.

Belongs here: the tokenizer and its special tokens. Does not: the prompt's text, or rows as tokens
(models.encoding).
"""

import json
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.base_checks.findings import Findings, some

# One of these files holds a vocabulary. Without any, transformers makes an empty tokenizer.
_FILES = (
    "tokenizer.json", "tokenizer.model", "spiece.model", "sentencepiece.bpe.model", "vocab.json",
    "vocab.txt", "tekken.json", "tiktoken.model", "qwen.tiktoken", "vocab.model",
)  # fmt: skip
# What vocabularies call a token that is only for padding.
_PADDING = (
    "<pad>", "[PAD]", "<|pad|>", "<PAD>", "<|finetune_right_pad_id|>", "<|padding|>",
    "<|PAD_TOKEN|>",
)  # fmt: skip
_SAMPLES = (
    "The patient was given 5 mg of the drug twice a day.",
    "Summarize the discharge note.\n\n### Response:\nNo fever, no cough.",
)
_RARE = "\U00013085 \U0001f9ec"  # a hieroglyph and an emoji, which few vocabularies hold
MOST_UNKNOWN = 0.2  # share of unknown tokens of an English text, beyond which it is no tokenizer


def load_tokenizer(folder: Path, rows: int | None, findings: Findings) -> Any:
    """The tokenizer, mended in memory; None if there is none.

    Args:
        folder: the model's folder. Its configuration may name the end-of-sequence token.
        rows: of the embedding: token ids must be below. None if unknown.
        findings: gets what was mended and what was not.
    """
    from transformers import AutoTokenizer

    if not any((folder / name).exists() for name in _FILES):
        findings.fault(
            "It holds no tokenizer (tokenizer.json or tokenizer.model). Copy or download all files "
            "of the model."
        )
        return None
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=False, local_files_only=True
        )
        ready = len(tokenizer) > 0 and bool(tokenizer(_SAMPLES[0])["input_ids"])
    except Exception as error:  # noqa: BLE001  # tokenizers raises bare Exceptions
        findings.fault(
            f"The tokenizer can't be loaded ({type(error).__name__}: {error}). Copy or download "
            "the tokenizer's files again."
        )
        return None
    if not ready:
        findings.fault(
            "The tokenizer has no vocabulary: it makes no tokens of a sentence. Copy or download "
            "the tokenizer's files again."
        )
        return None
    before = len(findings.faults)
    tokenizer = _without_added_tokens(tokenizer, rows, findings)
    _check_end(tokenizer, folder, rows, findings)
    _check_padding(tokenizer, rows, findings)
    if len(findings.faults) == before:
        _check_appended_end(tokenizer, findings)
        _check_ids(tokenizer, rows, findings)
    return tokenizer


def usable_stops(stops: tuple[int, ...], rows: int | None, findings: Findings) -> tuple[int, ...]:
    """The ids at which generation stops, without those that the model can't write.

    Args:
        stops: by the model's configuration.
        rows: of the embedding. None if unknown.
        findings: gets the ids that are left out.
    """
    beyond = [one for one in stops if one < 0 or (rows is not None and one >= rows)]
    if not beyond:
        return stops
    findings.mend(
        f"the configuration names {', '.join(map(str, beyond))} as eos_token_id, which is not "
        f"among the embedding's {rows:,} rows; it is ignored. If this model's config.json "
        "belongs to another model, copy the right one"
    )
    return tuple(one for one in stops if one not in beyond)


def _without_added_tokens(tokenizer: Any, rows: int | None, findings: Findings) -> Any:
    """The tokenizer without tokens that were added to it but not to the embedding."""
    if rows is None or max(tokenizer.get_vocab().values()) < rows:
        return tokenizer
    beyond = {token: at for token, at in tokenizer.get_vocab().items() if at >= rows}
    added = {token for token, at in tokenizer.get_added_vocab().items() if at >= rows}
    needed = {tokenizer.eos_token, tokenizer.bos_token, tokenizer.unk_token} & added
    if beyond.keys() == added and not needed and _drop(tokenizer, added):
        findings.mend(
            f"the tokens {some(added)} have no row in the embedding ({rows:,} rows), so the "
            "tokenizer no longer produces them"
        )
        return tokenizer
    named = some(needed or set(beyond))
    findings.fault(
        f"The tokenizer has {len(beyond)} token ids beyond the embedding's {rows:,} rows "
        f"({named}). Tokenizer and weights are not of the same model, or the embedding was not "
        "enlarged. Copy both from the same model."
    )
    return tokenizer


def _drop(tokenizer: Any, added: set[str]) -> bool:
    """Whether these added tokens could be removed from the tokenizer."""
    backend = getattr(tokenizer, "_tokenizer", None)
    if backend is None or (
        tokenizer.chat_template and any(token in str(tokenizer.chat_template) for token in added)
    ):
        return False
    from tokenizers import Tokenizer

    values = json.loads(backend.to_str())
    values["added_tokens"] = [
        token for token in values["added_tokens"] if token["content"] not in added
    ]
    if tokenizer.pad_token in added:
        tokenizer.pad_token = None
    tokenizer._tokenizer = Tokenizer.from_str(json.dumps(values))  # noqa: SLF001  # has no setter
    return not added & set(tokenizer.get_vocab())


def _check_end(tokenizer: Any, folder: Path, rows: int | None, findings: Findings) -> None:
    if tokenizer.eos_token_id is None:
        end = _stated_end(folder)
        known = isinstance(end, int) and 0 <= end < min(rows or len(tokenizer), len(tokenizer))
        token = tokenizer.convert_ids_to_tokens(end) if known else None
        if not token:
            findings.fault(
                "The tokenizer has no end-of-sequence token, and the configuration names none of "
                "its vocabulary, so an adapter could not learn where an answer ends. Set "
                "`eos_token` in tokenizer_config.json."
            )
            return
        tokenizer.eos_token = token
        findings.mend(
            f"the tokenizer has no end-of-sequence token; {token!r} is used, which the "
            "configuration names"
        )
    if rows is not None and tokenizer.eos_token_id >= rows:
        return  # reported with the other ids beyond the embedding
    rare = tokenizer(_RARE, add_special_tokens=False)["input_ids"]
    if tokenizer.eos_token_id in rare:
        findings.fault(
            f"The end-of-sequence token {tokenizer.eos_token!r} also stands for unknown text, so a "
            "row with a rare character would end in its middle. Set `eos_token` in "
            "tokenizer_config.json to a token of its own."
        )


def _stated_end(folder: Path) -> Any:
    """The first `eos_token_id` of the model's files. A config's own default would be a guess."""
    for name in ("generation_config.json", "config.json"):
        try:
            ends = json.loads((folder / name).read_text("utf-8")).get("eos_token_id")
        except (OSError, ValueError, AttributeError):
            continue
        if ends is not None:
            return ends[0] if isinstance(ends, list) and ends else ends
    return None


def _check_padding(tokenizer: Any, rows: int | None, findings: Findings) -> None:
    pad = tokenizer.pad_token_id
    limit = rows if rows is not None else len(tokenizer)
    if pad is not None and pad < limit:
        return
    if tokenizer.eos_token is None:
        return
    vocabulary = tokenizer.get_vocab()
    unused = next((token for token in _PADDING if vocabulary.get(token, limit) < limit), None)
    tokenizer.pad_token = unused or tokenizer.eos_token
    found = "no padding token" if pad is None else f"a padding token beyond the embedding ({pad})"
    findings.mend(
        f"the tokenizer has {found}; {tokenizer.pad_token!r} is used, which never reaches the loss"
    )


def _check_appended_end(tokenizer: Any, findings: Findings) -> None:
    """Keep the tokenizer from ending a prompt with the end-of-sequence token."""
    end, text = tokenizer.eos_token_id, _SAMPLES[0]
    plain = tokenizer(text, add_special_tokens=False)["input_ids"]
    if tokenizer(text)["input_ids"][-1] == end and plain[-1] != end:
        for name in ("add_eos_token", "_add_eos_token"):
            if getattr(tokenizer, name, False):
                setattr(tokenizer, name, False)
        backend = getattr(tokenizer, "_tokenizer", None)
        if backend is not None and tokenizer(text)["input_ids"][-1] == end:
            _strip_end(backend, tokenizer.eos_token)
        if tokenizer(text)["input_ids"][-1] != end:
            findings.mend(
                "the tokenizer appends the end-of-sequence token to every text; it no longer does, "
                "because a prompt must not end with it"
            )
    ids = tokenizer(text)["input_ids"]
    if end in ids[-1:] or end in plain:
        findings.fault(
            f"The tokenizer ends every text with {tokenizer.eos_token!r}, so a prompt would end "
            "before its answer. Set `add_eos_token: false` in tokenizer_config.json, or correct "
            "`post_processor` in tokenizer.json."
        )
    elif plain and ids[-len(plain) :] != plain:
        findings.fault(
            "The tokenizer adds tokens after a text, so a prompt would not be followed by its "
            "answer. Correct `post_processor` in tokenizer.json."
        )


def _strip_end(backend: Any, end: str) -> None:
    """Take the end-of-sequence token out of what the backend adds to a text."""
    from tokenizers import Tokenizer

    values = json.loads(backend.to_str())
    post = values.get("post_processor") or {}
    for part in [post, *post.get("processors", [])]:
        for form in ("single", "pair"):
            if isinstance(part.get(form), list):
                part[form] = [
                    piece for piece in part[form] if piece.get("SpecialToken", {}).get("id") != end
                ]
    backend.post_processor = Tokenizer.from_str(json.dumps(values)).post_processor


def _check_ids(tokenizer: Any, rows: int | None, findings: Findings) -> None:
    ids = [at for text in (*_SAMPLES, _RARE) for at in tokenizer(text)["input_ids"]]
    if rows is not None and max(ids) >= rows:
        findings.fault(
            f"The tokenizer produces the token id {max(ids):,}, and the embedding has {rows:,} "
            "rows. Copy tokenizer and weights from the same model."
        )
    unknown = tokenizer.unk_token_id
    plain = [
        at for text in _SAMPLES for at in tokenizer(text, add_special_tokens=False)["input_ids"]
    ]
    share = plain.count(unknown) / len(plain) if unknown is not None and plain else 0
    if share > MOST_UNKNOWN:
        findings.fault(
            f"The tokenizer does not know {share:.0%} of the tokens of an English sentence. Copy "
            "the tokenizer's files of this model."
        )
