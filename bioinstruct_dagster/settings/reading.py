"""Reading `Settings` from the environment and `.env`, or raising one error that names all faults.

Belongs here: the class of all groups, and reading and changing its values. Does not: a single
setting (teacher, generation, curation, compute, runs), the lines of `.env` (env_file) or the
README's tables (table).
"""

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.settings.compute import ComputeSettings
from bioinstruct_dagster.settings.curation import CurationSettings, EvalSetSettings
from bioinstruct_dagster.settings.env_file import EnvFile, read_env_file
from bioinstruct_dagster.settings.evaluation import EvaluationSettings
from bioinstruct_dagster.settings.fields import PROJECT_ROOT
from bioinstruct_dagster.settings.generation import (
    GenerationSettings,
    ImportSettings,
    SeedSettings,
)
from bioinstruct_dagster.settings.judge import JudgeSettings
from bioinstruct_dagster.settings.publishing import PublishingSettings
from bioinstruct_dagster.settings.review import ReviewSettings
from bioinstruct_dagster.settings.runs import ModelSettings, RunSettings, StoreSettings
from bioinstruct_dagster.settings.teacher import CapSettings, TeacherSettings

_PREFIX = "BIOINSTRUCT_"


class SettingsError(StatedError):
    """A setting is unknown or has a wrong value. The message names its variable."""


class Settings(BaseModel):
    """The installation's settings, one group per stage."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    store: StoreSettings = StoreSettings()
    seeds: SeedSettings = SeedSettings()
    teacher: TeacherSettings = TeacherSettings()
    caps: CapSettings = CapSettings()
    generation: GenerationSettings = GenerationSettings()
    imports: ImportSettings = ImportSettings()
    curation: CurationSettings = CurationSettings()
    review: ReviewSettings = ReviewSettings()
    eval_sets: EvalSetSettings = EvalSetSettings()
    models: ModelSettings = ModelSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    compute: ComputeSettings = ComputeSettings()
    judge: JudgeSettings = JudgeSettings()
    publishing: PublishingSettings = PublishingSettings()
    runs: RunSettings = RunSettings()

    @classmethod
    def of(cls, **values: Any) -> Self:
        """The default settings with these values. The environment is not read.

        Args:
            **values: by the variable's name in lower case without `BIOINSTRUCT_`, such as
                `data_dir` or `openai_api_key`. BIOINSTRUCT_IMPORT would be a Python keyword, so
                its name ends in an underscore.
        """
        return cls().changed(**values)

    def changed(self, **values: Any) -> Self:
        """A checked copy with these values, which are named as for `of`."""
        groups = {name: dict(getattr(self, name)) for name in type(self).model_fields}
        for name, value in values.items():
            place = PLACES[_variable_of(name)]
            groups[place.group][place.field] = value
        return type(self).model_validate(groups)


class SettingPlace(NamedTuple):
    """The group and the field of a variable in `Settings`, and the field's description."""

    group: str
    field: str
    info: FieldInfo


def _places() -> dict[str, SettingPlace]:
    found = {}
    for group, model in Settings.model_fields.items():
        settings_group: Any = model.annotation
        for name, info in settings_group.model_fields.items():
            found[info.json_schema_extra["variable"]] = SettingPlace(group, name, info)
    return found


# Every variable, in the order of the groups and of their fields.
PLACES: Mapping[str, SettingPlace] = _places()


def _variable_of(name: str) -> str:
    """The variable for a lower-case name such as `data_dir` or `openai_api_key`."""
    variable = name.rstrip("_").upper()
    return variable if variable in PLACES else _PREFIX + variable


def load_settings(env_file: Path | None = PROJECT_ROOT / ".env") -> Settings:
    """Read the settings. The environment wins over `env_file`, and an empty value is the default.

    An empty value in the environment wins too: the setting then has its default.

    Raises:
        SettingsError: names all variables with a wrong value, all unknown `BIOINSTRUCT_*`
            variables, and all lines of `env_file` that name a setting but give it no value.
    """
    in_file, problems = read_env_file(env_file) if env_file else EnvFile({}, [])
    given = {**in_file, **os.environ}
    problems += map(_unknown, sorted(_unknown_names(given)))
    groups: dict[str, dict[str, str]] = {}
    for variable, place in PLACES.items():
        if value := given.get(variable):
            groups.setdefault(place.group, {})[place.field] = value
    settings = None
    try:
        settings = Settings.model_validate(groups)
    except ValidationError as error:
        variables = {(place.group, place.field): name for name, place in PLACES.items()}
        for detail in error.errors(include_input=False, include_url=False):
            group, field = map(str, detail["loc"][:2])
            problems.append(f"{variables[group, field]}: {detail['msg']}")
    if problems or settings is None:
        raise SettingsError("Bad settings (environment or .env):\n  " + "\n  ".join(problems))
    return settings


def _unknown_names(names: Iterable[str]) -> set[str]:
    # A known name in lower case is refused too. It would not be read: a spending cap would have no
    # effect, or requests would go to another server than OPENAI_BASE_URL names.
    return {
        name
        for name in names
        if name not in PLACES and (name.upper().startswith(_PREFIX) or name.upper() in PLACES)
    }


def _unknown(name: str) -> str:
    # A name with our prefix before its own is nearer to its own than difflib finds.
    ends = [known for known in PLACES if name.upper().endswith(known)]
    near = ends or difflib.get_close_matches(name.upper(), PLACES, n=1)
    return f"{name}: no such setting" + (f"; did you mean {near[0]}?" if near else "")
