"""The tokenizer's chat template as a prompt: what the model sees when it chats, to the token."""

import pytest

from bioinstruct_dagster.models.prompts import PromptTemplateError, RowTokenizer
from bioinstruct_dagster_tests.models.made_tokenizers import (
    CHATML_TOKENS,
    LLAMA3,
    LLAMA32,
    QWEN3,
    SMOLLM2,
    byte_level,
    llama2,
    llama3,
    smollm2,
    tokenizing,
)

ROW = ("Name the organ that makes insulin.", "It lies behind the stomach.", "The pancreas.")


def qwen3():
    return byte_level(
        CHATML_TOKENS, eos="<|im_end|>", template=QWEN3, words=("<think>", "</think>")
    )


TOKENIZERS = {"smollm2": smollm2, "llama3": llama3, "llama2": llama2, "qwen3": qwen3}
ENDS = {"smollm2": "<|im_end|>", "llama3": "<|eot_id|>", "llama2": "</s>", "qwen3": "<|im_end|>"}


def chat_ids(tokenizer, answer=None):
    """The chat as transformers tokenises it: up to the model's turn, or with the answer."""
    messages = [{"role": "user", "content": f"{ROW[0]}\n\n{ROW[1]}"}]
    if answer:
        messages.append({"role": "assistant", "content": answer})
    return tokenizer.apply_chat_template(
        messages, add_generation_prompt=not answer, enable_thinking=False, return_dict=False
    )


@pytest.fixture(params=TOKENIZERS)
def name(request):
    return request.param


def test_the_prompt_is_the_chat_up_to_the_models_turn(name):
    tokenizer = TOKENIZERS[name]()
    encoder = RowTokenizer(tokenizer, tokenizing(tokenizer).prompt)
    assert list(encoder.prompts([ROW[:2]])[0]) == chat_ids(tokenizer)


def test_prompt_and_response_are_the_chat_with_the_answer(name):
    tokenizer = TOKENIZERS[name]()
    prompt = tokenizing(tokenizer).prompt
    encoder = RowTokenizer(tokenizer, prompt)
    ids = [*encoder.prompts([ROW[:2]])[0], *encoder.responses([ROW[2]])[0]]
    chat = chat_ids(tokenizer, ROW[2])
    assert chat[: len(ids)] == ids
    # Behind the answer, the template writes the end token, perhaps with blanks around it.
    rest = [token for token in chat[len(ids) :] if token in tokenizer.all_special_ids]
    assert rest == [prompt.end_id]


def test_a_row_ends_as_the_template_ends_a_turn(name):
    tokenizer = TOKENIZERS[name]()
    prompt = tokenizing(tokenizer).prompt
    assert tokenizer.convert_ids_to_tokens(prompt.end_id) == ENDS[name]
    assert prompt.stop_ids == (prompt.end_id,)


@pytest.mark.parametrize("row", [ROW[:2], (ROW[0], "")])
def test_the_begin_of_text_stands_once(row):
    # The template writes it, and the tokenizer would add it too.
    tokenizer = llama3()
    assert tokenizer("a")["input_ids"][0] == tokenizer.bos_token_id
    ids = RowTokenizer(tokenizer, tokenizing(tokenizer).prompt).prompts([row])[0]
    assert ids[0] == tokenizer.bos_token_id
    assert ids.count(tokenizer.bos_token_id) == 1


def test_a_system_message_is_the_templates_own():
    prompt = tokenizing(smollm2()).prompt.prompt_of("Name a drug.", "")
    assert prompt.startswith("<|im_start|>system\nYou are a helpful AI assistant named SmolLM")
    assert prompt.endswith("<|im_start|>user\nName a drug.<|im_end|>\n<|im_start|>assistant\n")


def test_a_model_that_can_think_is_told_not_to():
    prompt = tokenizing(qwen3()).prompt.prompt_of("Name a drug.", "")
    assert prompt.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_a_template_with_the_date_gives_the_same_prompt_on_every_day():
    prompt = tokenizing(llama3(LLAMA32)).prompt.prompt_of("Name a drug.", "")
    assert "Today: 26 Jul 2024\n" in prompt


def test_the_version_names_the_templates_text():
    versions = {
        tokenizing(llama3(template)).prompt.version
        for template in (LLAMA3, LLAMA3, LLAMA32, SMOLLM2)
    }
    assert len(versions) == 3
    assert all(version.startswith("chat/") for version in versions)


def test_generation_stops_where_the_model_stops_too():
    tokenizer = llama3()
    end_of_text = tokenizer.eos_token_id
    prompt = tokenizing(tokenizer, stops=(end_of_text,)).prompt
    assert prompt.stop_ids == (prompt.end_id, end_of_text)
    (note,) = prompt.notes
    assert "'<|eot_id|>'" in note
    assert f"Serve the adapter with {prompt.end_id} among the stop tokens" in note
    assert tokenizing(tokenizer, stops=(end_of_text, prompt.end_id)).prompt.notes == ()


def test_a_template_for_prompts_alone_ends_with_the_tokenizers_end():
    refuses = SMOLLM2.replace(
        "{% for message",
        "{% if messages[-1]['role'] == 'assistant' %}{{ raise_exception('no') }}{% endif %}"
        "{% for message",
        1,
    )
    tokenizer = byte_level(CHATML_TOKENS, eos="<|endoftext|>", template=refuses)
    assert tokenizing(tokenizer).prompt.end_id == tokenizer.eos_token_id


def test_a_template_that_ends_a_chat_twice_ends_a_turn_with_the_first_token():
    # As Phi 4's: the end of the turn, then the end of the text.
    twice = SMOLLM2.removesuffix("{% endif %}") + "{% else %}{{ eos_token }}{% endif %}"
    tokenizer = byte_level(CHATML_TOKENS, eos="<|endoftext|>", template=twice)
    prompt = tokenizing(tokenizer).prompt
    assert tokenizer.convert_ids_to_tokens(prompt.end_id) == "<|im_end|>"
    assert prompt.notes == ()


def test_a_template_that_opens_a_thought_in_every_prompt_is_said_to():
    # As DeepSeek R1's: the thought can't be switched off, and is not there before an answer.
    thinks = SMOLLM2.removesuffix("' }}{% endif %}") + "<think>' }}{% endif %}"
    prompt = tokenizing(byte_level(CHATML_TOKENS, eos="<|im_end|>", template=thinks)).prompt
    assert prompt.prompt_of("Name a drug.", "").endswith("<|im_start|>assistant\n<think>")
    (note,) = prompt.notes
    assert (
        r"assistant\n<think>' in a prompt, but '<|im_end|>\n<|im_start|>assistant\n' before" in note
    )


def test_of_several_templates_the_default_one_counts():
    tokenizer = smollm2()
    tokenizer.chat_template = {"tool_use": LLAMA3, "default": SMOLLM2}
    assert tokenizing(tokenizer).prompt.version == tokenizing(smollm2()).prompt.version


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        (None, "has no chat template.*prompt: alpaca"),
        ("", "has no chat template"),
        ("{% for", "can't be rendered.*chat_template.jinja"),
        ("{{ raise_exception('no user') }}", "can't be rendered.*no user"),
        ("{{ messages[0].nothing.more }}", "can't be rendered"),
        ("Hello", "does not write the user's message"),
        (
            SMOLLM2.split("{% if add_generation_prompt %}")[0],
            "writes no start of the model's turn.*im_start.*assistant",
        ),
    ],
)
def test_a_template_that_can_not_serve_is_refused_in_words(template, fault):
    tokenizer = byte_level(CHATML_TOKENS, eos="<|im_end|>", template=template)
    with pytest.raises(PromptTemplateError, match=f"(?s){fault}"):
        tokenizing(tokenizer)


@pytest.mark.parametrize(
    "change",
    ["[:20]", "[:2000]", "|upper", "|lower", "|e", "|title", "|replace('<', '&lt;')", "|tojson",
     "|replace('\\n', ' ')", "|replace('  ', ' ')", "|truncate(90000)", ".split('[INST]')[0]",
     "|striptags", "|string|center(9)|wordwrap(79)"],
)  # fmt: skip
def test_a_template_that_cuts_or_changes_the_message_is_refused(change):
    template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content']"
        f"{change}"
        " }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
        "{% endif %}"
    )
    tokenizer = byte_level(CHATML_TOKENS, eos="<|im_end|>", template=template)
    with pytest.raises(PromptTemplateError, match="message"):
        tokenizing(tokenizer)


def test_a_template_that_strips_the_message_is_taken():
    template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content']|trim }}<|im_end|>\n"
        "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
    )
    assert tokenizing(byte_level(CHATML_TOKENS, eos="<|im_end|>", template=template)).prompt
