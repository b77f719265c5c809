"""Every setting, typed, with its variable, default, unit and meaning, in one group per stage.

Belongs here: what a user sets once for an installation. Does not: what is chosen per run (the
assets' run configuration) or per experiment (`data/experiments.yaml`).
"""

from bioinstruct_dagster.settings.fields import INPUTS, PROJECT_ROOT
from bioinstruct_dagster.settings.reading import Settings, SettingsError, load_settings
from bioinstruct_dagster.settings.teacher import DEFAULT_MODELS, Api, Service, Teacher

__all__ = [
    "DEFAULT_MODELS",
    "INPUTS",
    "PROJECT_ROOT",
    "Api",
    "Service",
    "Settings",
    "SettingsError",
    "Teacher",
    "load_settings",
]
