"""YAML text as plain values, with the line of every field and the faults of the text itself.

Belongs here: faults that YAML allows and the project's files do not (a key given twice, a key that
is not text, a name of two entries). Does not: the fields of a file (yaml_files), or the messages
about wrong values (yaml_faults).

Three things are read as in YAML 1.2, where YAML 1.1 surprises: `1:30` and `010` are texts and not
90 and 8, `3e-4` is a number, and U+2028 ends no line.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

Place = tuple[str | int, ...]  # a field: keys, and positions in lists, from the top of the file

MOST_LEVELS = 50  # at 100,000 levels the parser in C ends the whole process
MOST_VALUES = 1_000_000
# Values that aliases repeat. A few hundred bytes of aliases can stand for 10^9 values, and for 10^5
# faults, of which each takes time to name.
MOST_REPEATED_VALUES = 5_000
REFUSED_VALUE: Any = object()  # in place of a value whose fault is already reported

_TAG_PREFIX = "tag:yaml.org,2002:"
_TEXT_TAGS = {_TAG_PREFIX + "str", _TAG_PREFIX + "value"}  # `value` is a bare `=`
_KEY_TAGS = _TEXT_TAGS | {_TAG_PREFIX + "merge"}
_SCALAR_TAGS = {_TAG_PREFIX + name for name in ("int", "float", "bool", "null", "timestamp")}
_KIND_NAMES = {
    "timestamp": "a date",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "null": "no value",
}
_TAB_HINT = "indent with spaces; YAML allows no tab here"
_QUOTES_HINT = "put the text in quotes"
_SYNTAX_HINTS = {
    "mapping values are not allowed": "put text with a colon in quotes, or mend the indentation",
    "undefined alias": "mend its name, or define it above with &",
    "another document": "remove the line ---; the file is one document",
    "did not find expected key": "mend the indentation",
}
_NUMBER_FORMS = {
    _TAG_PREFIX + "int": re.compile(r"[-+]?(?:0|[1-9][0-9_]*|0b[01_]+|0x[0-9a-fA-F_]+)\Z"),
    _TAG_PREFIX + "float": re.compile(
        r"""[-+]?[0-9][0-9_]*(?:\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)\Z
        |[-+]?\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?\Z
        |[-+]?\.(?:inf|Inf|INF)\Z
        |\.(?:nan|NaN|NAN)\Z""",
        re.VERBOSE,
    ),
}
_PLAIN_KEY = re.compile(r"<<|\w(?:[\w./|-]*\w)?")
_MOST_KEY_CHARACTERS = 60  # of a key that is shown in quotes
_LINE_SEPARATORS = "\u0085\u2028\u2029"  # they end a line in YAML 1.1, but in no editor
_PRIVATE_CHARACTERS = range(0xE000, 0xF900)
# PyYAML's loader in C, if there is one, takes a tenth of the time.
_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Fault(NamedTuple):
    """A fault of a field; the message says what is wrong and what to do.

    If `line` is None, the field's own line is meant.
    """

    place: Place
    message: str
    line: int | None = None


class YamlTextError(Exception):
    """The text can't be read at all; `line` and `message` say where and why."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class _Loader(_SafeLoader):  # type: ignore[misc]  # typed Any above
    """A loader that counts the levels of nesting, so that the C stack cannot overflow."""

    yaml_implicit_resolvers = {  # noqa: RUF012  # PyYAML's own name and type
        first: [(tag, _NUMBER_FORMS.get(tag, form)) for tag, form in resolvers]
        for first, resolvers in _SafeLoader.yaml_implicit_resolvers.items()
    }
    _level = 0

    def descend_resolver(self, parent: Any, index: Any) -> None:
        """Count a level; PyYAML calls this when a value begins."""
        self._level += 1
        if self._level > MOST_LEVELS:
            raise yaml.MarkedYAMLError(
                problem=f"nested deeper than {MOST_LEVELS} levels",
                problem_mark=parent.start_mark,
            )
        super().descend_resolver(parent, index)

    def ascend_resolver(self) -> None:
        """Leave a level; PyYAML calls this when a value ends."""
        self._level -= 1
        super().ascend_resolver()


class _Extent(NamedTuple):
    """The size of a value when its aliases are written out."""

    values: int
    levels: int


_LEAF = _Extent(1, 1)


class YamlDocument:
    """The values of one YAML text.

    Args:
        text: without a byte order mark, lines ended by a line feed.
        name_key: the key that names the entries of a list.

    Attributes:
        content: dicts, lists and scalars; None for an empty text.
        faults: the faults of the text.

    Raises:
        YamlTextError: the text is not YAML, or its nesting or its aliases are too large.
    """

    def __init__(self, text: str, name_key: str) -> None:
        self._text = text
        self._name_key = name_key
        self._root, self._loader = self._compose()
        self._fields: dict[yaml.Node, dict[str, tuple[yaml.Node, yaml.Node]]] = {}
        self._values_by_node: dict[yaml.Node, tuple[Any, _Extent]] = {}
        self._open_nodes: set[yaml.Node] = set()
        self._repeated_values = 0
        self.faults: list[Fault] = []
        self.content: Any = None
        if self._root is not None:
            self.content = self._value(self._root, ())

    def line(self, place: Place) -> int:
        """The line of a field, or of the innermost field around it if the field is missing."""
        node, line = self._root, 1
        for step in place:
            if isinstance(node, yaml.MappingNode) and step in self._fields[node]:
                key, node = self._fields[node][str(step)]
                line = self._line_of(key)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                if not 0 <= step < len(node.value):
                    break
                node = node.value[step]
                line = self._line_of(node)
            else:
                break
        return line

    def named(self, place: Place) -> str:
        """The field as a message names it; an entry of a list by its name, or its number from 1."""
        words: list[str] = []
        inside = self.content
        for step in place:
            if isinstance(step, int):
                inside = inside[step] if isinstance(inside, list) and step < len(inside) else None
                name = inside.get(self._name_key) if isinstance(inside, dict) else None
                is_named = isinstance(name, str) and name != ""
                words.append(_shown_key(str(name)) if is_named else str(step + 1))
            else:
                inside = inside.get(step) if isinstance(inside, dict) else None
                words.append(_shown_key(step))
        return ".".join(words) or "the file"

    def _compose(self) -> tuple[yaml.Node | None, Any]:
        stand_ins = _stand_ins(self._text)
        try:
            loader = _Loader(self._text.translate(stand_ins))
            root = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            raise self._syntax_error(error) from None
        except yaml.reader.ReaderError as error:
            # The error's own position counts characters in PyYAML, but bytes in libyaml.
            at = self._text.find(chr(error.character))
            message = f"holds the character U+{error.character:04X}, which YAML forbids; remove it"
            raise YamlTextError(self._line_at(at), message) from None
        if root is not None and stand_ins:
            _put_back(root, {stand_in: mark for mark, stand_in in stand_ins.items()})
        return root, loader

    def _syntax_error(self, error: yaml.MarkedYAMLError) -> YamlTextError:
        mark = error.problem_mark or error.context_mark
        at = mark.index if mark else 0
        problem = ", ".join(filter(None, [error.context, error.problem]))
        if problem.startswith("nested"):
            return YamlTextError(self._line_at(at), f"is {problem}; write it flatter")
        hint = next((hint for part, hint in _SYNTAX_HINTS.items() if part in problem), "")
        if "cannot start any token" in problem:
            hint = _TAB_HINT if self._text[at : at + 1] == "\t" else _QUOTES_HINT
        elif "found a tab character" in problem:
            hint = _TAB_HINT
        hint = hint or "mend the quotes, brackets or indentation, here or in the line above"
        return YamlTextError(self._line_at(at), f"is not YAML: {problem}; {hint}")

    def _line_of(self, node: yaml.Node) -> int:
        return self._line_at(node.start_mark.index)

    def _line_at(self, index: int) -> int:
        return self._text.count("\n", 0, index) + 1

    def _value(self, node: yaml.Node, place: Place) -> Any:
        """The value of a node; the node of an alias has its value already."""
        if (
            isinstance(node, yaml.ScalarNode) and node.tag in _TEXT_TAGS
        ):  # saves time: most are text
            return node.value
        if node in self._open_nodes:
            message = f"the alias at {self.named(place)} lies inside its own anchor; write it out"
            raise YamlTextError(self._line_of(node), message)
        if node in self._values_by_node:
            self._repeated_values += self._values_by_node[node][1].values
            if self._repeated_values > MOST_REPEATED_VALUES:
                raise self._too_large(node, place)
        else:
            self._open_nodes.add(node)
            value, parts = self._make(node, place)
            self._open_nodes.remove(node)
            extents = [
                self._values_by_node[part][1] if part in self._values_by_node else _LEAF
                for part in parts
            ]
            extent = _Extent(
                1 + sum(each.values for each in extents),
                1 + max((each.levels for each in extents), default=0),
            )
            if extent.values > MOST_VALUES or extent.levels > MOST_LEVELS:
                raise self._too_large(node, place)
            self._values_by_node[node] = value, extent
        return self._values_by_node[node][0]

    def _too_large(self, node: yaml.Node, place: Place) -> YamlTextError:
        message = "its aliases stand for too much; write fewer of them, or none"
        return YamlTextError(self._line_of(node), f"{self.named(place)}: {message}")

    def _make(self, node: yaml.Node, place: Place) -> tuple[Any, list[yaml.Node]]:
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG_PREFIX + "map":
            fields = self._fields_of(node, place)
            made = {key: self._value(value, (*place, key)) for key, (_, value) in fields.items()}
            return made, [value for _, value in fields.values()]
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG_PREFIX + "seq":
            items = [self._value(one, (*place, at)) for at, one in enumerate(node.value)]
            self.faults += self._duplicate_names(node, items, place)
            return items, node.value
        self._fields[node] = {}  # a mapping with a tag of its own has no fields to look up
        return self._scalar(node, place), []

    def _scalar(self, node: yaml.Node, place: Place) -> Any:
        message = f"the tag {node.tag.removeprefix(_TAG_PREFIX)} is not read here; remove it"
        if node.tag in _SCALAR_TAGS:
            try:
                if node.tag in _NUMBER_FORMS and not _is_number(node.value):
                    raise ValueError(node.value)  # it has the tag !!int or !!float
                return self._loader.construct_object(node)
            except (ValueError, OverflowError, yaml.YAMLError):
                kind = _KIND_NAMES.get(node.tag.removeprefix(_TAG_PREFIX), "")
                message = f"YAML takes {node.value[:40]} for {kind} and can't read it; "
                message += "mend it, or put it in quotes if it is text"
        self.faults.append(Fault(place, message, self._line_of(node)))
        return REFUSED_VALUE

    def _fields_of(
        self, node: yaml.MappingNode, place: Place
    ) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """The nodes of key and value, by the key's text; own keys replace merged ones."""
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        first: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if key.tag not in _KEY_TAGS or not isinstance(key.value, str):
                self.faults.append(Fault(place, _key_fault(key), self._line_of(key)))
                continue
            if first.setdefault(key.value, key) is not key:
                message = f"given twice, first in line {self._line_of(first[key.value])}; keep one"
                self.faults.append(Fault((*place, key.value), message, self._line_of(key)))
                if key.value in own:  # read the replaced value too, for the faults of its text
                    self._value(own[key.value][1], (*place, key.value))
            if key.tag == _TAG_PREFIX + "merge":
                for pairs in self._merged_fields(key, value, place):
                    merged = {**pairs, **merged}
            else:
                own[key.value] = key, value
        self._fields[node] = {**merged, **own}
        return self._fields[node]

    def _merged_fields(
        self, key: yaml.Node, value: yaml.Node, place: Place
    ) -> Iterator[dict[str, tuple[yaml.Node, yaml.Node]]]:
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        for source in sources:
            if isinstance(source, yaml.MappingNode):
                self._value(source, (*place, "<<"))
                yield self._fields[source]
            else:
                message = "merges what is no mapping; name the anchor of a mapping"
                self.faults.append(Fault((*place, "<<"), message, self._line_of(key)))

    def _duplicate_names(
        self, node: yaml.SequenceNode, items: list[Any], place: Place
    ) -> Iterator[Fault]:
        first: dict[str, int] = {}
        for at, item in enumerate(items):
            name = item.get(self._name_key) if isinstance(item, dict) else None
            if isinstance(name, str) and first.setdefault(name, at) != at:
                lines = [
                    self._line_of(self._fields[node.value[one]][self._name_key][0])
                    for one in (first[name], at)
                ]
                message = f"{name} is there twice, first in line {lines[0]}; rename or remove one"
                yield Fault((*place, at, self._name_key), message, lines[1])


def _shown_key(key: str) -> str:
    """A key as a field's name shows it: in quotes if it would not be plain where it ends."""
    if _PLAIN_KEY.fullmatch(key):
        return key
    return repr(key[:_MOST_KEY_CHARACTERS])


def _key_fault(key: yaml.Node) -> str:
    """The message about a key that is not text."""
    if not isinstance(key, yaml.ScalarNode):
        return "a key must be text, not a list or mapping; mend the indentation or the brackets"
    kind = _KIND_NAMES.get(key.tag.removeprefix(_TAG_PREFIX), key.tag)
    return f"YAML reads the key {key.value[:40]} as {kind}, not as text; put it in quotes"


def number_in(text: str) -> int | float | None:
    """The number that a text would be without its quotes; None if it is no finite number."""
    digits = text.strip().replace("_", "")
    try:
        if re.fullmatch(r"[-+]?[0-9]+", digits):
            return int(digits)
        if not _is_number(digits):
            return None
        if _NUMBER_FORMS[_TAG_PREFIX + "int"].match(digits):
            return int(digits, 0)
        number = float(digits)
    except ValueError:  # infinite, not a number, or more digits than Python reads
        return None
    return number if math.isfinite(number) else None


def _is_number(text: str) -> bool:
    return any(form.match(text) for form in _NUMBER_FORMS.values())


def _stand_ins(text: str) -> dict[int, int]:
    """By line separator in the text, a private character that the text does not hold."""
    found = [ord(mark) for mark in _LINE_SEPARATORS if mark in text]
    unused = (one for one in _PRIVATE_CHARACTERS if chr(one) not in text)
    return dict(zip(found, unused, strict=False)) if found else {}


def _put_back(root: yaml.Node, marks: dict[int, int]) -> None:
    """Put the line separators back into the texts of all nodes."""
    waiting, seen = [root], {root}
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            node.value = node.value.translate(marks)
            continue
        inside = node.value
        if isinstance(node, yaml.MappingNode):
            inside = [one for pair in node.value for one in pair]
        waiting += [one for one in inside if one not in seen]
        seen.update(inside)
