"""All settings in one group per stage: each with its type, variable, default, unit and meaning.

Belongs here: values that a user sets once for an installation. Does not: values of one run (the
assets' run configuration) or of one experiment (`data/experiments.yaml`).
"""

from bioinstruct_dagster.settings.fields import (
    INPUTS,
    MAX_CAP_TOKENS,
    MAX_CAP_USD,
    MAX_ROWS,
    PROJECT_ROOT,
)
from bioinstruct_dagster.settings.reading import Settings, SettingsError, load_settings
from bioinstruct_dagster.settings.teacher import DEFAULT_MODELS, Api, Service, Teacher

__all__ = [
    "DEFAULT_MODELS",
    "INPUTS",
    "MAX_CAP_TOKENS",
    "MAX_CAP_USD",
    "MAX_ROWS",
    "PROJECT_ROOT",
    "Api",
    "Service",
    "Settings",
    "SettingsError",
    "Teacher",
    "load_settings",
]
