"""The declaration of a setting, and the base class of all groups.

Belongs here: declaring a field and resolving its path. Does not: a setting itself (teacher,
generation, curation, runs).
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

PROJECT_ROOT = Path(__file__).resolve().parents[2]
INPUTS = PROJECT_ROOT / "data"


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


class SettingsGroup(BaseModel):
    """The settings of one stage."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @field_validator("*", mode="after")
    @classmethod
    def _from_project_root(cls, value: Any) -> Any:
        if not isinstance(value, Path):
            return value
        # Relative paths start at the project root, because Dagster may start a run in any folder.
        try:
            return (PROJECT_ROOT / value.expanduser()).resolve()
        except RuntimeError as error:  # the path names the home folder of an unknown user
            raise ValueError(str(error)) from None
