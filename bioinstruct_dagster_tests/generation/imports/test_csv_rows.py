"""CSV files as people write them: read in the one certain way, or refused with the line."""

import csv

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from bioinstruct_dagster.generation.imports.csv_rows import read_csv
from bioinstruct_dagster.generation.imports.faults import ImportedSetError

HEADER = "instruction,input,output\n"


@pytest.fixture
def read(tmp_path):
    def of(text, name="set.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_csv(path)

    return of


@pytest.fixture
def cells(read):
    def of(text, name="set.csv"):
        return [list(record.fields.values()) for record in read(text, name).records]

    return of


@pytest.fixture
def refused(read):
    """The lines of the message, without its heading."""

    def of(text, name="set.csv"):
        with pytest.raises(ImportedSetError) as raised:
            read(text, name)
        heading, *lines = str(raised.value).splitlines()
        assert name in heading
        return lines

    return of


@pytest.mark.parametrize(
    ("rows", "line", "said"),
    [
        # A quote that is never closed: three rows would become one.
        ('a,,b\n"Do A,,x\nDo B,,y\nDo C,,z\n', 3, "is never closed"),
        # The next quoted cell shows it.
        ('a,,b\n"Do A,,x\nDo B,,y\n"Do C","i, j",z\n', 3, "the next quote, in line 5"),
        ('"Q1","","A1\n"Q2","","A2"\n', 2, "the next quote, in line 3"),
        # A quote in another cell closes it.
        ('Q1,,A1\n"Q2,,A2\nQ3,,A3"\nq,w,e\n', 3, "1 cell, but the header names 3 columns; close"),
        # A quote that means inches closes it, and the rows between become one row of three cells.
        ('"Do A,,x\nDo B,,y\nUse 5",,z\nq,w,e\n', 2, "the quotes of this row hold whole rows"),
        ('q,w,e\n"Do A,,x\nUse 5",,z\n', 3, "the quotes of this row hold whole rows"),
        ("a,b,c\nQ,,A, and B\n", 3, "4 cells, but the header names 3 columns; put quotes around"),
        ("a,b\n", 2, "2 cells, but the header names 3 columns; add the missing cells"),
        ('Q,,"He said "hi" now"\n', 2, 'a quote stands inside a quoted cell; write it twice ("")'),
        ('a,say "x,b\n', 2, "holds a single quote"),
        ('a,grade of 5",b\n', 2, "holds a single quote"),
        ('a, "x, y",b\n', 2, "a blank stands before the quote"),
        ('a,b,c\n"Well, ""x"" \\" no",,"x"y\n', 3, "a quote stands inside a quoted cell"),
        ("a,b\rx,c\n", 2, "a carriage return (CR) stands outside of quotes"),
    ],
)
def test_a_row_with_two_readings_is_refused_where_the_fault_begins(refused, rows, line, said):
    (found,) = refused(HEADER + rows)
    assert found.startswith(f"line {line}: ")
    assert said in found


def test_every_row_that_does_not_fit_is_counted_in_one_line(refused):
    more, fewer = refused(HEADER + "a,b,c,d\n" * 9 + "a,b,c\n" + "a,b\n")
    assert more == (
        "line 2, 3, 4, 5, 6 and 4 more: 4 cells, but the header names 3 columns; put quotes around "
        "a cell that holds a comma"
    )
    assert fewer == (
        "line 12: 2 cells, but the header names 3 columns; add the missing cells, or put quotes "
        "around a cell with line breaks"
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (
            'a,"line one\nline, two\nthree, x",c\nx,y,z\n',
            ["a", "line one\nline, two\nthree, x", "c"],
        ),
        ('a,"1, 2\n3, 4\n5, 6",c\n', ["a", "1, 2\n3, 4\n5, 6", "c"]),
        ('"Na,140\nK,4.1\nCl,101",b,c\n', ["Na,140\nK,4.1\nCl,101", "b", "c"]),
        ('a,"b\rx\r\ny",c\r\n', ["a", "b\rx\r\ny", "c"]),
        ('a,"x ""y"" z",c\n', ["a", 'x "y" z', "c"]),
        ('a,"""y""",c\n', ["a", '"y"', "c"]),
        ('a,"x, y" ,c\n', ["a", "x, y", "c"]),
        ('Use a 5" or 6" needle,,c\n', ['Use a 5" or 6" needle', "", "c"]),
        ('say "x" now,,c\n', ['say "x" now', "", "c"]),
        ('a,"path C:\\",c\n', ["a", "path C:\\", "c"]),
        ("a,b,c", ["a", "b", "c"]),
        ("a,b,", ["a", "b", ""]),
        ("\n \n,,\na,b,c\n\n,,\n", ["a", "b", "c"]),
    ],
)
def test_what_is_certain_is_read(cells, rows, expected):
    assert cells(HEADER + rows)[0] == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (r'"He said \"hi, you\" now"', 'He said "hi, you" now'),
        (r'"\"Hi\""', '"Hi"'),
        (r'"a \"b\" and C:\\"', 'a "b" and C:\\'),
        (r'"\\alpha is \"first\""', r'\\alpha is "first"'),
    ],
)
def test_quotes_that_are_escaped_by_backslashes_are_read_and_noted(read, cell, expected):
    found = read(f"{HEADER}Q,,{cell}\nx,y,z\n")
    assert [record.fields["output"] for record in found.records] == [expected, "z"]
    assert found.notes == ['quotes inside cells are escaped by backslashes (\\")']


def test_a_column_that_is_named_twice_is_refused(refused):
    said = "line 1: the header names the column 'output' 2 times; rename the others"
    assert refused("instruction,output, output\na,b,c\n") == [said]


def test_a_column_without_a_name_may_hold_row_numbers_or_nothing(cells, refused):
    assert cells(",instruction,output,\n0,a,b,\n1,c,d,\n") == [["a", "b"], ["c", "d"]]
    assert refused("instruction,output,\na,b,\nc,d,text\n") == [
        "line 3: column 3 holds text, but has no name; name it in the header"
    ]
    assert len(refused("instruction,,output\na,7,b\n")) == 1


@pytest.mark.parametrize(
    ("separator", "name", "notes"),
    [
        (";", "set.csv", ["the cells are separated by semicolons"]),
        ("|", "set.csv", ["the cells are separated by bars"]),
        ("\t", "set.csv", []),
        ("\t", "set.tsv", []),
        (",", "set.tsv", []),
    ],
)
def test_the_separator_is_the_one_of_the_header(read, separator, name, notes):
    found = read(f'instruction{separator}output\n"a, b"{separator}c d\n', name)
    assert [record.fields for record in found.records] == [{"instruction": "a, b", "output": "c d"}]
    assert found.notes == notes


def test_a_first_line_that_names_the_separator_is_no_header(read):
    (record,) = read("sep=;\ninstruction;output\na, b;c\n").records
    assert record == ("line 3", {"instruction": "a, b", "output": "c"})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_each_kind_of_line_end_is_read(read, end):
    records = [*read(end.join([HEADER.strip(), 'a,"b",c', "d,e,f", ""])).records]
    assert [record.place for record in records] == ["line 2", "line 3"]
    assert [[*record.fields.values()] for record in records] == [["a", "b", "c"], ["d", "e", "f"]]


def test_a_nul_character_is_refused_with_its_line(tmp_path):
    (tmp_path / "set.csv").write_text(HEADER + "a,b,c\nd,\0,f\n")
    with pytest.raises(ImportedSetError, match="line 3: a NUL character; remove it"):
        read_csv(tmp_path / "set.csv")


def test_places_are_the_lines_where_rows_begin(read):
    records = read(HEADER + 'a,"b\n\nc",d\n\ne,f,g\n').records
    assert [record.place for record in records] == ["line 2", "line 6"]


CELL = st.text(st.sampled_from('ab ,;\n\r"\\é5|\t'), max_size=8)


@examples(max_examples=300)
@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=4), st.booleans())
def test_what_a_writer_of_csv_writes_is_read_as_it_was_or_refused(tmp_path_factory, rows, always):
    """Python's reader is the measure: a row is never another one than it reads."""
    path = tmp_path_factory.mktemp("csv") / "set.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL)
        writer.writerows([["x", "y", "z"], *rows])
    merged = any("\n" in cell and ",," in cell for row in rows for cell in row)
    merged |= any("".join(row).count("\n") > 1 for row in rows)
    try:
        found = [[*record.fields.values()] for record in read_csv(path).records]
    except ImportedSetError:
        assert merged  # the rows could be several rows
        return
    assert found == [list(row) for row in rows if any(cell.strip() for cell in row)]
