"""What a publication says of a document that it can't read, or that is gone.

Belongs here: the sentence for each fault, and the header of a card. Does not: documents that can be
read and were changed by hand (edited_files), or what they must say (dataset_refusals).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bioinstruct_dagster.errors import StatedError

DOCUMENTS_ANEW = "materialize key:hf_dataset and key:dataset_figures again."
TRAINED_ANEW = (
    "remove this folder, and materialize key:lora_adapter and key:eval_scores for this partition "
    "again, which trains the adapter again."
)
SCORED_ANEW = "materialize key:eval_scores for this partition again."
_PARTS = 3  # before the header, the header, and the text


class BrokenDocumentError(StatedError):
    """A document can't be read. The message names its file, and what writes it again."""


@contextmanager
def reading(path: Path, anew: str) -> Iterator[None]:
    """State what is wrong with a document, where reading it or filling it in fails.

    Args:
        path: of the document.
        anew: what writes it again, as a sentence to the reader.

    Raises:
        BrokenDocumentError: the document has another form than the project writes.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        fault = f"it is no UTF-8 text from byte {error.start + 1:,} on"
    except json.JSONDecodeError as error:
        fault = f"it is no JSON: {error}"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" in line {mark.line + 1}" if mark else ""
        fault = f"it is no YAML: {getattr(error, 'problem', None) or 'a fault'}{line}"
    except OSError as error:
        fault = error.strerror or str(error)
    except ValueError as error:
        fault = str(error)
    except (AttributeError, KeyError, TypeError):
        fault = "it has another form than the project wrote"
    else:
        return
    raise BrokenDocumentError(f"{path} can't be read: {fault}. Put the file back, or {anew}")


def header_of(card: str) -> Mapping[str, Any]:
    """The YAML header of a card.

    Raises:
        ValueError: it has none, or one that is no mapping.
        yaml.YAMLError: the header is no YAML. Lines are counted as in the card.
    """
    parts = card.split("---\n", 2)
    if len(parts) < _PARTS or parts[0].strip():
        raise ValueError("it does not begin with a YAML header between two lines ---")
    header = yaml.safe_load(f"\n{parts[1]}")
    if not isinstance(header, Mapping):
        raise ValueError("the header between its first two lines --- is no YAML mapping")  # noqa: TRY004  # of the text
    return header


def gone(folder: Path, name: str, anew: str) -> str:
    """The sentence for a document that the project wrote and that is no longer there."""
    return f"{folder / name} is missing. The project wrote it. Put the file back, or {anew}"
