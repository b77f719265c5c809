"""Reading settings: sources and their order, refused values with their variables, hidden keys."""

from operator import attrgetter
from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr

from bioinstruct_dagster.settings import (
    INPUTS,
    PROJECT_ROOT,
    Settings,
    SettingsError,
    load_settings,
)
from bioinstruct_dagster.settings.reading import PLACES

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
    ("BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK", "0"),
    ("BIOINSTRUCT_REASONING_TOKENS", "-1"),
    ("BIOINSTRUCT_REASONING_EFFORT", "a little"),
    ("BIOINSTRUCT_BATCH_TOKENS", "0"),
    ("BIOINSTRUCT_REPLY_FORMAT", "yaml"),
    ("BIOINSTRUCT_RPM", "0"),
    ("BIOINSTRUCT_TPM", "-1"),
    ("BIOINSTRUCT_TASKS_PER_REQUEST", "0"),
    ("BIOINSTRUCT_TASKS_PER_REQUEST", "21"),
    ("BIOINSTRUCT_CONCURRENCY", "-1"),
    ("BIOINSTRUCT_CONCURRENCY", "10001"),
    ("BIOINSTRUCT_STALL_MINUTES", "0"),
    ("BIOINSTRUCT_STALL_MINUTES", "inf"),
    ("BIOINSTRUCT_SEED", "-1"),
    ("BIOINSTRUCT_SEED", "4.2"),
    ("BIOINSTRUCT_REFRESH_INSTRUCTIONS", "0"),
    ("BIOINSTRUCT_LOCK_TIMEOUT", "0"),
    ("BIOINSTRUCT_LOCK_TIMEOUT", "soon"),
    ("BIOINSTRUCT_IMPORT_COLUMNS", "instruction"),
    ("BIOINSTRUCT_IMPORT_COLUMNS", "instruction="),
    ("BIOINSTRUCT_IMPORT_COLUMNS", "question=instruction"),
    ("BIOINSTRUCT_IMPORT_COLUMNS", "instruction=a,output=b,instruction=c"),
    ("BIOINSTRUCT_IMPORT_COLUMNS", "messages=chats,output=b"),
    ("BIOINSTRUCT_REFRESH_INSTRUCTIONS", "10000001"),
    ("BIOINSTRUCT_RPM", "1e308"),
    ("BIOINSTRUCT_RPM", "1e-308"),
    ("BIOINSTRUCT_TPM", "1e308"),
    ("BIOINSTRUCT_TPM", "inf"),
    ("BIOINSTRUCT_PRIVACY_MODEL", "~no-such-user-here/model"),
    ("OPENAI_BASE_URL", "localhost/v1"),
    ("OPENAI_BASE_URL", "http://user@localhost/v1"),
    ("OPENAI_BASE_URL", "http://:password@localhost/v1"),
    ("OPENAI_BASE_URL", "ftp://localhost/v1"),
    ("OPENAI_BASE_URL", "http://localhost:99999/v1"),
    ("OPENAI_BASE_URL", "http://local host/v1"),
    ("OPENAI_BASE_URL", "http://"),
    ("OPENAI_BASE_URL", "http://localhost/v1#chat"),
    *(
        (f"BIOINSTRUCT_{cap}", value)
        for cap in ("MAX_USD", "MAX_TOKENS", "RUN_MAX_USD", "RUN_MAX_TOKENS")
        for value in ("inf", "-inf", "nan", "1e400", "1e308", "9" * 30)
    ),
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
def test_a_path_in_an_unknown_users_home_is_refused(monkeypatch, variable):
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
        ("bioinstruct_max_usd", "BIOINSTRUCT_MAX_USD"),
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


def test_the_environment_wins_over_env_file_and_default(monkeypatch, tmp_path):
    env_file = tmp_path / ".env"
    env_file.write_text("BIOINSTRUCT_REQUESTS=3\nBIOINSTRUCT_SEED=4\nOPENAI_API_KEY=k\n", "utf-8")
    monkeypatch.setenv("BIOINSTRUCT_REQUESTS", "5")
    settings = load_settings(env_file)
    assert (settings.generation.requests, settings.runs.seed, settings.teacher.concurrency) == (
        5,
        4,
        64,
    )
    assert settings.teacher.api_key is not None
    assert settings.teacher.api_key.get_secret_value() == "k"


def test_each_setting_is_read_from_its_documented_variable(monkeypatch, tmp_path):
    values = {
        "BIOINSTRUCT_DATA_DIR": ("store.data_dir", str(tmp_path), tmp_path),
        "BIOINSTRUCT_SEEDS": (
            "seeds.file",
            "data/mine.jsonl",
            PROJECT_ROOT / "data" / "mine.jsonl",
        ),
        "BIOINSTRUCT_EXPERIMENTS": (
            "models.experiments",
            str(tmp_path / "e.yaml"),
            tmp_path / "e.yaml",
        ),
        "BIOINSTRUCT_TEACHER": ("teacher.name", "openai", "openai"),
        "BIOINSTRUCT_TEACHER_MODEL": ("teacher.model_name", "gpt-5", "gpt-5"),
        "OPENAI_API_KEY": ("teacher.api_key", KEY, SecretStr(KEY)),
        "OPENAI_BASE_URL": (
            "teacher.base_url",
            "http://localhost:8000/v1",
            HttpUrl("http://localhost:8000/v1"),
        ),
        "BIOINSTRUCT_INSTRUCTIONS": ("generation.instructions", "70", 70),
        "BIOINSTRUCT_REQUESTS": ("generation.requests", "7", 7),
        "BIOINSTRUCT_CONTROLS": ("generation.controls", "none", None),
        "BIOINSTRUCT_QUALITY_RULES": (
            "curation.quality_rules",
            "data/rules.yaml",
            PROJECT_ROOT / "data" / "rules.yaml",
        ),
        "BIOINSTRUCT_PRIVACY": ("curation.privacy", "redact", "redact"),
        "BIOINSTRUCT_PRIVACY_MODEL": ("curation.privacy_model", "en_core_web_sm", "en_core_web_sm"),
        "BIOINSTRUCT_EVALUATION_TASKS": (
            "eval_sets.tasks",
            "data/tasks",
            PROJECT_ROOT / "data" / "tasks",
        ),
        "BIOINSTRUCT_CONTAMINATION_RULES": (
            "curation.contamination_rules",
            "data/gate.yaml",
            PROJECT_ROOT / "data" / "gate.yaml",
        ),
        "BIOINSTRUCT_EVAL_DIR": ("eval_sets.folder", str(tmp_path / "eval"), tmp_path / "eval"),
        "BIOINSTRUCT_CONTAMINATION": ("curation.contamination", "flag", "flag"),
        "BIOINSTRUCT_NOVELTY": ("curation.novelty", "exact", "exact"),
        "BIOINSTRUCT_NOVELTY_THRESHOLD": ("curation.novelty_threshold", "0.5", 0.5),
        "BIOINSTRUCT_MEANING_MODEL": (
            "curation.meaning_model",
            str(tmp_path / "model"),
            tmp_path / "model",
        ),
        "BIOINSTRUCT_MEANING_THRESHOLD": ("curation.meaning_threshold", "0.85", 0.85),
        "BIOINSTRUCT_CATEGORY_CONFIDENCE": ("curation.category_confidence", "0.6", 0.6),
        "BIOINSTRUCT_RAY_ADDRESS": ("curation.ray_address", "local", "local"),
        "BIOINSTRUCT_RAY_WORKERS": ("curation.ray_workers", "4", 4),
        "BIOINSTRUCT_TRAINING_RANKS": ("models.training_ranks", "2", 2),
        "BIOINSTRUCT_TRAINING_WORKERS": ("models.training_workers", "3", 3),
        "BIOINSTRUCT_MAX_USD": ("caps.max_usd", "1.5", 1.5),
        "BIOINSTRUCT_MAX_TOKENS": ("caps.max_tokens", "1000", 1000),
        "BIOINSTRUCT_RUN_MAX_USD": ("caps.run_max_usd", "0", 0.0),
        "BIOINSTRUCT_RUN_MAX_TOKENS": ("caps.run_max_tokens", "10", 10),
        "BIOINSTRUCT_SERVICE": ("teacher.service", "flex", "flex"),
        "BIOINSTRUCT_API": ("teacher.api", "responses", "responses"),
        "BIOINSTRUCT_REPLY_FORMAT": ("teacher.reply_format", "text", "text"),
        "BIOINSTRUCT_RPM": ("teacher.requests_per_minute", "500", 500.0),
        "BIOINSTRUCT_TPM": ("teacher.tokens_per_minute", "200000.5", 200000.5),
        "BIOINSTRUCT_TASKS_PER_REQUEST": ("generation.tasks_per_request", "4", 4),
        "BIOINSTRUCT_OUTPUT_TOKENS_PER_TASK": ("teacher.output_tokens_per_task", "900", 900),
        "BIOINSTRUCT_REASONING_TOKENS": ("teacher.reasoning_tokens", "8000", 8000),
        "BIOINSTRUCT_REASONING_EFFORT": ("teacher.reasoning_effort", "low", "low"),
        "BIOINSTRUCT_BATCH_TOKENS": ("teacher.batch_tokens", "90000", 90_000),
        "BIOINSTRUCT_CONCURRENCY": ("teacher.concurrency", "2", 2),
        "BIOINSTRUCT_STALL_MINUTES": ("teacher.stall_minutes", "2.5", 2.5),
        "BIOINSTRUCT_IMPORT": ("imports.source", "owner/name", "owner/name"),
        "BIOINSTRUCT_IMPORT_COLUMNS": (
            "imports.columns",
            "instruction = question,output=answer",
            {"instruction": "question", "input": "input", "output": "answer"},
        ),
        "BIOINSTRUCT_IMPORT_SPLIT": ("imports.split", "test", "test"),
        "BIOINSTRUCT_TRACKER": ("models.tracker", "mlflow", "mlflow"),
        "BIOINSTRUCT_SEED": ("runs.seed", "1", 1),
        "BIOINSTRUCT_REFRESH_INSTRUCTIONS": ("runs.refresh_instructions", "9", 9),
        "BIOINSTRUCT_TRAIN_ON_RELEASE": ("runs.train_on_release", "a|*, b|*", "a|*, b|*"),
        "BIOINSTRUCT_WEBHOOK_URL": ("runs.webhook_url", "https://h/x", SecretStr("https://h/x")),
        "BIOINSTRUCT_LOCK_TIMEOUT": ("store.lock_timeout", "0.5", 0.5),
        "BIOINSTRUCT_COMPUTE": ("compute.where", "kubernetes", "kubernetes"),
        "BIOINSTRUCT_EXCHANGE_URL": ("compute.exchange_url", "s3://a/b", "s3://a/b"),
        "BIOINSTRUCT_COMPUTE_GPUS": ("compute.gpus", "8", 8),
        "BIOINSTRUCT_COMPUTE_CPUS": ("compute.cpus", "16", 16),
        "BIOINSTRUCT_COMPUTE_MEMORY": ("compute.memory", "128", 128),
        "BIOINSTRUCT_COMPUTE_ENV": ("compute.environment", "NCCL_DEBUG", "NCCL_DEBUG"),
        "BIOINSTRUCT_KUBERNETES_IMAGE": ("compute.image", "registry/i:1", "registry/i:1"),
        "BIOINSTRUCT_KUBERNETES_NAMESPACE": ("compute.namespace", "training", "training"),
        "BIOINSTRUCT_KUBERNETES_SERVICE_ACCOUNT": ("compute.service_account", "t", "t"),
        "BIOINSTRUCT_KUBERNETES_SECRET": ("compute.secret", "keys", "keys"),
        "BIOINSTRUCT_KUBERNETES_VOLUME": ("compute.volume", "models", "models"),
        "BIOINSTRUCT_KUBERNETES_NODES": ("compute.nodes", "zone=a", "zone=a"),
        "BIOINSTRUCT_KUBERNETES_GPU_RESOURCE": (
            "compute.gpu_resource",
            "amd.com/gpu",
            "amd.com/gpu",
        ),
        "BIOINSTRUCT_RAY_JOBS": ("compute.ray_jobs", "http://head:8265", "http://head:8265"),
        "BIOINSTRUCT_EVALUATE_TASKS": ("evaluation.tasks", "held_out,medqa", "held_out,medqa"),
        "BIOINSTRUCT_EVALUATION_ITEMS": ("evaluation.items", "100", 100),
        "BIOINSTRUCT_EVALUATION_ANSWERS": ("evaluation.answers", "0", 0),
        "BIOINSTRUCT_EVALUATION_TOKENS": ("evaluation.tokens_per_pass", "4096", 4096),
        "BIOINSTRUCT_EVALUATION_ROWS": ("evaluation.answer_rows", "8", 8),
        "BIOINSTRUCT_EVALUATION_ENGINE": ("evaluation.answer_engine", "vllm", "vllm"),
        "BIOINSTRUCT_BERTSCORE_MODEL": (
            "evaluation.bertscore_model",
            str(tmp_path / "bert"),
            tmp_path / "bert",
        ),
        "BIOINSTRUCT_JUDGE": ("judge.mode", "proven", "proven"),
        "BIOINSTRUCT_JUDGE_MODEL": ("judge.model_name", "gpt-5", "gpt-5"),
        "BIOINSTRUCT_JUDGE_BASE_URL": (
            "judge.base_url",
            "http://judge:8000/v1",
            HttpUrl("http://judge:8000/v1"),
        ),
        "BIOINSTRUCT_JUDGE_API_KEY": ("judge.api_key", "sk-judge", SecretStr("sk-judge")),
        "BIOINSTRUCT_JUDGE_ITEMS": ("judge.items", "20", 20),
        "BIOINSTRUCT_JUDGE_PAIRS": ("judge.pairs", "off", "off"),
        "BIOINSTRUCT_JUDGE_HUMAN_SCORES": (
            "judge.human_scores",
            str(tmp_path / "scores.jsonl"),
            tmp_path / "scores.jsonl",
        ),
        "BIOINSTRUCT_VERB_MODEL": ("publishing.verb_model", "off", "off"),
        "BIOINSTRUCT_DATASET_LICENCE": ("publishing.dataset_licence", "cc-by-4.0", "cc-by-4.0"),
        "BIOINSTRUCT_REVIEW_ROWS": ("review.rows", "60", 60),
        "BIOINSTRUCT_REVIEW_FILES": (
            "review.files",
            str(tmp_path / "filled"),
            tmp_path / "filled",
        ),
        "BIOINSTRUCT_JUDGE_MAX_USD": ("judge.max_usd", "2.5", 2.5),
        "BIOINSTRUCT_JUDGE_MAX_TOKENS": ("judge.max_tokens", "5000", 5_000),
    }
    assert set(values) == set(PLACES)
    for variable, (_, text, _) in values.items():
        monkeypatch.setenv(variable, text)
    settings = load_settings(env_file=None)
    found = {variable: attrgetter(place)(settings) for variable, (place, _, _) in values.items()}
    assert found == {variable: expected for variable, (_, _, expected) in values.items()}


def test_the_defaults_are_the_embedded_teacher_and_inputs(monkeypatch):
    monkeypatch.delenv("BIOINSTRUCT_DATA_DIR")
    settings = load_settings(env_file=None)
    assert (settings.teacher.name, settings.teacher.model) == ("rehearsal", "rehearsal-teacher")
    assert settings.teacher.api_key is None
    assert settings.seeds.file == INPUTS / "seed_tasks.jsonl"
    assert settings.store.path == INPUTS / "bioinstruct.duckdb"


def test_an_empty_variable_means_the_default(monkeypatch):
    for variable in ("BIOINSTRUCT_REQUESTS", "BIOINSTRUCT_DATA_DIR", "OPENAI_API_KEY"):
        monkeypatch.setenv(variable, "")
    settings = load_settings(env_file=None)
    assert (settings.generation.requests, settings.store.data_dir, settings.teacher.api_key) == (
        None,
        INPUTS,
        None,
    )


@pytest.mark.parametrize(
    ("teacher", "model", "asked"),
    [("openai", "", "gpt-4.1"), ("openai", "x", "x"), ("rehearsal", "", "rehearsal-teacher")],
)
def test_the_model_defaults_by_teacher(teacher, model, asked):
    assert Settings.of(teacher=teacher, teacher_model=model).teacher.model == asked


def test_relative_paths_do_not_depend_on_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("BIOINSTRUCT_DATA_DIR", "elsewhere")
    monkeypatch.chdir(tmp_path)
    assert load_settings(env_file=None).store.data_dir == PROJECT_ROOT / "elsewhere"


@pytest.mark.parametrize(
    ("value", "model"),
    [
        ("data/ner", str(PROJECT_ROOT / "data" / "ner")),
        ("./ner", str(PROJECT_ROOT / "ner")),
        ("~/ner", str(Path("~/ner").expanduser())),
        ("/opt/models/ner", "/opt/models/ner"),
        ("en_core_web_sm", "en_core_web_sm"),
    ],
)
def test_a_privacy_model_is_a_path_or_a_package(monkeypatch, tmp_path, value, model):
    monkeypatch.setenv("BIOINSTRUCT_PRIVACY_MODEL", value)
    monkeypatch.chdir(tmp_path)
    assert load_settings(env_file=None).curation.privacy_model == model


def test_a_refused_address_says_what_to_do_and_no_secret(monkeypatch):
    for address, advice in [
        ("http://user:secret@host/v1", "OPENAI_API_KEY"),
        ("host/v1?key=secret", "no http:// or https:// at its beginning"),
        ("http://host/v1#secret", "Delete the part from the #"),
    ]:
        monkeypatch.setenv("OPENAI_BASE_URL", address)
        with pytest.raises(SettingsError, match=advice) as caught:
            load_settings(env_file=None)
        assert "secret" not in str(caught.value)


def test_settings_cannot_be_assigned():
    settings = Settings.of()
    with pytest.raises(ValueError, match="frozen"):
        settings.generation.requests = 3
    with pytest.raises(ValueError, match="frozen"):
        settings.generation = settings.generation


def test_a_changed_copy_keeps_every_other_setting(tmp_path):
    first = Settings.of(data_dir=tmp_path, controls=None, openai_api_key=KEY, import_="rows.jsonl")
    second = first.changed(requests=3, openai_api_key=None)
    assert first.teacher.api_key == SecretStr(KEY)
    assert second == Settings.of(data_dir=tmp_path, controls=None, import_="rows.jsonl", requests=3)


def test_a_changed_copy_is_checked_as_the_environment_is():
    with pytest.raises(ValueError, match="requests"):
        Settings.of().changed(requests=0)
    with pytest.raises(KeyError, match="BIOINSTRUCT_REQUSTS"):
        Settings.of().changed(requsts=1)


def test_settings_from_code_do_not_read_the_environment(monkeypatch):
    monkeypatch.setenv("BIOINSTRUCT_REQUESTS", "7")
    assert Settings.of(seed=1).generation.requests is None
    assert load_settings(env_file=None).generation.requests == 7


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


def test_a_key_in_another_setting_is_not_repeated(monkeypatch):
    monkeypatch.setenv("OPENAI_BASE_URL", KEY)
    with pytest.raises(SettingsError) as caught:
        load_settings(env_file=None)
    assert KEY not in str(caught.value)
    with pytest.raises(ValueError, match="base_url") as direct:
        Settings.of(openai_base_url=KEY)
    assert KEY not in str(direct.value)


def test_the_column_of_a_set_of_chats_is_mapped_alone(monkeypatch):
    monkeypatch.setenv("BIOINSTRUCT_IMPORT_COLUMNS", "messages=conversations")
    own = {name: name for name in ("instruction", "input", "output")}
    assert load_settings(None).imports.columns == {**own, "messages": "conversations"}
