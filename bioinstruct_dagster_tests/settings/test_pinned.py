"""A `.env` that would undo what `make demo` and `make study` pin is refused."""

import pytest

from bioinstruct_dagster.settings.pinned import main

TEACHER, FOLDER = "BIOINSTRUCT_TEACHER", "BIOINSTRUCT_DATA_DIR"


@pytest.mark.parametrize(
    ("lines", "refused"),
    [
        (None, []),
        ("BIOINSTRUCT_TEACHER=rehearsal\nBIOINSTRUCT_REQUESTS=9\n", []),
        ("BIOINSTRUCT_TEACHER=openai\nOPENAI_API_KEY=sk-of-someone\n", [TEACHER]),
        ("BIOINSTRUCT_TEACHER=openai\nBIOINSTRUCT_DATA_DIR=/elsewhere\n", [TEACHER, FOLDER]),
    ],
)
def test_only_lines_that_undo_a_pin_are_refused(tmp_path, monkeypatch, capsys, lines, refused):
    monkeypatch.setenv(TEACHER, "rehearsal")
    monkeypatch.setenv(FOLDER, "data/study")
    env_file = tmp_path / ".env"
    if lines is not None:
        env_file.write_text(lines, "utf-8")
    assert main([TEACHER, FOLDER], env_file) == bool(refused)
    said = capsys.readouterr().err
    assert [name for name in (TEACHER, FOLDER) if name in said] == refused
    assert "sk-of-someone" not in said
