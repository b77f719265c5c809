"""The declaration of the tables, `schema.sql`: as text to execute, and as notes to show.

Belongs here: reading the declaration. Does not: the database it is executed in.
"""

import re
from functools import cache
from importlib.resources import files

_TABLE = re.compile(r"create table if not exists (\w+) \((.*?)\n\);", re.DOTALL)
_NOTE = re.compile(r"^\s+(\w+)\s.*?--\s*(.+)$", re.MULTILINE)


@cache
def schema_sql() -> str:
    """The statements that make all tables and views."""
    return files("bioinstruct_dagster.store").joinpath("schema.sql").read_text("utf-8")


@cache
def column_notes(table: str) -> dict[str, str]:
    """What the declaration's comments say of each column; some columns speak for themselves."""
    bodies = dict(_TABLE.findall(schema_sql()))
    return dict(_NOTE.findall(bodies.get(table, "")))
