"""The declaration of the store, `schema.sql` and `views.sql`: statements, and comments on columns.

Belongs here: reading the declaration. Does not: executing it (store.database).
"""

import re
from functools import cache
from importlib.resources import files

DECLARATION = ("schema.sql", "views.sql")  # tables, then the views that are made from them

_TABLE = re.compile(r"create table if not exists (\w+) \(\n(.*?)\n\);", re.DOTALL)
_NOTE = re.compile(r'^\s+"?(\w+)"?\s.*?--\s*(.+)$', re.MULTILINE)


@cache
def schema_sql() -> str:
    """The statements that create all tables and views."""
    folder = files("bioinstruct_dagster.store")
    return "\n".join(folder.joinpath(name).read_text("utf-8") for name in DECLARATION)


@cache
def column_notes(table: str) -> dict[str, str]:
    """The declaration's comment on each column of a table. Columns without a comment are absent."""
    bodies = dict(_TABLE.findall(schema_sql()))
    return dict(_NOTE.findall(bodies.get(table, "")))
