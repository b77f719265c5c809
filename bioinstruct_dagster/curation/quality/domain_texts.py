"""The shipped texts that show how the domain and other fields are written.

The domain is shown by the recorded tasks without a planted fault, the instructions of the category
classifier's examples, and the rehearsal corpus; other fields by `data/general_examples.jsonl`.
The seeds are left out, so that a new seed changes no verdict. Belongs here: reading these texts.
Does not: what is learned from them (domain).
"""

import json
from functools import cache
from pathlib import Path
from typing import NamedTuple

from bioinstruct_dagster.curation.gates import TEXT_FIELDS
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.rehearsal.recordings import RECORDINGS, read_recordings
from bioinstruct_dagster.settings import INPUTS
from bioinstruct_dagster.store.fingerprints import sha256_of

GENERAL_EXAMPLES = INPUTS / "general_examples.jsonl"
INSTRUCTIONS = INPUTS / "category_examples.jsonl"
CORPUS = INPUTS / "rehearsal_corpus.txt"


class DomainTextsError(StatedError):
    """A file of texts that the rule off_domain learns from is malformed; the message names it."""


class DomainTexts(NamedTuple):
    """The texts of the domain and the texts of other fields.

    Attributes:
        domain: rows and paragraphs of the domain.
        instructions: instructions of the domain without input and output; many have no word of it.
        general: rows of other fields.
    """

    domain: tuple[str, ...]
    instructions: tuple[str, ...]
    general: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The hash of all texts."""
        return sha256_of([list(texts) for texts in self])


@cache
def domain_texts() -> DomainTexts:
    """The shipped texts.

    Raises:
        DomainTextsError: a file is missing or malformed; the message names file, line and field.
        RecordingsError: the file of recordings is malformed.
    """
    recorded = [
        "\n".join(task[name] for name in TEXT_FIELDS)
        for recording in read_recordings(RECORDINGS)
        if not recording.faults
        for task, _ in recording.tasks()
        if task
    ]
    paragraphs = [text for text in _text(CORPUS).split("\n\n") if text.strip()]
    return DomainTexts(
        domain=(*recorded, *paragraphs),
        instructions=_rows(INSTRUCTIONS, ("instruction",)),
        general=_rows(GENERAL_EXAMPLES, TEXT_FIELDS),
    )


def _rows(path: Path, fields: tuple[str, ...]) -> tuple[str, ...]:
    """The text of each row of a JSON Lines file: its fields, one below the other."""
    found = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            found.append("\n".join([row[name] for name in fields]))
        except (ValueError, KeyError, TypeError) as error:
            raise DomainTextsError(
                f"{path}:{number}: write an object with the text fields {', '.join(fields)} "
                f"({error!r})."
            ) from None
    if not found:
        raise DomainTextsError(f"{path}: holds no row; restore the shipped file.")
    return tuple(found)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DomainTextsError(
            f"{path}: can't be read ({error}). The rule off_domain learns from it; restore the "
            "shipped file, or set the rule's action to off."
        ) from None
