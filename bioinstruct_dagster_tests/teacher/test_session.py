"""Opening a teacher: endpoint, terms and dialect in one call, over real servers."""

import pytest

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.rounds import ask
from bioinstruct_dagster.teacher.session import open_endpoint, open_session
from bioinstruct_dagster_tests.teacher.rehearsal_servers import KEY, MODEL, column, live
from bioinstruct_dagster_tests.teacher.sessions import session_of


def test_a_session_holds_what_the_settings_name(store, settings):
    lines = []
    named = settings.changed(concurrency=3, max_tokens=900, run_max_usd=2.0)
    with open_session(named, store, lines.append, run_id="one", run_max_usd=1.5) as session:
        assert (session.teacher, session.model) == ("rehearsal", "rehearsal-teacher")
        assert (session.store, session.endpoint.rehearsal) == (store, True)
        terms = session.terms
        assert (terms.concurrency, terms.max_tokens, terms.run_max_usd) == (3, 900, 1.5)
        assert (terms.run_id, session.reply_format) == ("one", "json_schema")
        session.log("a line")
    assert lines == ["a line"]


def test_a_server_is_probed_when_it_is_opened_first(store):
    with live(formats=frozenset({"json_object"})) as server:
        settings = Settings.of(
            teacher="openai",
            teacher_model=MODEL,
            openai_api_key=KEY,
            openai_base_url=server.endpoint.base_url,
        )
        for _ in range(2):
            with open_session(settings, store, lambda _: None) as session:
                assert session.reply_format == "json_object"
    assert column(store, "teacher_dialects", "reply_format") == ["json_object"]
    assert set(column(store, "completions", "purpose")) == {"probe"}


def test_an_endpoint_alone_is_not_probed(store):
    with live() as server:
        settings = Settings.of(
            teacher="openai",
            openai_api_key=KEY,
            openai_base_url=server.endpoint.base_url,
        )
        with open_endpoint(settings) as endpoint:
            assert endpoint.base_url == server.endpoint.base_url
        assert server.teacher.calls == []
    assert not store.path.exists()


def test_the_rehearsal_teacher_is_up_while_it_is_open(requests_of, store):
    with open_endpoint(Settings.of()) as endpoint:
        assert endpoint.rehearsal
        assert ask(session_of(endpoint, store), requests_of(1)).asked == 1


@pytest.mark.parametrize("key", [None, ""])
def test_without_a_key_nothing_begins_and_the_variable_is_named(key):
    settings = Settings.of(teacher="openai", openai_api_key=key)
    with pytest.raises(TeacherError, match="OPENAI_API_KEY is not set"), open_endpoint(settings):
        pytest.fail("the teacher was opened without a key")


@pytest.mark.parametrize("url", [None, "http://localhost:8000/v1"])
def test_a_compatible_server_is_used_where_one_is_set(url):
    settings = Settings.of(teacher="openai", openai_api_key=KEY, openai_base_url=url)
    with open_endpoint(settings) as endpoint:
        assert (endpoint.base_url, endpoint.api_key) == (url, KEY)
        assert not endpoint.rehearsal
        assert KEY not in f"{endpoint!r} {endpoint}"
