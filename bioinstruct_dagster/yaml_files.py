"""Reading the project's YAML files: one way for all of them, with every fault named at once.

Belongs here: from a path to a checked model, the form of the messages, and types that several files
share. Does not: what one file may say (the module that owns it), YAML's own grammar (yaml_lines),
or the sentence for a value that does not fit (yaml_faults).
"""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import pydantic
from pydantic import AfterValidator, Field, StringConstraints

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.yaml_faults import faults_of
from bioinstruct_dagster.yaml_lines import Fault, YamlDocument, YamlTextError


class StrictModel(pydantic.BaseModel):
    """A mapping of a file: every key is known, and nothing changes once it is read."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


def text_of_form(form: str, said: str) -> AfterValidator:
    """Refuses text of another form, and says which form it must have."""
    pattern = re.compile(form)

    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"{text!r} {said}")
        return text

    return AfterValidator(check)


Identifier = Annotated[
    str,
    Field(strict=True),
    text_of_form("[a-z][a-z0-9_]*", "must be small letters, digits and _, beginning with a letter"),
]
NonEmptyText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, strict=True)]
WordCount = Annotated[int, Field(ge=0, strict=True)]
TextField = Literal["instruction", "input", "output"]  # the texts of a row, where signs are sought

Model = TypeVar("Model", bound=pydantic.BaseModel)


def read_yaml(
    path: Path,
    model: type[Model],
    error: type[StatedError],
    *,
    setting: str = "",
    name_key: str = "id",
    more_faults: Callable[[Any], Iterable[Fault]] | None = None,
) -> Model:
    """Read and check a YAML file.

    Args:
        path: the file.
        model: what the file may say.
        error: raised when it says something else.
        setting: the environment variable that names the file, for the message.
        name_key: the key by which entries of one list are told apart; each name may stand once.
        more_faults: finds faults that no single model sees, in the content as it was read.

    Raises:
        StatedError: of the class `error`; lists every fault with file, line, field and what to do.
    """
    try:
        document = YamlDocument(_text_of(path), name_key)
    except OSError as cause:
        do = f"set {setting} to a file that is there" if setting else "restore it"
        raise error(f"{path}: can't be read ({cause.strerror}); {do}.") from None
    except YamlTextError as cause:
        raise error(f"{path}:{cause.line}: {cause.said}") from None
    faults = list(document.faults)
    checked: Model | None = None
    try:
        if document.content is None:
            said = "is empty; begin with the file that ships with the project"
            faults.append(Fault((), said))
        else:
            checked = model.model_validate(document.content)
    except pydantic.ValidationError as found:
        faults += faults_of(found, model)
    if more_faults and isinstance(document.content, dict):
        faults += more_faults(document.content)
    if faults or checked is None:
        raise error("\n".join(_lines(path, document, faults)))
    return checked


def _text_of(path: Path) -> str:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise YamlTextError(line, "is not UTF-8 text; save the file as UTF-8") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _lines(path: Path, document: YamlDocument, faults: Iterable[Fault]) -> list[str]:
    """One line per fault, in the order of the file."""
    stated = {
        (fault.line or document.line(fault.place), document.named(fault.place), fault.said)
        for fault in faults
    }
    return [f"{path}:{line}: {field}: {said}" for line, field, said in sorted(stated)]
