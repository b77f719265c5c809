"""Filled-in files as the page and spreadsheets write them, and every fault by file, line, field."""

import csv
import io
import json

import pytest

from bioinstruct_dagster.review.handed_in.filled_files import (
    FilledFileError,
    filled_files,
    notes_on,
    read_file,
    read_judgements,
)

HEAD = "item_id,instruction,reviewer,decision,category,reason,comment"
DAY = "11/30/2026 14:05"
ONE, TWO, THREE = (f"row-{n}aa-12345678" for n in range(3))


def written(folder, text, name="review.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_csv_as_excel_saves_it(tmp_path):
    lines = [
        HEAD.replace(",", ";"),
        f'{ONE};"Find the dose; in mg.";AB;accept;generation;;"says ""5 mg""; fine"',
        f'{TWO};"Two\nlines";;Reject;;Wrong answer;größer',
        f"{THREE};Not judged yet;;;;;",
    ]
    path = written(tmp_path, "\r\n".join(lines), encoding="utf-8-sig")
    first, second = read_file(path)
    assert (first.decision, first.category, first.comment) == (
        "accept", "generation", 'says "5 mg"; fine',
    )  # fmt: skip
    assert (second.reviewer, second.reason, second.comment) == ("AB", "wrong_answer", "größer")


def test_a_tab_separated_utf_16_file_of_excel(tmp_path):
    text = f"{HEAD}\n{ONE},a,AB,unsure,,,".replace(",", "\t")
    [found] = read_file(written(tmp_path, text, encoding="utf-16"))
    assert found.decision == "unsure"


def test_a_json_file_of_the_page(tmp_path):
    rows = [{"item_id": ONE, "reviewer": "AB", "decision": "reject", "category": None,
             "reason": "unclear", "comment": "", "judged_at": "2026-11-30T15:00:00.000Z",
             "changed_after_verdict": True}]  # fmt: skip
    [found] = read_file(written(tmp_path, json.dumps(rows), "review-AB.json"))
    assert found.changed_after_verdict
    assert found.judged_at.year == 2026


def faults_of(path):
    with pytest.raises(FilledFileError) as raised:
        read_file(path)
    return str(raised.value)


def test_every_fault_is_named_by_file_line_and_field(tmp_path):
    path = written(
        tmp_path,
        f"{HEAD}\n{ONE},a,AB,accept,,,\n{TWO},a,AB,yes,,,\n{THREE},a,AB,reject,,,\n{ONE},a,AB,reject,,other,\n",
    )
    said = faults_of(path)
    assert str(path) in said
    assert "line 3: field decision: 'yes' is unknown" in said
    assert "line 4: field reason: a rejected row needs a reason" in said
    assert "line 5: field item_id: line 2 judges the same row" in said


def test_a_fault_of_json_names_its_line(tmp_path):
    good = json.dumps({"item_id": ONE, "reviewer": "AB", "decision": "accept"})
    bad = json.dumps({"item_id": TWO, "reviewer": "AB", "decision": "maybe"})
    assert "line 3: field decision" in faults_of(
        written(tmp_path, f"[\n{good},\n{bad}\n]\n", "a.json")
    )
    assert "line 1" in faults_of(written(tmp_path, '[{"item_id": ', "b.json"))


def test_a_missing_column_no_known_encoding_and_a_workbook_are_named(tmp_path):
    missing = faults_of(written(tmp_path, f"item_id,decisions,comment\n{ONE},accept,x\n"))
    assert "no column reviewer, decision" in missing
    broken = written(tmp_path, f"{HEAD}\n{ONE},a,AB,accept,,,x\x81\n", encoding="latin-1")
    assert "line 2: not UTF-8" in faults_of(broken)
    assert "Excel workbook" in faults_of(written(tmp_path, "PK\x03\x04zip"))


def test_a_file_of_an_old_code_page_is_read_and_told_of(tmp_path):
    text = f"{HEAD}\n{ONE},a,Jürgen,accept,,,größer – fast\n".replace(",", ";")
    old = written(tmp_path, text, "old.csv", encoding="cp1252")
    [found] = read_file(old)
    assert (found.reviewer, found.comment) == ("Jürgen", "größer – fast")
    new = written(tmp_path, text, "new.csv", encoding="utf-16")
    [note] = notes_on([old, new, written(tmp_path, text, "utf.csv")])
    assert str(old) in note


@pytest.mark.parametrize("separator", [";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_whatever_a_spreadsheet_makes_of_the_form_the_judgements_are_the_same(
    tmp_path, separator, encoding
):
    cells = [
        [*HEAD.split(","), "judged_at"],
        [ONE, 'say "5 mg"; then\tstop, please|', "AB", "reject", "", "unclear", "è, è; è", DAY],
    ]
    with io.StringIO(newline="") as text:
        csv.writer(text, delimiter=separator, quoting=csv.QUOTE_ALL).writerows(cells)
        path = written(tmp_path, text.getvalue(), encoding=encoding)
    [found] = read_file(path)
    assert (found.reason, found.comment) == ("unclear", "è, è; è")
    assert found.texts == {"instruction": cells[1][1]}
    assert found.judged_at.isoformat() == "2026-11-30T14:05:00+00:00"


def test_an_ambiguous_day_is_named_by_file_line_field_and_what_to_write(tmp_path):
    path = written(tmp_path, f"{HEAD},judged_at\n{ONE},a,AB,accept,,,,05/11/2026 14:05\n")
    said = faults_of(path)
    assert str(path) in said
    assert "line 2: field judged_at: '05/11/2026 14:05' may be 11 May 2026 or 5 November" in said
    assert "write the day as 2026-05-11 or 2026-11-05" in said


def test_a_folder_may_be_missing_and_other_files_are_refused(tmp_path):
    assert filled_files(tmp_path / "none") == []
    written(tmp_path, "x", "review.xlsx")
    with pytest.raises(FilledFileError, match=r"\.json or \.csv"):
        filled_files(tmp_path)


def test_a_name_may_be_written_in_several_ways(tmp_path):
    def line(item, reviewer):
        return json.dumps({"item_id": item, "reviewer": reviewer, "decision": "accept"})

    first = written(tmp_path, line(ONE, "AB"), "a.json")
    second = written(tmp_path, f"{line(ONE, 'a.b.')}\n{line(TWO, 'A. B')}", "b.jsonl")
    assert {one.reviewer for one in read_judgements([first, second])} == {"AB"}
    assert len(read_judgements([first, second])) == 2


def test_a_time_in_the_future_is_refused(tmp_path):
    lines = f"{HEAD},judged_at\n{ONE},x,AB,accept,,,,2062-11-30 09:00\n"
    said = faults_of(written(tmp_path, lines))
    assert "line 2: field judged_at: '2062-11-30 09:00' is in the future" in said


def test_the_later_judgement_of_a_reviewer_counts_and_a_tie_is_refused(tmp_path):
    def line(decision, time):
        return json.dumps(
            {"item_id": ONE, "reviewer": "AB", "decision": decision, "judged_at": time}
        )

    later = written(tmp_path, line("unsure", "2026-11-30T16:00:00Z"), "a.json")
    earlier = written(tmp_path, line("accept", "2026-11-30T15:00:00Z"), "b.json")
    [found] = read_judgements([later, earlier])
    assert found.decision == "unsure"
    undated = written(tmp_path, line("accept", ""), "c.json")
    with pytest.raises(FilledFileError, match=r"a\.json, line 1 and c\.json, line 1"):
        read_judgements([later, undated])
    written(tmp_path, line("unsure", ""), "c.json")
    assert len(read_judgements([later, undated])) == 1  # both say the same
