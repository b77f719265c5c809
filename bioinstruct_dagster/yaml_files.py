"""The one reader of the project's YAML files; it names every fault of a file at once.

Belongs here: reading a path into a checked model, the form of the messages, and types that several
files share. Does not: the fields of one file (the module that owns the file), YAML's own grammar
(yaml_lines), or the message about a wrong value (yaml_faults).
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import CoreSchema

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.input_files import fault_of_file, shown
from bioinstruct_dagster.yaml_faults import LARGEST_WHOLE_NUMBER, faults_of
from bioinstruct_dagster.yaml_lines import Fault, YamlDocument, YamlTextError

MOST_BYTES = 4 << 20  # a larger file, such as a data set, would take minutes to read as YAML
_NAME_KEY = "id"  # names the entries of a list; two entries may not share a name
_STRICT_KINDS = {"int", "float", "bool", "str", "date"}  # pydantic's names
_NO_SCHEMAS = {"default", "metadata", "serialization"}  # parts of a schema that hold no other one


def _strict(schema: Any) -> Any:
    if isinstance(schema, list | tuple):
        return type(schema)(_strict(one) for one in schema)
    if not isinstance(schema, dict):
        return schema
    made = {key: inner if key in _NO_SCHEMAS else _strict(inner) for key, inner in schema.items()}
    if made.get("type") in _STRICT_KINDS:
        made["strict"] = True
    if made.get("type") == "float":
        made["allow_inf_nan"] = False
    if made.get("type") == "int" and not {"le", "lt"} & made.keys():
        made["le"] = LARGEST_WHOLE_NUMBER
    return made


class StrictModel(pydantic.BaseModel):
    """A mapping in a file: unknown keys are refused, and the values cannot change.

    No value is converted to another kind: neither true nor a number in quotes is a number. Every
    number is finite, and a whole number is at most `LARGEST_WHOLE_NUMBER`.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: Any, handler: pydantic.GetCoreSchemaHandler
    ) -> CoreSchema:
        """Make every plain kind of the model strict. Lists stay lax: YAML has no tuples."""
        strict: CoreSchema = _strict(handler(source))
        return strict


def text_of_form(form: str, requirement: str) -> AfterValidator:
    """A validator that refuses text of another form.

    Args:
        form: a regular expression for the whole text.
        requirement: the end of the message, such as "must be a name"; the text stands before it.
    """
    pattern = re.compile(form)

    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"{text!r} {requirement}")
        return text

    return AfterValidator(check)


Identifier = Annotated[
    str,
    text_of_form("[a-z][a-z0-9_]*", "must be small letters, digits and _, beginning with a letter"),
]
NonEmptyText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
# A name that must equal a name elsewhere. Blanks around it are refused, not removed: otherwise two
# different keys of a mapping could become one.
ExactName = Annotated[
    str,
    Field(min_length=1),
    text_of_form(r"\S(?:.*\S)?", "has blanks around it or a line break in it; remove them"),
]
WordCount = Annotated[int, Field(ge=0)]
TextField = Literal["instruction", "input", "output"]  # the texts of a row, which hold signs

Model = TypeVar("Model", bound=pydantic.BaseModel)


def read_yaml(
    path: Path,
    model: type[Model],
    error: type[StatedError],
    *,
    setting: str = "",
    more_faults: Callable[[Any], Iterable[Fault]] | None = None,
) -> Model:
    """Read and check a YAML file.

    Args:
        path: the file.
        model: the fields that the file may have.
        error: the class of the error if the file has faults.
        setting: the environment variable that names the file, for the message.
        more_faults: finds further faults in the content, which no single model can see.

    Raises:
        StatedError: of the class `error`; lists every fault with file, line, field and what to do.
    """
    if fault := fault_of_file(path):
        do = f"set {setting} to a YAML file that can be read" if setting else "restore it"
        raise error(f"{shown(path)} {fault}; {do}.")
    try:
        document = YamlDocument(_read_text(path), _NAME_KEY)
    except YamlTextError as cause:
        raise error(f"{path}:{cause.line}: {cause.message}") from None
    faults = list(document.faults)
    checked: Model | None = None
    try:
        if document.content is None:
            message = "is empty; begin with the file that ships with the project"
            faults.append(Fault((), message))
        else:
            checked = model.model_validate(document.content)
    except pydantic.ValidationError as found:
        faults += faults_of(found, model)
    if more_faults and isinstance(document.content, dict):
        faults += more_faults(document.content)
    if faults or checked is None:
        raise error("\n".join(_message_lines(path, document, faults)))
    return checked


def _read_text(path: Path) -> str:
    with path.open("rb") as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        message = f"holds more than {MOST_BYTES >> 20} MiB, so it is no file of this kind"
        raise YamlTextError(1, f"{message}; name the right file")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlTextError(line, "is not UTF-8 text; save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _message_lines(path: Path, document: YamlDocument, faults: Iterable[Fault]) -> list[str]:
    """One line per fault, in the order of the file."""
    stated = {
        (fault.line or document.line(fault.place), document.named(fault.place), fault.message)
        for fault in faults
    }
    return [f"{path}:{line}: {field}: {message}" for line, field, message in sorted(stated)]
