"""What every setting has: a variable, a default, a unit, a meaning; and the base of all groups.

Belongs here: how a field is declared and how a path is resolved. Does not: any setting.
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
        # One base for relative paths, whatever directory Dagster starts a run in.
        try:
            return (PROJECT_ROOT / value.expanduser()).resolve()
        except RuntimeError as error:  # the home of a user who does not exist
            raise ValueError(str(error)) from None
