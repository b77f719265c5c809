"""Prompt templates that a user writes: a YAML file with two texts, or one plain text.

Belongs here: reading and checking such a file. Does not: the prompts that ship in the code
(models.prompts.alpaca), or the tokenizer's chat template (models.prompts.chat).
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from bioinstruct_dagster.input_files import fault_of_file, shown
from bioinstruct_dagster.models.prompts.template import (
    INPUT,
    INSTRUCTION,
    PromptTemplateError,
    PromptTexts,
)
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.fingerprints import sha256_of
from bioinstruct_dagster.yaml_files import StrictModel, read_yaml
from bioinstruct_dagster.yaml_lines import Fault

MOST_BYTES = 64 << 10  # a longer prompt would not leave room for a row
_YAML = (".yaml", ".yml")
_NAMED = re.compile(r"\{\w+\}")


class _PromptFile(StrictModel):
    """The fields of a YAML file with a prompt template."""

    with_input: str = Field(min_length=1)
    without_input: str = Field(min_length=1)


def path_of(name: str) -> Path:
    """The file that `prompt` of a base model names. A relative path starts at the project."""
    return PROJECT_ROOT / Path(name).expanduser()


def read_prompt_file(name: str) -> tuple[str, PromptTexts]:
    """The version and the texts of the template in a file.

    A YAML file (.yaml, .yml) has the fields `with_input` and `without_input`. Any other file is one
    text that serves for both; the line break that ends it is not a part of the prompt, because
    editors add one.

    Args:
        name: the path, as the experiment file gives it.

    Returns:
        the version, which is the file's name and a hash of the texts; and the texts.

    Raises:
        PromptTemplateError: lists all faults with the file, and what to do.
    """
    path = path_of(name)
    if fault := fault_of_file(path):
        raise PromptTemplateError(
            f"Prompt template {shown(path)} {fault}. Set `prompt` in the experiment file "
            "(BIOINSTRUCT_EXPERIMENTS) to "
            "alpaca, chat, or a file with a template."
        )
    texts = _read_yaml(path) if path.suffix.lower() in _YAML else _read_text(path)
    return f"{path.stem}/{sha256_of([texts.with_input, texts.without_input])[:12]}", texts


def _read_yaml(path: Path) -> PromptTexts:
    read = read_yaml(path, _PromptFile, PromptTemplateError, more_faults=_faults)
    return PromptTexts(read.with_input, read.without_input)


def _faults(content: Mapping[str, Any]) -> Iterator[Fault]:
    for field, text in content.items():
        if field in _PromptFile.model_fields and isinstance(text, str):
            for message in _faults_of_text(text, needs_input=field == "with_input"):
                yield Fault((field,), message)
            if field == "without_input" and INPUT in text:
                yield Fault((field,), f"holds {INPUT}, but serves rows without an input; remove it")


def _read_text(path: Path) -> PromptTexts:
    content = path.read_bytes()[: MOST_BYTES + 1]
    if len(content) > MOST_BYTES:
        raise PromptTemplateError(
            f"{shown(path)} holds more than {MOST_BYTES >> 10} KiB, so it is no prompt template; "
            "name the right file in `prompt` of the experiment file (BIOINSTRUCT_EXPERIMENTS)."
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise PromptTemplateError(
            f"{shown(path)}:{line}: is not UTF-8 text; save the file as UTF-8."
        ) from None
    text = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n")
    faults = list(_faults_of_text(text, needs_input=True))
    if faults:
        raise PromptTemplateError("\n".join(f"{shown(path)}: {fault}" for fault in faults))
    return PromptTexts(text, text)


def _faults_of_text(text: str, *, needs_input: bool) -> Iterator[str]:
    for field in (INSTRUCTION, INPUT) if needs_input else (INSTRUCTION,):
        times = text.count(field)
        if times == 1:
            continue
        others = sorted(set(_NAMED.findall(text)) - {INSTRUCTION, INPUT})
        found = f" (found: {', '.join(others)})" if others and not times else ""
        yield (
            f"holds {field} {times} times{found}; write it once, where the row's "
            f"{field.strip('{}')} goes"
        )
