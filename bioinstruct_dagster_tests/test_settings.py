"""Settings: what is read from where, what is refused and by which name, and that the key stays
hidden.
"""

import pytest

from bioinstruct_dagster.settings import (
    INPUTS,
    PROJECT_ROOT,
    Settings,
    SettingsError,
    load_settings,
    variable_of,
)

KEY = "sk-proj-a-key-that-nobody-may-see"

WRONG_VALUES = [
    ("BIOINSTRUCT_TEACHER", "gpt"),
    ("BIOINSTRUCT_REQUESTS", "0"),
    ("BIOINSTRUCT_REQUESTS", "many"),
    ("BIOINSTRUCT_REQUESTS", "10000001"),
    ("BIOINSTRUCT_INSTRUCTIONS", "0"),
    ("BIOINSTRUCT_INSTRUCTIONS", "10000001"),
    ("BIOINSTRUCT_MAX_USD", "-1"),
    ("BIOINSTRUCT_MAX_TOKENS", "1.5"),
    ("BIOINSTRUCT_RUN_MAX_USD", "ten"),
    ("BIOINSTRUCT_RUN_MAX_TOKENS", "-1"),
    ("BIOINSTRUCT_SERVICE", "cheap"),
    ("BIOINSTRUCT_API", "assistants"),
    ("BIOINSTRUCT_REPLY_FORMAT", "yaml"),
    ("BIOINSTRUCT_RPM", "0"),
    ("BIOINSTRUCT_TPM", "-1"),
    ("BIOINSTRUCT_TASKS_PER_REQUEST", "0"),
    ("BIOINSTRUCT_TASKS_PER_REQUEST", "21"),
    ("BIOINSTRUCT_CONCURRENCY", "-1"),
    ("BIOINSTRUCT_CONCURRENCY", "10001"),
    ("BIOINSTRUCT_SEED", "-1"),
    ("BIOINSTRUCT_SEED", "4.2"),
    ("BIOINSTRUCT_REFRESH_INSTRUCTIONS", "0"),
    ("BIOINSTRUCT_LOCK_TIMEOUT", "0"),
    ("BIOINSTRUCT_LOCK_TIMEOUT", "soon"),
    ("BIOINSTRUCT_IMPORT_COLUMNS", "instruction"),
    ("BIOINSTRUCT_IMPORT_COLUMNS", "instruction="),
    ("BIOINSTRUCT_IMPORT_COLUMNS", "question=instruction"),
    ("OPENAI_BASE_URL", "localhost/v1"),
]


@pytest.mark.parametrize(("variable", "value"), WRONG_VALUES)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=rf"^Bad settings .*\n  {variable}: [^\n]+$"):
        load_settings(env_file=None)


@pytest.mark.parametrize(
    "variable",
    [
        "BIOINSTRUCT_DATA_DIR",
        "BIOINSTRUCT_SEEDS",
        "BIOINSTRUCT_EXPERIMENTS",
        "BIOINSTRUCT_CONTROLS",
    ],
)
def test_a_path_in_the_home_of_an_unknown_user_is_refused_by_name(monkeypatch, variable):
    monkeypatch.setenv(variable, "~no-such-user-here/folder")
    with pytest.raises(SettingsError, match=variable):
        load_settings(env_file=None)


def test_a_run_seed_that_the_store_cannot_hold_is_refused(monkeypatch):
    # run_seed is a bigint; accepted here, it would fail only after the completions were paid for.
    monkeypatch.setenv("BIOINSTRUCT_SEED", str(2**63))
    with pytest.raises(SettingsError, match="BIOINSTRUCT_SEED"):
        load_settings(env_file=None)


def test_all_wrong_values_are_named_at_once(monkeypatch):
    wrong = {
        "BIOINSTRUCT_TEACHER": "gpt",
        "BIOINSTRUCT_REQUESTS": "0",
        "BIOINSTRUCT_IMPORT_COLUMNS": "x",
        "OPENAI_BASE_URL": "nowhere",
        "BIOINSTRUCT_SEDE": "1",
    }
    for variable, value in wrong.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file=None)
    assert {line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]} == set(wrong)


@pytest.mark.parametrize(
    ("unknown", "meant"),
    [
        ("BIOINSTRUCT_REQUSTS", "BIOINSTRUCT_REQUESTS"),
        ("BIOINSTRUCT_TEACHERMODEL", "BIOINSTRUCT_TEACHER_MODEL"),
        ("BIOINSTRUCT_OPENAI_BASE_URL", "OPENAI_BASE_URL"),
        ("BIOINSTRUCT_IMPORT_", "BIOINSTRUCT_IMPORT"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(monkeypatch, unknown, meant):
    monkeypatch.setenv(unknown, "3")
    with pytest.raises(SettingsError, match=rf"{unknown}: no such setting; did you mean {meant}\?"):
        load_settings(env_file=None)


def test_an_unknown_name_in_the_env_file_is_refused_too(tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("BIOINSTRUCT_REQUSTS=3\n", "utf-8")
    with pytest.raises(SettingsError, match=r"BIOINSTRUCT_REQUSTS: no such setting"):
        load_settings(env_file)


def test_the_environment_wins_over_the_env_file_and_the_file_over_the_default(
    monkeypatch, tmp_path
):
    env_file = tmp_path / ".env"
    env_file.write_text("BIOINSTRUCT_REQUESTS=3\nBIOINSTRUCT_SEED=4\nOPENAI_API_KEY=k\n", "utf-8")
    monkeypatch.setenv("BIOINSTRUCT_REQUESTS", "5")
    settings = load_settings(env_file)
    assert (settings.requests, settings.seed, settings.concurrency) == (5, 4, 64)
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == "k"


def test_every_setting_is_read_from_the_variable_that_is_its_documented_name(monkeypatch, tmp_path):
    values = {
        "data_dir": (str(tmp_path), tmp_path),
        "seeds": ("data/mine.jsonl", PROJECT_ROOT / "data" / "mine.jsonl"),
        "experiments": (str(tmp_path / "e.yaml"), tmp_path / "e.yaml"),
        "teacher": ("openai", "openai"),
        "teacher_model": ("gpt-5", "gpt-5"),
        "openai_api_key": (KEY, KEY),
        "openai_base_url": ("http://localhost:8000/v1", "http://localhost:8000/v1"),
        "instructions": ("70", 70),
        "requests": ("7", 7),
        "controls": ("none", None),
        "quality_rules": ("data/rules.yaml", PROJECT_ROOT / "data" / "rules.yaml"),
        "privacy": ("redact", "redact"),
        "privacy_model": ("en_core_web_sm", "en_core_web_sm"),
        "evaluation_tasks": ("data/tasks.yaml", PROJECT_ROOT / "data" / "tasks.yaml"),
        "eval_dir": (str(tmp_path / "eval"), tmp_path / "eval"),
        "contamination": ("flag", "flag"),
        "meaning_model": (str(tmp_path / "model"), tmp_path / "model"),
        "meaning_threshold": ("0.85", 0.85),
        "category_confidence": ("0.6", 0.6),
        "ray_address": ("local", "local"),
        "ray_workers": ("4", 4),
        "max_usd": ("1.5", 1.5),
        "max_tokens": ("1000", 1000),
        "run_max_usd": ("0", 0.0),
        "run_max_tokens": ("10", 10),
        "service": ("flex", "flex"),
        "api": ("responses", "responses"),
        "reply_format": ("text", "text"),
        "rpm": ("500", 500.0),
        "tpm": ("200000.5", 200000.5),
        "tasks_per_request": ("4", 4),
        "concurrency": ("2", 2),
        "import_": ("owner/name", "owner/name"),
        "import_columns": (
            "instruction = question,output=answer",
            {"instruction": "question", "input": "input", "output": "answer"},
        ),
        "import_split": ("test", "test"),
        "seed": ("1", 1),
        "refresh_instructions": ("9", 9),
        "lock_timeout": ("0.5", 0.5),
    }
    assert set(values) == set(Settings.model_fields)
    for field, (text, _) in values.items():
        monkeypatch.setenv(variable_of(field), text)
    settings = load_settings(env_file=None)
    for field, (_, expected) in values.items():
        found = getattr(settings, field)
        if field == "openai_api_key":
            found = found.get_secret_value()
        assert (str(found) if field == "openai_base_url" else found) == expected, field


def test_every_setting_says_what_it_means():
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_with_nothing_set_the_embedded_teacher_and_the_shipped_inputs_are_used(monkeypatch):
    monkeypatch.delenv("BIOINSTRUCT_DATA_DIR")
    settings = load_settings(env_file=None)
    assert (settings.teacher, settings.model) == ("rehearsal", "rehearsal-teacher")
    assert settings.openai_api_key is None
    assert settings.seeds == INPUTS / "seed_tasks.jsonl"
    assert settings.store_path == INPUTS / "bioinstruct.duckdb"


def test_an_empty_variable_means_the_default(monkeypatch):
    for variable in ("BIOINSTRUCT_REQUESTS", "BIOINSTRUCT_DATA_DIR", "OPENAI_API_KEY"):
        monkeypatch.setenv(variable, "")
    settings = load_settings(env_file=None)
    assert (settings.requests, settings.data_dir, settings.openai_api_key) == (None, INPUTS, None)


@pytest.mark.parametrize(
    ("teacher", "model", "asked"),
    [("openai", "", "gpt-4.1"), ("openai", "x", "x"), ("rehearsal", "", "rehearsal-teacher")],
)
def test_the_model_defaults_by_teacher(teacher, model, asked):
    assert Settings(_env_file=None, teacher=teacher, teacher_model=model).model == asked


def test_relative_paths_do_not_depend_on_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("BIOINSTRUCT_DATA_DIR", "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert load_settings(env_file=None).data_dir == PROJECT_ROOT / "elsewhere"


def test_settings_cannot_be_changed_once_read():
    with pytest.raises(ValueError, match="frozen"):
        Settings(_env_file=None).requests = 3


def test_the_key_is_never_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    settings = load_settings(env_file=None)
    shown = [repr(settings), str(settings), settings.model_dump_json(), f"{settings.model_dump()}"]
    assert [text for text in shown if KEY in text] == []


@pytest.mark.parametrize(("variable", "value"), WRONG_VALUES)
def test_the_key_is_in_no_error(monkeypatch, variable, value):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file=None)
    error: BaseException | None = caught.value
    while error is not None:
        assert KEY not in f"{error!r} {error}"
        error = error.__cause__ or error.__context__


def test_a_key_put_where_another_setting_belongs_is_not_repeated(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", KEY)
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file=None)
    assert KEY not in str(caught.value)
    with pytest.raises(ValueError, match=r"(?i)openai_base_url") as direct:
        Settings(_env_file=None, openai_base_url=KEY)
    assert KEY not in str(direct.value)
