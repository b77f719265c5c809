"""Which judge the settings name, and what they refuse."""

import pytest

from bioinstruct_dagster.evaluation.judge.choice import (
    JudgeError,
    family_of,
    is_asked,
    judge_settings,
    open_judge,
    why_not_asked,
)
from bioinstruct_dagster.evaluation.judge.grades import GradedText, grade_question
from bioinstruct_dagster.settings import Settings, SettingsError, load_settings
from bioinstruct_dagster.teacher.answers import ask_about
from bioinstruct_dagster_tests.teacher.answering_servers import refuse, serve  # noqa: F401

REAL = {"teacher": "openai", "openai_api_key": "teacher-key"}


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({}, True),
        ({"judge": "off"}, False),
        (REAL, False),
        ({**REAL, "judge": "on"}, True),
        ({**REAL, "judge": "proven"}, True),
        ({"judge_api_key": "k"}, False),
        ({"judge_api_key": "k", "judge": "on"}, True),
    ],
)
def test_auto_asks_only_a_judge_that_is_free(values, asked):
    assert is_asked(Settings.of(**values)) is asked


def test_what_is_said_of_a_judge_that_is_off_names_the_setting():
    for values in ({"judge": "off"}, REAL):
        assert "BIOINSTRUCT_JUDGE" in why_not_asked(Settings.of(**values))


def test_without_settings_of_its_own_the_judge_is_the_teacher():
    settings = Settings.of(**REAL)
    assert judge_settings(settings) == settings
    other = judge_settings(settings.changed(judge_model="gpt-5"))
    assert (other.teacher.model, other.teacher.name) == ("gpt-5", "openai")
    assert other.teacher.api_key.get_secret_value() == "teacher-key"


def test_a_judge_at_an_own_server_gets_its_own_key():
    found = judge_settings(
        Settings.of(
            **REAL,
            openai_base_url="http://teacher:8000/v1",
            judge_base_url="http://judge:8000/v1",
            judge_api_key="judge-key",
            judge_model="qwen3-32b",
        )
    ).teacher
    assert str(found.base_url) == "http://judge:8000/v1"
    assert (found.model, found.api_key.get_secret_value()) == ("qwen3-32b", "judge-key")


def test_the_teacher_s_key_is_not_sent_to_another_server():
    with pytest.raises(JudgeError, match="BIOINSTRUCT_JUDGE_API_KEY is not"):
        judge_settings(Settings.of(**REAL, judge_base_url="http://judge:8000/v1"))


def test_the_rehearsal_server_does_not_answer_under_another_name():
    with pytest.raises(JudgeError, match=r"BIOINSTRUCT_JUDGE_MODEL is 'gpt-5'"):
        judge_settings(Settings.of(judge_model="gpt-5"))


def test_a_judge_beside_the_rehearsal_teacher_is_a_real_one():
    found = judge_settings(Settings.of(judge_api_key="k")).teacher
    assert (found.name, found.model) == ("openai", "gpt-4.1")


def test_the_session_has_the_judge_s_caps(store, settings):
    capped = settings.changed(judge_max_usd=2.5, judge_max_tokens=1_000)
    with open_judge(capped, store, lambda _: None, run_id="r") as session:
        cap = session.terms.purpose_cap
        assert session.endpoint.rehearsal
    assert (cap.max_usd, cap.max_tokens) == (2.5, 1_000)


def test_errors_of_the_judge_s_server_name_the_judge_s_settings(store, serve, refuse):  # noqa: F811
    async def answer(_):
        return refuse(401, "invalid_api_key", retry=False)

    served = serve(answer)
    settings = Settings.of(
        **REAL,
        judge="on",
        judge_base_url=served.url,
        judge_api_key="judge-key",
        reply_format="json_schema",
        data_dir=store.path.parent,
    )
    store.replace({})
    with (
        pytest.raises(JudgeError) as caught,
        open_judge(settings, store, lambda _: None) as session,
    ):
        ask_about(session, grade_question(), [GradedText("s", "r", "a")])
    assert "BIOINSTRUCT_JUDGE_API_KEY" in str(caught.value)
    assert "OPENAI_" not in str(caught.value)
    assert set(served.keys) == {"Bearer judge-key"}
    assert "judge-key" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("BIOINSTRUCT_JUDGE", "maybe", "'auto', 'off', 'on' or 'proven'"),
        ("BIOINSTRUCT_JUDGE_ITEMS", "0", "greater than or equal to 1"),
        ("BIOINSTRUCT_JUDGE_MAX_USD", "-1", "greater than or equal to 0"),
        ("BIOINSTRUCT_JUDGE_BASE_URL", "judge:8000", "no http:// or https://"),
        ("BIOINSTRUCT_JUDGE_BASE_URL", "http://me:pw@judge/v1", "BIOINSTRUCT_JUDGE_API_KEY"),
        ("BIOINSTRUCT_JUDGES", "on", "did you mean BIOINSTRUCT_JUDGE"),
    ],
)
def test_bad_settings_name_their_variable(monkeypatch, name, value, words):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(None)
    assert name in str(caught.value)
    assert words in str(caught.value)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-4.1-2025-04-14", "openai"),
        ("meta-llama/Llama-2-7b-hf", "llama"),
        ("BioMistral/BioMistral-7B", "mistral"),
        ("HuggingFaceTB/SmolLM2-135M", "smollm"),
        ("google/medgemma-27b-text-it", "gemini"),
        ("/models/own-model", None),
    ],
)
def test_a_family_is_told_by_the_beginning_of_the_name(model, family):
    assert family_of(model) == family
