"""Prompt templates in files: their texts, their versions, and the words about their faults."""

import pytest

from bioinstruct_dagster.models.prompts import PromptTemplateError, RowTokenizer
from bioinstruct_dagster.models.prompts.alpaca import TEXTS
from bioinstruct_dagster.models.prompts.file import read_prompt_file
from bioinstruct_dagster_tests.models.made_tokenizers import llama2, llama3, tokenizing

YAML = "with_input: 'Do {instruction} with {input}: '\nwithout_input: 'Do {instruction}: '\n"


@pytest.fixture
def write(tmp_path):
    """Write a template's file and return its path as text."""

    def write(content, name="my_prompt.yaml"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def test_a_yaml_file_has_a_text_for_rows_with_and_without_input(write):
    version, texts = read_prompt_file(write(YAML))
    assert version.startswith("my_prompt/")
    assert texts.prompt_of("this", "that") == "Do this with that: "
    assert texts.prompt_of("this", "") == "Do this: "


def test_a_plain_text_serves_for_both(write):
    _, texts = read_prompt_file(
        write("Task: {instruction}\r\nText: {input}\r\nAnswer:\r\n", "a.txt")
    )
    assert texts.prompt_of("this", "that") == "Task: this\nText: that\nAnswer:"
    assert texts.prompt_of("this", "") == "Task: this\nText: \nAnswer:"


def test_one_line_break_at_the_end_of_a_plain_text_is_the_editors(write):
    _, texts = read_prompt_file(write("{instruction} {input}\n\n", "a.txt"))
    assert texts.prompt_of("a", "b") == "a b\n"


def test_the_version_is_of_the_texts_and_not_of_the_folder(write, tmp_path):
    first, _ = read_prompt_file(write(YAML))
    (tmp_path / "elsewhere").mkdir()
    moved = tmp_path / "elsewhere" / "my_prompt.yaml"
    moved.write_text("# A comment.\n" + YAML, "utf-8")
    assert read_prompt_file(str(moved))[0] == first
    assert read_prompt_file(write(YAML.replace("Do", "Now do")))[0] != first


def test_the_prompt_of_alpaca_lora_is_alpacas_with_a_line_break():
    version, texts = read_prompt_file("data/prompts/alpaca_lora.yaml")
    assert version.startswith("alpaca_lora/")
    for task_input in ("", "b"):
        assert texts.prompt_of("a", task_input) == TEXTS.prompt_of("a", task_input) + "\n"


@pytest.mark.parametrize("template", ["{instruction} {input}", "<s>{instruction} {input}"])
def test_the_begin_of_sequence_stands_once_whoever_writes_it(write, template):
    tokenizer = llama2()
    encoder = RowTokenizer(tokenizer, tokenizing(tokenizer, write(template, "a.txt")).prompt)
    ids = encoder.prompts([("T", "The </s>")])[0]
    assert ids[0] == tokenizer.bos_token_id
    assert ids.count(tokenizer.bos_token_id) == 1
    assert tokenizer.eos_token_id not in ids


def test_a_template_may_write_control_tokens(write):
    tokenizer = llama3()
    template = "{instruction} {input}<|eot_id|>"
    prompt = tokenizing(tokenizer, write(template, "a.txt")).prompt
    ids = RowTokenizer(tokenizer, prompt).prompts([("a <|eot_id|>", "b")])[0]
    end = tokenizer.convert_tokens_to_ids("<|eot_id|>")
    assert ids[-1] == end
    assert ids.count(end) == 1


@pytest.mark.parametrize(
    ("content", "name", "faults"),
    [
        ("Do it: {input}", "a.txt", ["a.txt: holds {instruction} 0 times; write it once"]),
        (
            "{question} {input} {input}",
            "a.txt",
            ["holds {instruction} 0 times (found: {question})", "holds {input} 2 times"],
        ),
        (b"\n\xff{instruction}", "a.txt", ["a.txt:2: is not UTF-8 text"]),
        ("{instruction}" + "x" * 70_000, "a.txt", ["holds more than 64 KiB"]),
        (
            "with_input: '{instruction}'\n",
            "a.yaml",
            ["a.yaml:1: with_input: holds {input} 0 times"],
        ),
        ("with_input: '{instruction}'\n", "a.yaml", ["without_input: missing"]),
        (YAML + "prompt: x\n", "a.yaml", ["a.yaml:3: prompt:"]),
        (
            YAML.replace("'Do {instruction}: '", "'{instruction} {input}'"),
            "a.yaml",
            ["a.yaml:2: without_input: holds {input}, but serves rows without an input"],
        ),
        ("", "a.yaml", ["is empty"]),
    ],
)
def test_faults_name_the_file_and_what_to_do(write, content, name, faults):
    with pytest.raises(PromptTemplateError) as raised:
        read_prompt_file(write(content, name))
    for fault in faults:
        assert fault in str(raised.value)


@pytest.mark.parametrize("name", ["nowhere.txt", "nowhere.yaml", "."])
def test_a_missing_file_is_named_with_the_choices(tmp_path, name):
    with pytest.raises(PromptTemplateError, match=r"does not exist|is a folder") as raised:
        read_prompt_file(str(tmp_path / name))
    assert "alpaca, chat, or a file" in str(raised.value)
