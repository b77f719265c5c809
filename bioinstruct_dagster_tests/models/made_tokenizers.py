"""Tokenizers and chat templates for tests: small, and of the kinds that real models have.

Belongs here: making them. Does not: tests.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.prompts import PromptTemplate, template_of

PROSE = [
    "The pancreas makes insulin in the beta cells of its islets.",
    "Name the organ. Question: how much warfarin? Answer: 5 mg a day.",
    "system user assistant You are a helpful AI assistant.",
    "### Instruction:\n\n### Input:\n\n### Response:\n",
]

# The form of ChatML, as in SmolLM2-135M-Instruct: with a system message of its own.
SMOLLM2 = """\
{% for message in messages %}{% if loop.first and message['role'] != 'system' %}{{ '<|im_start|>\
system
You are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>
' }}{% endif %}{{ '<|im_start|>' + message['role'] + '
' + message['content'] + '<|im_end|>
' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% endif %}"""
# The form of Llama 3: the template writes the begin-of-text token, and trims messages.
LLAMA3 = """\
{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] +\
 '<|end_header_id|>

' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}{% if add_generation_prompt %}\
{{ '<|start_header_id|>assistant<|end_header_id|>

' }}{% endif %}"""
# The form of Llama 3.2: it writes the day's date.
LLAMA32 = LLAMA3.replace(
    "{{ bos_token }}", "{{ bos_token }}{{ 'Today: ' + strftime_now('%d %b %Y') + '\n' }}"
)
# The form of Llama 2: no start of the model's turn, and a blank before and after its answer.
LLAMA2 = """\
{% for message in messages %}{% if message['role'] == 'user' %}{{ bos_token + '[INST] ' +\
 message['content'] | trim + ' [/INST]' }}{% else %}{{ ' ' + message['content'] | trim + ' ' +\
 eos_token }}{% endif %}{% endfor %}"""
# The form of Qwen 3: an empty thought comes before an answer without thinking.
QWEN3 = """\
{% for message in messages %}{{ '<|im_start|>' + message['role'] + '
' }}{% if message['role'] == 'assistant' %}{{ '<think>

</think>

' }}{% endif %}{{ message['content'] + '<|im_end|>
' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant
' }}{% if enable_thinking is defined and not enable_thinking %}{{ '<think>

</think>

' }}{% endif %}{% endif %}"""

CHATML_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA3_TOKENS = (
    "<|begin_of_text|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<|end_header_id|>",
    "<|eot_id|>",
)


def byte_level(
    special: tuple[str, ...],
    *,
    bos: str | None = None,
    eos: str | None = None,
    adds: str = "$A",
    template: str | None = None,
    words: tuple[str, ...] = (),
) -> Any:
    """A byte-level BPE tokenizer, as those of GPT-2, Llama 3, Qwen and SmolLM2.

    Args:
        special: its special tokens.
        bos: the begin-of-sequence token, one of them.
        eos: the end-of-sequence token, one of them.
        adds: what it puts around a text, such as "<s> $A".
        template: the chat template.
        words: ordinary words of the vocabulary, added as they stand.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=list(special),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(PROSE, trainer)
    around = [one for one in special if one in adds]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=adds, special_tokens=[(one, tokenizer.token_to_id(one)) for one in around]
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token=bos,
        eos_token=eos,
        extra_special_tokens=[one for one in special if one not in (bos, eos)],
    )
    made.add_tokens(list(words))
    made.chat_template = template
    return made


def sentencepiece_like(template: str | None = None, adds: str = "<s> $A") -> Any:
    """A BPE tokenizer that puts a blank before every text, as that of Llama 2."""
    from tokenizers import Tokenizer, decoders, models, normalizers, processors
    from transformers import PreTrainedTokenizerFast

    special = ["<unk>", "<s>", "</s>"]
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    letters = sorted({letter for text in PROSE for letter in text if letter.isalnum()} | {"\u2581"})
    merges = [("\u2581", "T"), ("\u2581T", "h"), ("\u2581Th", "e"), ("T", "h"), ("Th", "e")]
    words = special + bytes_ + letters + ["".join(pair) for pair in merges]
    vocabulary = {word: place for place, word in enumerate(dict.fromkeys(words))}
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, byte_fallback=True, unk_token="<unk>"))
    tokenizer.add_special_tokens(special)
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("\u2581", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single=adds,
        special_tokens=[(one, tokenizer.token_to_id(one)) for one in special if one in adds],
    )
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    made.chat_template = template
    return made


def smollm2() -> Any:
    """A tokenizer in the form of SmolLM2-135M-Instruct's."""
    return byte_level(CHATML_TOKENS, bos="<|im_start|>", eos="<|im_end|>", template=SMOLLM2)


def llama3(template: str = LLAMA3) -> Any:
    """A tokenizer in the form of Llama 3's: it adds the begin-of-text token by itself."""
    return byte_level(
        LLAMA3_TOKENS,
        bos="<|begin_of_text|>",
        eos="<|end_of_text|>",
        adds="<|begin_of_text|> $A",
        template=template,
    )


def llama2() -> Any:
    """A tokenizer in the form of Llama 2's."""
    return sentencepiece_like(LLAMA2)


@dataclass(frozen=True)
class Tokenizing:
    """What encodes rows, without a model."""

    tokenizer: Any
    prompt: PromptTemplate
    context: int = field(default=100_000)


def tokenizing(
    tokenizer: Any, prompt: str = "chat", stops: tuple[int, ...] = (), context: int = 100_000
) -> Tokenizing:
    """The tokenizer with a prompt, as data/experiments.yaml names it."""
    spec = BaseModelSpec(source="owner/name", prompt=prompt)
    return Tokenizing(tokenizer, template_of(spec, tokenizer, stops), context)


KINDS = ("smollm2", "llama3", "llama2")
PROMPTS = ("alpaca", "chat", "data/prompts/alpaca_lora.yaml")


@cache
def base_of(kind: str, prompt: str) -> Tokenizing:
    """A tokenizer of this kind with this prompt. It is made once, when a test needs it."""
    make = {"smollm2": smollm2, "llama3": llama3, "llama2": llama2}[kind]
    return tokenizing(make(), prompt)
