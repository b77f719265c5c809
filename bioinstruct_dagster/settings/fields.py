"""The declaration of a setting, and the base class of all groups.

Belongs here: declaring a field and resolving its path. Does not: a setting itself (teacher,
generation, curation, compute, runs).
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from bioinstruct_dagster.input_files import fault_of, shown

PROJECT_ROOT = Path(__file__).resolve().parents[2]
INPUTS = PROJECT_ROOT / "data"
# The highest caps and goals that a user can set, here and in a run's configuration. An amount above
# them is a mistake, and far above them a float has no whole number of picodollars.
MAX_CAP_USD = 1e9
MAX_CAP_TOKENS = 10**15
MAX_ROWS = 10_000_000


def setting(
    default: Any, variable: str, meaning: str, *, unit: str = "", empty: str = "", **bounds: Any
) -> Any:
    """A field that is read from one environment variable.

    Args:
        default: the value if the variable is not set.
        variable: the name of the environment variable.
        meaning: what the setting does, for the README's table.
        unit: what the value counts or holds; a choice between fixed words needs none.
        empty: what applies if neither the variable nor the default gives a value.
        **bounds: pydantic's limits on the value.
    """
    extra: dict[str, Any] = {"variable": variable, "unit": unit, "empty": empty}
    return Field(default, description=meaning, json_schema_extra=extra, **bounds)


def from_project_root(path: Path) -> Path:
    """The absolute path: relative paths start at the project root, and `~` is the home folder.

    Dagster may start a run in any folder, so the working directory can't be the start.

    Raises:
        ValueError: the path names the home folder of an unknown user, is a link that leads back to
            itself, is too long, holds a NUL character, or lies where this user may not look.
    """
    try:
        path = path.expanduser()
    except RuntimeError:
        message = f"{shown(path)}: there is no user with this home folder; write the path in full"
        raise ValueError(message) from None
    try:
        absolute = (PROJECT_ROOT / path).resolve()
        with suppress(FileNotFoundError, NotADirectoryError):  # an output need not be there yet
            absolute.stat()
    except RuntimeError:  # a loop of links, in the words of pathlib
        message = f"{shown(path)} is a link that leads back to itself; name another path"
    except (OSError, ValueError) as error:
        message = f"{shown(path)} {fault_of(error)}; name another path"
    else:
        return absolute
    raise ValueError(message)


class SettingsGroup(BaseModel):
    """The settings of one stage."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @field_validator("*", mode="after")
    @classmethod
    def _from_project_root(cls, value: Any) -> Any:
        return from_project_root(value) if isinstance(value, Path) else value
