"""The tables of settings and `.env.example`, written from the settings' declarations.

README.md holds the settings that a newcomer needs, docs/reference/settings.md holds all.

Belongs here: the form in which a reader sees a setting. Does not: the settings themselves (teacher,
generation, curation, compute, runs).
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, get_args

from bioinstruct_dagster.settings.fields import PROJECT_ROOT
from bioinstruct_dagster.settings.reading import PLACES, SettingPlace, Settings

README, REFERENCE = "README.md", "docs/reference/settings.md"
BEGIN, END = "<!-- settings:begin -->", "<!-- settings:end -->"
# What somebody needs who uses an own teacher, own seeds or rows, and own base models.
FIRST_SETTINGS = (
    "BIOINSTRUCT_DATA_DIR",
    "BIOINSTRUCT_SEEDS",
    "BIOINSTRUCT_TEACHER",
    "BIOINSTRUCT_TEACHER_MODEL",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "BIOINSTRUCT_MAX_USD",
    "BIOINSTRUCT_INSTRUCTIONS",
    "BIOINSTRUCT_IMPORT",
    "BIOINSTRUCT_EXPERIMENTS",
)
_HEADS = "| variable | default | unit or choices | meaning |\n| --- | --- | --- | --- |"
_HEAD = """\
# Copy this file to .env and edit it. Each line shows the default.
# docs/reference/settings.md explains each setting.
# Write NAME=VALUE, one setting a line. References such as ${HOME} are not replaced.
# Relative paths start at the project's root.
# The environment wins over .env, and an empty value in the environment means the default. But the
# command `dagster`, started in this folder, first copies .env into the environment: then .env wins.
# `make reference` writes this file from bioinstruct_dagster/settings/.
"""


def all_tables() -> str:
    """One table per group with variable, default, unit or choices, and meaning."""
    return "\n".join(line for title, rows in _groups() for line in _table(title, rows))


def first_table() -> str:
    """One table with the settings that a newcomer needs."""
    rows = ((variable, PLACES[variable]) for variable in FIRST_SETTINGS)
    return "\n".join(("", _HEADS, *_rows(rows)))


def env_example() -> str:
    """The text of `.env.example`: each variable with its default, commented out."""
    parts = [_HEAD]
    for title, rows in _groups():
        lines = [f"# {variable}={_as_text(place.info.default)}" for variable, place in rows]
        parts.append("\n".join((f"# {title}", *lines)) + "\n")
    return "\n".join(parts)


def with_tables(page: str, tables: str) -> str:
    """A page's text with the tables between its two markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"The page needs the lines {BEGIN} and {END}, once each.")
    return f"{before}{BEGIN}\n{tables}\n{END}{after}"


def write_files(root: Path = PROJECT_ROOT) -> None:
    """Write the tables of README.md and docs/reference/settings.md, and `.env.example`."""
    for path, tables in ((README, first_table()), (REFERENCE, all_tables())):
        page = root / path
        page.write_text(with_tables(page.read_text("utf-8"), tables), "utf-8")
    (root / ".env.example").write_text(env_example(), "utf-8")


def _groups() -> Iterator[tuple[str, list[tuple[str, SettingPlace]]]]:
    for name, places in groupby(PLACES.items(), key=lambda item: item[1].group):
        group: Any = Settings.model_fields[name].annotation
        yield str(group.__doc__).splitlines()[0].rstrip("."), list(places)


def _table(title: str, rows: list[tuple[str, SettingPlace]]) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield _HEADS
    yield from _rows(rows)


def _rows(rows: Iterable[tuple[str, SettingPlace]]) -> Iterator[str]:
    for variable, place in rows:
        meaning = place.info.description
        yield f"| `{variable}` | {_default(place)} | {unit_of(place)} | {meaning} |"


def unit_of(place: SettingPlace) -> str:
    """The unit of a setting's value, or the words to choose from."""
    extra: Any = place.info.json_schema_extra
    choices = get_args(place.info.annotation)
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(f"`{choice}`" for choice in choices)
    return str(extra["unit"])


def _default(place: SettingPlace) -> str:
    extra: Any = place.info.json_schema_extra
    text = _as_text(place.info.default)
    return f"`{text}`" if text else str(extra["empty"])


def _as_text(value: Any) -> str:
    """A default value, written as in `.env`."""
    match value:
        case None:
            return ""
        case Path():
            return value.relative_to(PROJECT_ROOT).as_posix()
        case dict():
            return ",".join(f"{ours}={theirs}" for ours, theirs in value.items())
        case float():
            return f"{value:g}"
    return str(value)
