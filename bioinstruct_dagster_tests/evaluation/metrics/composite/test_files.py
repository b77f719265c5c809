"""Scoring a file, and the message for each fault of one."""

import json
import subprocess
import sys

import pytest

from bioinstruct_dagster.evaluation.metrics.composite.files import SummaryFileError, score_file

ROW = {"id": 7, "dialogue": "Doctor: Fever?\nPatient: No.", "reference": "No fever.", "summary": ""}


def write(path, rows):
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n", "utf-8")
    return path


def test_each_line_gains_two_fields_and_keeps_its_own(tmp_path):
    rows = [
        ROW,
        ROW | {"summary": "No fever."},
        {"source": "Fever.", "reference": "Fever.", "summary": "Asthma.", "note": "\u00fc\ud800"},
    ]
    out = tmp_path / "out.jsonl"
    assert score_file(write(tmp_path / "in.jsonl", rows), out) == 3
    made = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [(row.pop("composite"), row.pop("factual_errors")) for row in made] == [
        (0.0, 0.0),
        (1.0, 0.0),
        (0.0, 1.0),
    ]
    assert made == rows


def test_the_file_that_is_read_is_not_written(tmp_path):
    path = write(tmp_path / "rows.jsonl", [ROW])
    before = path.read_bytes()
    link = tmp_path / "link.jsonl"
    link.symlink_to(path)
    for written in (path, tmp_path / "." / "rows.jsonl", link):
        with pytest.raises(SummaryFileError, match="is the file that is read; name another one"):
            score_file(path, written)
    assert path.read_bytes() == before
    assert {one.name for one in tmp_path.iterdir()} == {"rows.jsonl", "link.jsonl"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (json.dumps({**ROW, "summary": None}), "line 2: the field `summary` must be a text"),
        (json.dumps({"reference": "a", "summary": "b"}), "line 2: has neither `dialogue` nor"),
        (json.dumps({"dialogue": "a", "summary": "b"}), "line 2: has no field `reference`"),
        (json.dumps({**ROW, "reference": " "}), "line 2: the field `reference` is empty"),
        (json.dumps({**ROW, "dialogue": 3}), "line 2: the field `dialogue` must be a text"),
        ("{", "line 2: is not JSON"),
        ("[]", "line 2: must be an object"),
        ('{"summary": "a", "summary": "b"}', "line 2: the key 'summary' is given twice"),
        (b"\xff".decode("latin-1"), "line 2: is not UTF-8"),
    ],
)
def test_a_fault_names_line_and_field_and_writes_nothing(tmp_path, line, message):
    path, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    path.write_bytes(json.dumps(ROW).encode() + b"\n" + line.encode("latin-1") + b"\n")
    with pytest.raises(SummaryFileError) as refused:
        score_file(path, out)
    assert str(refused.value).startswith(f"{path}: ")
    assert message in str(refused.value)
    assert not out.exists()


def test_faults_of_the_files(tmp_path):
    path = write(tmp_path / "in.jsonl", [ROW])
    with pytest.raises(SummaryFileError, match="does not exist"):
        score_file(tmp_path / "none.jsonl", tmp_path / "out.jsonl")
    with pytest.raises(SummaryFileError, match="can't be written"):
        score_file(path, tmp_path / "none" / "out.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n \n")
    with pytest.raises(SummaryFileError, match="holds no summary"):
        score_file(tmp_path / "empty.jsonl", tmp_path / "out.jsonl")


def test_the_command(tmp_path):
    path, out = write(tmp_path / "in.jsonl", [ROW]), tmp_path / "out.jsonl"
    command = [sys.executable, "-m", "bioinstruct_dagster.evaluation.metrics.composite"]
    done = subprocess.run([*command, path, out], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 summaries scored" in done.stdout
    refused = subprocess.run(
        [*command, out.parent, out], capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert "is a folder" in refused.stderr
