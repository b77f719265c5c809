"""The pages of docs/reference agree with the code that they are made from."""

import re

import pytest

from bioinstruct_dagster.store.schema import column_notes, schema_sql
from docs.reference_pages import COMMAND, FOLDER, columns_of_views, pages, relations

DECLARATION = """\
-- About both.

-- [append-only] First line
-- and second.
create table if not exists things (
    thing_id    varchar not null,   -- one | other
    "order"     bigint
);

-- The things that are one.
create or replace view ones as
select thing_id from things where thing_id = 'one';
"""


@pytest.fixture(scope="module")
def made():
    return pages()


@pytest.mark.parametrize("name", ["tables.md", "assets.md"])
def test_a_page_is_as_the_code_says(name, made):
    assert (FOLDER / name).read_text("utf-8") == made[name], f"run `{COMMAND}` and read the diff"


def test_a_declaration_is_read_with_its_comments():
    things, ones = relations(DECLARATION)
    assert things.comment == "[append-only] First line and second."
    assert things.columns == [("thing_id", "varchar", "one | other"), ("order", "bigint", "")]
    assert (ones.name, ones.is_view, ones.comment) == ("ones", True, "The things that are one.")
    assert columns_of_views(DECLARATION) == {"ones": ["thing_id"]}


def test_every_table_and_view_is_there_with_every_note(made):
    page = made["tables.md"]
    created = re.findall(
        r"^create (?:table if not exists|or replace view) (\w+)", schema_sql(), re.MULTILINE
    )
    assert re.findall(r"^## (\w+)$", page, re.MULTILINE) == created
    for relation in relations(schema_sql()):
        assert column_notes(relation.name) == {
            column: note for column, _, note in relation.columns if note
        }


def test_every_definition_is_described(made):
    # A row with an empty cell is a definition without a description.
    rows = [line for line in made["assets.md"].splitlines() if line.startswith("| `")]
    assert rows
    assert not [row for row in rows if "|  |" in row or row.endswith("| . |")]
