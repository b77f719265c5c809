"""Reads the word lists of the gates, `curation/<gate>/words/*.yaml`, when a gate first needs them.

A file holds named lists. Each list has a plain sentence that says what it is for, and its words:

    articles:
      what: Words that carry no content of their own. Whole words in small letters.
      words: [a, an, the, of]
    mass:
      what: Names of units of mass. The number after a unit says how many grams it is.
      words: {mg: 0.001, g: 1, kg: 1000}

Every word is read as text, so that `no`, `on` and `12` need no quotes. Belongs here: reading and
checking such a file. Does not: the words (the files), or how a gate uses them (the gate's modules).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any, NamedTuple

from bioinstruct_dagster.errors import StatedError

WORDS_FOLDER = "words"  # in a gate's package
LIST_FIELDS = frozenset({"what", "words"})


class WordListError(StatedError):
    """A file of word lists is malformed; the message names the file, the line and the list."""


@cache
def word_list(package: str, file: str, name: str) -> frozenset[str]:
    """The words of one list.

    Args:
        package: the gate's package, such as "bioinstruct_dagster.curation.quality".
        file: a file in its folder `words`, such as "sources.yaml".
        name: the name of a list in that file.

    Raises:
        WordListError: the file is malformed, or the list is missing.
    """
    return frozenset(_read_list_of(package, file, name).words)


@cache
def word_values(package: str, file: str, name: str) -> Mapping[str, float]:
    """The words of one list and the number of each, in the order of the file.

    Args:
        package: the gate's package, such as "bioinstruct_dagster.curation.quality".
        file: a file in its folder `words`, such as "units.yaml".
        name: the name of a list in that file.

    Raises:
        WordListError: the file is malformed, the list is missing, or a word has no number.
    """
    values: dict[str, float] = {}
    for word, value in _read_list_of(package, file, name).words.items():
        try:
            values[word] = float(value or "")
        except ValueError:
            raise WordListError(
                f"{package}/{WORDS_FOLDER}/{file}: list {name}: the word {word} has no number. "
                "Write one after it, such as `mg: 0.001`."
            ) from None
    return MappingProxyType(values)


@cache
def word_texts(package: str, file: str, name: str) -> Mapping[str, str]:
    """The words of one list and the text after each, in the order of the file.

    Args:
        package: the package whose folder `words` holds the file.
        file: a file in that folder, such as "synonyms.yaml".
        name: the name of a list in that file.

    Raises:
        WordListError: the file is malformed, the list is missing, or a word has no text.
    """
    texts: dict[str, str] = {}
    for word, value in _read_list_of(package, file, name).words.items():
        if value is None:
            raise WordListError(
                f"{package}/{WORDS_FOLDER}/{file}: list {name}: the word {word} has no text. "
                "Write one after it, such as `dad: father`."
            )
        texts[word] = value
    return MappingProxyType(texts)


def alternatives(words: Iterable[str]) -> str:
    """A part of a regular expression that matches any of the words, the longest first.

    Args:
        words: plain words or phrases, with punctuation taken literally.
    """
    return "|".join(re.escape(word) for word in sorted(words, key=lambda word: (-len(word), word)))


class _WordList(NamedTuple):
    what: str
    words: Mapping[str, str | None]  # the value after each word, if it has one


def _read_list_of(package: str, file: str, name: str) -> _WordList:
    lists = _lists_in(package, file)
    if name not in lists:
        raise WordListError(
            f"{package}/{WORDS_FOLDER}/{file}: the list {name} is missing, and the gate needs it. "
            "Add it, or restore its name."
        )
    return lists[name]


@cache
def _lists_in(package: str, file: str) -> dict[str, _WordList]:
    """All lists of a file.

    The YAML nodes are read, not Python values: nodes keep their lines and repeated keys, and a word
    such as `no` stays a text.
    """
    import yaml

    # The loader in C, if PyYAML has it, takes a tenth of the time.
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    place = f"{package}/{WORDS_FOLDER}/{file}"
    try:
        text = files(package).joinpath(WORDS_FOLDER, file).read_text("utf-8")
        root = yaml.compose(text, Loader=loader)
    except OSError as error:
        raise WordListError(f"{place}: can't be read ({error.strerror}).") from None
    except (yaml.YAMLError, ValueError) as error:
        raise WordListError(f"{place}: is not YAML: {error}") from None
    if not isinstance(root, yaml.MappingNode):
        raise WordListError(f"{place}: must hold named lists, each with `what` and `words`.")
    return {name: _read_list(place, name, node) for name, node in _entries(place, "", root)}


def _read_list(place: str, name: str, node: Any) -> _WordList:
    fault = f"{place}: line {node.start_mark.line + 1}: list {name}"
    parts = dict(_entries(place, name, node)) if node.id == "mapping" else {}
    if set(parts) != LIST_FIELDS:
        raise WordListError(f"{fault}: a list must have `what` and `words`, and nothing else.")
    what, words = parts["what"], parts["words"]
    if what.id != "scalar" or not what.value.strip():
        raise WordListError(f"{fault}: `what` must be one sentence that says what the list is for.")
    if words.id == "sequence":
        found: dict[str, str | None] = {_word(place, name, each): None for each in words.value}
    elif words.id == "mapping":
        found = {word: _word(place, name, value) for word, value in _entries(place, name, words)}
    else:
        found = {}
    if not found:
        raise WordListError(f"{fault}: `words` must be a list of words, such as [one, two].")
    return _WordList(what.value, found)


def _entries(place: str, name: str, node: Any) -> Iterator[tuple[str, Any]]:
    """The keys and values of a mapping; a repeated key raises an error."""
    seen: dict[str, int] = {}
    for key, value in node.value:
        word, line = _word(place, name, key), key.start_mark.line + 1
        if word in seen:
            within = f"list {name}: " if name else ""
            raise WordListError(
                f"{place}: line {line}: {within}{word} is already in line {seen[word]}; "
                "remove one of them."
            )
        seen[word] = line
        yield word, value


def _word(place: str, name: str, node: Any) -> str:
    if node.id != "scalar" or not node.value.strip():
        raise WordListError(
            f"{place}: line {node.start_mark.line + 1}: list {name}: write single words or "
            "phrases, separated by commas."
        )
    return str(node.value)
