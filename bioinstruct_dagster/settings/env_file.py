"""Reading `.env`: its values, and the lines that name a setting but would give it no value.

Such a line must not pass silently, because it may be a spending cap. Belongs here: the file's
encoding and the form of its lines. Does not: the names and values of settings (reading).
"""

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from dotenv.parser import Binding, parse_stream

# The project's names. AZURE_OPENAI_API_KEY and the like belong to other programs.
_OURS = r"(?<![A-Za-z0-9_])(?:BIOINSTRUCT|OPENAI_)"
_MENTION = re.compile(rf"{_OURS}[A-Za-z0-9_]*", re.IGNORECASE)
_OUR_NAME = re.compile(rf"{_OURS}\w*", re.IGNORECASE)
_SECOND_ASSIGNMENT = re.compile(rf"[\s;,&]{_OURS}\w*\s*=", re.IGNORECASE)
_REFERENCE = re.compile(r"\$\{[^}]*\}")

_MALFORMED = (
    "the line names a setting, but it is not of the form NAME=VALUE, so it would have no effect. "
    "Write NAME=VALUE and close all quotes, or begin the line with #."
)


class EnvFile(NamedTuple):
    """The values of a `.env` file by variable, and a message for each fault."""

    values: dict[str, str]
    faults: list[str]


def read_env_file(path: Path) -> EnvFile:
    """Read a `.env` file; a file that does not exist has no values.

    References such as `${HOME}` are not replaced. No message repeats a value, because it may be a
    key.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        if "\0" in text:  # UTF-16 without a byte order mark
            raise UnicodeError
    except FileNotFoundError:
        if path.is_symlink():
            return EnvFile({}, [f"{path}: the link points to no file. Mend or delete it."])
        return EnvFile({}, [])
    except IsADirectoryError:
        return EnvFile({}, [f"{path}: this is a folder, not a file. Rename or delete it."])
    except OSError as error:
        return EnvFile({}, [f"{path}: can't be read ({error.strerror}). Mend its permissions."])
    except UnicodeError:
        return EnvFile({}, [f"{path}: this is no UTF-8 text. Save the file again as UTF-8."])
    # The parser counts the two characters of a Windows line end as two lines.
    return _read_text(text.replace("\r\n", "\n").replace("\r", "\n"), path)


def _read_text(text: str, path: Path) -> EnvFile:
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    faults: list[str] = []
    for binding in parse_stream(io.StringIO(text)):
        first = _place(binding)[0]
        key, value = binding.key, binding.value
        found = [f"{path}, line {line}: {fault}" for line, fault in _line_faults(binding)]
        if found or key is None or value is None:
            faults += found
            continue
        if _OUR_NAME.fullmatch(key):
            if key in lines:
                faults.append(
                    f"{path}, line {first}: {key} is set a second time, after line {lines[key]}. "
                    "Delete one of the two lines."
                )
            elif _REFERENCE.search(value):
                faults.append(
                    f"{path}, line {first}: {key}: references such as ${{HOME}} are not replaced "
                    "in .env. Write the value in full, or set the variable in the environment."
                )
            lines.setdefault(key, first)
        values[key] = value
    return EnvFile(values, faults)


def _line_faults(binding: Binding) -> Iterator[tuple[int, str]]:
    """The lines of a binding that name a setting without giving it a value, with a message."""
    first, written = _place(binding)
    head, *rest = written.split("\n")
    key, value = binding.key or "", binding.value
    named = bool(_MENTION.search(head if binding.error else key)) and not head.startswith("#")
    if named and (binding.error or value is None or not _OUR_NAME.fullmatch(key)):
        yield first, _MALFORMED
        return
    for line, text in enumerate(rest, start=first + 1):
        if _MENTION.search(text) and not text.lstrip().startswith("#"):
            yield line, f"the line stands inside the quotes that open in line {first}. Close them."
            return
    if named and rest and value and "\n" in value:
        yield first, _MALFORMED
    quoted = head.partition("=")[2].lstrip().startswith(("'", '"'))
    if value and not quoted and _SECOND_ASSIGNMENT.search(value):
        yield first, "the line sets two variables. Write each on a line of its own."


def _place(binding: Binding) -> tuple[int, str]:
    """The number of a binding's first line, and its text without the blank lines before it."""
    original = binding.original
    written = original.string.lstrip()
    blank = original.string[: len(original.string) - len(written)]
    return original.line + blank.count("\n"), written.rstrip()
