"""The messages of a refused probe: URL, API, model, the server's words, and what to set."""

import pytest
from aiohttp import web

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.probe import with_dialect
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.probing.odd_servers import behind, probed
from bioinstruct_dagster_tests.teacher.probing.wordings import words
from bioinstruct_dagster_tests.teacher.rehearsal_servers import KEY, column


def refusal_of(url, store, **changed):
    """The message of the probe of this address."""
    with pytest.raises(TeacherError) as refused:
        probed(url, store, **changed)
    return str(refused.value)


def test_a_missing_v1_is_named_and_never_used_silently(serve, store):
    served = serve(behind())
    message = refusal_of(served.url.removesuffix("/v1"), store)
    assert f"set OPENAI_BASE_URL={served.url}." in message
    assert f"{served.url.removesuffix('/v1')}/chat/completions" in message
    assert column(store, "teacher_dialects", "endpoint") == []
    # The request at the right address was paid for, so it is stored.
    assert column(store, "completions", "endpoint") == [served.url]


def test_a_missing_v1_is_asked_for_in_words_if_nothing_answers(serve, store):
    served = serve(web.Application())
    message = refusal_of(served.url.removesuffix("/v1"), store)
    for part in ("404", "OPENAI_BASE_URL", "/v1", "BIOINSTRUCT_TEACHER_MODEL", "BIOINSTRUCT_API"):
        assert part in message
    assert "The API answers" not in message


def test_a_server_without_the_responses_api_is_named(serve, store):
    served = serve(behind())
    message = refusal_of(served.url, store, api="responses")
    assert "set BIOINSTRUCT_API=chat" in message
    assert f"{served.url}/responses" in message


def test_an_unknown_model_is_named_without_a_look_elsewhere(serve, store):
    said = "model 'odd-model' not found, try pulling it first"

    async def answer(_body):
        return web.json_response(words(said, code="model_not_found"), status=404)

    served = serve(answer)
    message = refusal_of(served.url, store)
    assert len(served.bodies) == 1
    for part in ("no model 'odd-model'", said, served.url, "BIOINSTRUCT_TEACHER_MODEL"):
        assert part in message


def test_a_redirect_is_shown_with_its_target(serve, store):
    async def answer(_body):
        return web.Response(status=307, headers={"location": "https://login.example/sso?next=x"})

    message = refusal_of(serve(answer).url, store)
    assert "https://login.example" in message
    assert "OPENAI_BASE_URL" in message


@pytest.mark.parametrize("status", [401, 403])
def test_the_words_about_a_key_are_shown_without_it(serve, store, status):
    async def answer(_body):
        said = f"Incorrect API key provided: {KEY[:6]}********6789. See the dashboard."
        return web.json_response(words(said, code="invalid_api_key"), status=status)

    settings = Settings.of(teacher="openai", teacher_model="odd-model")
    endpoint = Endpoint(serve(answer).url, KEY, rehearsal=False)
    with pytest.raises(TeacherError, match="rejects the key") as refused:
        with_dialect(Terms(), settings, endpoint, store, lambda _: None)
    message = str(refused.value)
    assert "See the dashboard" in message
    assert "OPENAI_API_KEY" in message
    assert KEY[:6] not in message
    assert "6789" not in message


def test_a_sentence_about_what_a_model_supports_is_about_the_parameter(serve, store):
    def gateway(body):
        if body.get("response_format", {}).get("type") == "json_schema":
            said = "For this model, output by json_schema is not available."
            return web.json_response(words(said), status=400)
        return None

    assert probed(serve(behind(gateway)).url, store).dialect.reply_format == "json_object"


def test_a_403_that_names_a_parameter_is_about_the_parameter(serve, store):
    def gateway(body):
        if "seed" in body:
            return web.json_response(words("Parameter 'seed' is forbidden."), status=403)
        return None

    assert probed(serve(behind(gateway)).url, store).dialect.left_out == {"seed"}


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        # Gemini's API states a wrong key with 400
        ("API key not valid. Please pass a valid API key.", "rejects the key"),
        # Anthropic's API states an empty account with 400
        ("Your credit balance is too low to access the API.", "Add credit"),
        ("The model `odd-model` does not exist", "no model 'odd-model'"),
    ],
)
def test_what_no_form_can_change_is_seen_in_the_words(serve, store, said, expected):
    async def answer(_body):
        return web.json_response(words(said), status=400)

    served = serve(answer)
    message = refusal_of(served.url, store)
    assert expected in message
    assert said in message
    assert len(served.bodies) == 1


def test_a_rate_limit_in_the_words_of_a_400_is_waited_out(serve, store):
    refusals = iter(["ThrottlingException: Too many tokens, please wait before trying again."] * 2)

    def gateway(_body):
        said = next(refusals, None)
        headers = {"retry-after-ms": "5"}
        return said and web.json_response(words(said), status=400, headers=headers)

    assert probed(serve(behind(gateway)).url, store).dialect.reply_format == "json_schema"


def test_words_about_no_part_of_the_request_name_the_key_too(serve, store):
    # BerriAI/litellm: what a proxy without a database answers to a wrong key
    async def answer(_body):
        said = words("No connected db.", type="no_db_connection", param=None, code="400")
        return web.json_response(said, status=400)

    message = refusal_of(serve(answer).url, store)
    for part in ("No connected db.", "OPENAI_API_KEY", "OPENAI_BASE_URL", "odd-model"):
        assert part in message
    assert "BIOINSTRUCT_REPLY_FORMAT" not in message  # because plain text was refused too


@pytest.mark.parametrize(
    "said",
    [
        "Bad request with temperature, seed and max_completion_tokens: account 'x' suspended",
        "Your account has been deactivated, so response_format is refused.",
        "This organization has been disabled.",
        "API key expired. Please renew the API key.",
        "seed: the request of a suspended account",
        "您的账户已被冻结",
    ],
)
def test_a_closed_account_is_told_at_once(serve, store, said):
    served = serve(behind(lambda _body: web.json_response(words(said), status=400)))
    message = refusal_of(served.url, store)
    assert said.rstrip(".") in message
    assert "OPENAI_API_KEY" in message
    assert "BIOINSTRUCT_REPLY_FORMAT" not in message
    assert len(served.bodies) == 1


def test_what_an_account_may_not_use_is_left_out(serve, store):
    def gateway(body):
        said = words("'seed' is disabled for your organization.")
        return web.json_response(said, status=400) if "seed" in body else None

    assert probed(serve(behind(gateway)).url, store).dialect.left_out == {"seed"}


def test_a_spent_quota_ends_the_probe(serve, store):
    async def answer(_body):
        return web.json_response(words("Pay.", code="insufficient_quota"), status=429)

    served = serve(answer)
    message = refusal_of(served.url, store)
    assert "insufficient_quota" in message
    assert "Add credit" in message
    assert len(served.bodies) == 1
