"""Root verbs and objects by a spaCy model, as the paper read them.

Belongs here: running the model's parser. Does not: choosing the model's name
(curation.privacy.entities.language_model), or reading by word lists (reading).
"""

from collections.abc import Iterator, Sequence
from typing import Any

from bioinstruct_dagster.dataset.imperatives.lemmas import base_verb, singular
from bioinstruct_dagster.dataset.imperatives.reading import Imperative, read_imperative
from bioinstruct_dagster.errors import StatedError

_BATCH = 64
_OBJECTS = frozenset({"dobj", "obj"})
_NOUNS = frozenset({"NOUN", "PROPN"})


class VerbModelError(StatedError):
    """The language model that reads verbs can't be used; the message says why."""


def parsed_imperatives(model: str, instructions: Sequence[str]) -> Iterator[Imperative]:
    """The root verb of each instruction's first sentence, with the noun of its direct object.

    If the root is no verb, as where the model takes `List` for a noun, the word lists read the
    instruction.

    Args:
        model: the name or folder of an installed spaCy model with a parser.
        instructions: in English.

    Raises:
        VerbModelError: spaCy can't load the model, or it has no parser.
    """
    pipeline = _loaded(model)
    for text, parsed in zip(
        instructions, pipeline.pipe(instructions, batch_size=_BATCH), strict=True
    ):
        first = next(iter(parsed.sents), None)
        if first is None or first.root.pos_ != "VERB":
            yield read_imperative(text)
            continue
        nouns = (
            word for word in first.root.children if word.dep_ in _OBJECTS and word.pos_ in _NOUNS
        )
        found = next(nouns, None)
        verb = first.root.lemma_.lower()
        yield Imperative(base_verb(verb) or verb, singular(found.text.lower()) if found else "")


def _loaded(model: str) -> Any:
    try:
        import spacy

        pipeline = spacy.load(model, exclude=["ner", "textcat"])
    except (OSError, ValueError, ImportError) as error:
        raise VerbModelError(
            f"BIOINSTRUCT_VERB_MODEL: spaCy can't load {model!r} ({type(error).__name__}). Set it "
            "to the name of an installed spaCy model, or to `off` to read by word lists."
        ) from None
    if "parser" not in pipeline.pipe_names:
        raise VerbModelError(
            f"BIOINSTRUCT_VERB_MODEL: the spaCy model {model!r} has no parser. Name a model that "
            "has one, or set it to `off` to read by word lists."
        )
    return pipeline
