"""What is missing on a data set card, whoever wrote its text.

Belongs here: a header that the hub reads, sections with a text, and data files that exist. Does
not: the text of the card (card).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

# Fields of the header without which the hub or `datasets.load_dataset` does not show the set.
NEEDED = ("pretty_name", "task_categories", "size_categories", "configs")
# What a template leaves behind.
_PLACEHOLDER = re.compile(r"\[More Information Needed\]|\bTODO\b|\{\{.*?\}\}", re.IGNORECASE)
_CODE = re.compile(r"^(`{3,}).*?^\1`*\s*$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^(#{1,6}) +(.+)$", re.MULTILINE)


def faults_of_card(text: str, folder: Path) -> list[str]:
    """A sentence for each fault of a card; empty if it is complete.

    Args:
        text: of README.md.
        folder: where the card and the data files lie.
    """
    parts = text.split("---\n", 2)
    if len(parts) < 3 or parts[0].strip():  # noqa: PLR2004  # before, header, text
        return ["The card has no YAML header."]
    try:
        header = yaml.safe_load(parts[1])
    except yaml.YAMLError:
        header = None
    if not isinstance(header, dict):
        return ["The header of the card is no YAML mapping."]
    return [*_of_header(header, folder), *_of_text(parts[2])]


def _of_header(header: dict[str, Any], folder: Path) -> Iterator[str]:
    if missing := [name for name in NEEDED if not header.get(name)]:
        yield f"The header lacks {', '.join(missing)}."
    for config in header.get("configs") or []:
        for files in config.get("data_files") or []:
            if not any(folder.glob(str(files.get("path")))):
                yield f"The header names {files.get('path')}, and no such file exists."


def _of_text(text: str) -> Iterator[str]:
    plain = _CODE.sub("(code)", text)
    headings = list(_HEADING.finditer(plain))
    for heading, following in zip(headings, [*headings[1:], None], strict=True):
        content = plain[heading.end() : following.start() if following else len(plain)]
        has_part = following is not None and len(following[1]) > len(heading[1])
        if not content.strip() and not has_part:
            yield f"The section {heading[2].strip()} is empty."
    if found := _PLACEHOLDER.search(plain):
        yield f"The card holds the placeholder {found[0]}."
