"""The search for a form that a server takes: real wordings of refusals, over HTTP."""

import json

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.probing.search import MAX_FORMS
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster_tests.teacher.probing.odd_servers import (
    JSON,
    behind,
    completion,
    has_system,
    probed,
    written,
)
from bioinstruct_dagster_tests.teacher.probing.wordings import (
    FORMATS,
    NAMED,
    SYSTEM,
    extra,
    words,
)
from bioinstruct_dagster_tests.teacher.rehearsal_servers import column


def refusing(name, status, body):
    """A gateway that refuses requests with this parameter."""

    def gateway(request):
        part = request.get(name)
        if part is None:
            return None
        said = body(part) if callable(body) else body
        if isinstance(said, str):
            return web.Response(status=status, text=said)
        return web.json_response(said, status=status)

    return gateway


def refusing_schema(status, body):
    """A gateway that refuses the format json_schema."""

    def gateway(request):
        if request.get("response_format", {}).get("type") != "json_schema":
            return None
        if isinstance(body, str):
            return web.Response(status=status, text=body)
        return web.json_response(body, status=status)

    return gateway


@pytest.mark.parametrize("gateway", NAMED)
def test_a_parameter_is_found_in_the_words_of_a_gateway(serve, store, requests_of, gateway):
    name, status, body = NAMED[gateway]
    served = serve(behind(refusing(name, status, body)))
    dialect = probed(served.url, store).dialect
    assert dialect.left_out == {name}
    assert (dialect.reply_format, dialect.folds_system) == ("json_schema", False)
    assert len(served.bodies) == 3  # refused, answered, and the output limit
    assert name not in dialect.body(requests_of(1)[0])
    [evidence] = column(store, "teacher_dialects", "evidence")
    assert f"refused {name}" in evidence


# The whole message is read, although only its beginning is shown.
def test_a_name_far_behind_in_a_message_is_found(serve, store):
    long = "The upstream provider has refused this request. " * 40
    served = serve(behind(refusing("seed", 400, words(f"{long}Unsupported parameter: 'seed'."))))
    assert probed(served.url, store).dialect.left_out == {"seed"}


def test_all_names_of_one_refusal_are_left_out_at_once(serve, store, requests_of):
    def gateway(body):
        found = [n for n in ("seed", "temperature", "stream", "max_completion_tokens") if n in body]
        return web.json_response({"detail": extra(*found)}, status=422) if found else None

    served = serve(behind(gateway))
    dialect = probed(served.url, store).dialect
    assert dialect.left_out == {"seed", "temperature", "stream"}
    assert "max_tokens" in dialect.body(requests_of(1)[0])
    assert len(served.bodies) == 3


def test_the_echo_of_a_request_is_no_refusal_of_its_parts(serve, store):
    def gateway(body):
        if "seed" not in body:
            return None
        detail = [
            {"type": "extra_forbidden", "loc": ["body", "seed"], "msg": "Extra", "input": body}
        ]
        return web.json_response({"detail": detail}, status=422)

    served = serve(behind(gateway))
    dialect = probed(served.url, store).dialect
    assert (dialect.left_out, dialect.folds_system) == ({"seed"}, False)


@pytest.mark.parametrize("gateway", FORMATS)
def test_a_format_that_is_refused_is_followed_by_a_simpler_one(serve, store, fast, gateway):
    served = serve(behind(refusing_schema(*FORMATS[gateway])))
    dialect = probed(served.url, store).dialect
    assert (dialect.reply_format, dialect.left_out) == ("json_object", set())


@pytest.mark.parametrize(
    ("keyword", "status", "body"),
    [
        # OpenRouterTeam/openrouter-examples#71
        (
            "strict",
            422,
            {"message": "unknown field: parameter 'strict' is not a valid field."},
        ),
        ("strict", 422, {"detail": extra("response_format.json_schema.strict")}),
        # musistudio/claude-code-router#187
        (
            "additionalProperties",
            400,
            words(
                'Invalid JSON payload received. Unknown name "additionalProperties" at '
                "'response_format.json_schema.schema.properties[0].value': Cannot find field."
            ),
        ),
    ],
)
def test_a_keyword_of_the_schema_is_taken_out(serve, store, requests_of, keyword, status, body):
    def gateway(request):
        if f'"{keyword}"' in json.dumps(request.get("response_format", {})):
            return web.json_response(body, status=status)
        return None

    served = serve(behind(gateway))
    dialect = probed(served.url, store).dialect
    assert (dialect.reply_format, dialect.left_out) == ("json_schema", {keyword})
    sent = dialect.body(requests_of(1)[0])["response_format"]
    assert sent["json_schema"]["schema"]["required"] == ["tasks"]
    assert keyword not in json.dumps(sent)


@pytest.mark.parametrize("gateway", SYSTEM)
def test_a_prompt_is_folded_where_system_messages_are_refused(serve, store, requests_of, gateway):
    status, said = SYSTEM[gateway]
    served = serve(
        behind(lambda body: web.json_response(said, status=status) if has_system(body) else None)
    )
    lines = []
    dialect = probed(served.url, store, lines=lines).dialect
    assert dialect.folds_system
    assert (dialect.reply_format, dialect.left_out - {"stream"}) == ("json_schema", set())
    request = requests_of(1)[0]
    [message] = dialect.body(request)["messages"]
    system, user = (m["content"] for m in request.messages)
    assert message == {"role": "user", "content": f"{system}\n\n{user}"}
    assert column(store, "teacher_dialects", "folds_system") == [True]
    assert any("takes no system message" in line for line in lines)
    assert probed(served.url, store).dialect == dialect  # as stored


# Refusals that name nothing.


@pytest.mark.parametrize("refused", ["seed", "temperature", "stream", "max_completion_tokens"])
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "Bad Request"),
        # songquanpeng/one-api#1290
        (422, words(" (request id: 2024)", param="422", code="bad_response_status_code")),
        # HabanaAI/vllm-fork#773: a seed brought the server down
        (500, words("Provider API error: bad response status code 500", param="500")),
    ],
)
def test_what_a_server_refuses_without_words_is_found_by_elimination(
    serve, store, fast, refused, status, said
):
    served = serve(behind(refusing(refused, status, said)))
    dialect = probed(served.url, store).dialect
    limit = "max_tokens" if refused == "max_completion_tokens" else dialect.token_limit_name
    assert (dialect.reply_format, dialect.folds_system) == ("json_schema", False)
    assert dialect.token_limit_name == limit
    expected = set() if refused == "max_completion_tokens" else {refused}
    assert dialect.left_out - {"stream"} == expected - {"stream"}
    forms = {json.dumps(body, sort_keys=True) for body in served.bodies}
    assert len(forms) <= 10 + 1  # and the output limit


def test_a_server_that_takes_only_the_fewest_parameters_is_found(serve, store):
    def gateway(body):
        allowed = {"model", "messages", "max_tokens"}
        return None if set(body) <= allowed else web.Response(status=400, text="Bad Request")

    served = serve(behind(gateway, lambda b: web.Response(status=400) if has_system(b) else None))
    dialect = probed(served.url, store).dialect
    assert (dialect.reply_format, dialect.folds_system) == ("text", True)
    assert dialect.left_out == {"seed", "stream", "temperature"}
    assert len(served.bodies) <= 10 + 1


def test_a_refusal_of_everything_ends_soon_with_the_servers_words(serve, store):
    def gateway(_body):
        return web.json_response(words("The moon is in the wrong house"), status=400)

    served = serve(behind(gateway))
    with pytest.raises(TeacherError, match="wrong house") as refused:
        probed(served.url, store)
    assert len(served.bodies) == 4
    message = str(refused.value)
    for part in (served.url, "/chat/completions", "odd-model", "BIOINSTRUCT_API", "json_schema:"):
        assert part in message


def test_a_server_that_names_another_parameter_each_time_is_left(serve, store):
    numbers = iter(range(1_000))

    def gateway(_body):
        names = ("seed", "temperature", "stream", "response_format", "strict")
        said = f"Unsupported parameter: '{names[next(numbers) % len(names)]}'"
        return web.json_response(words(said), status=400)

    served = serve(behind(gateway))
    with pytest.raises(TeacherError):
        probed(served.url, store)
    assert len(served.bodies) <= MAX_FORMS


# Empty replies.


def test_a_model_that_reasons_past_the_first_limit_gets_more_room(serve, store):
    async def answer(body):
        if "limit-probe" not in body["messages"][-1]["content"]:
            if body["max_completion_tokens"] < 5_000:
                return completion("", body["max_completion_tokens"], "length")
            return completion(JSON, 3_100)
        return written(body)

    served = serve(answer)
    lines = []
    assert probed(served.url, store, lines=lines).dialect.reply_format == "json_schema"
    assert [body["max_completion_tokens"] for body in served.bodies] == [2_000, 8_000]
    [warning] = [line for line in lines if "WARNING" in line]
    assert "3,100" in warning
    assert "BIOINSTRUCT_REASONING_TOKENS" in warning
    # The first reply was cut at its limit, so the limit needs no request of its own.
    assert column(store, "teacher_dialects", "output_limit") == ["heeded"]


def test_a_model_that_only_reasons_is_an_error_and_not_a_format(serve, store):
    async def answer(body):
        return completion("", body["max_completion_tokens"], "length", reasoning_content="Hm.")

    served = serve(answer)
    with pytest.raises(TeacherError, match="BIOINSTRUCT_REASONING_EFFORT") as refused:
        probed(served.url, store, reasoning_tokens=1_000)
    assert "9,000" in str(refused.value)
    assert [body["max_completion_tokens"] for body in served.bodies] == [3_000, 9_000]
    assert column(store, "teacher_dialects", "reply_format") == []


def test_reasoning_in_the_text_that_never_ends_is_no_answer(serve, store):
    async def answer(body):
        limit = body["max_completion_tokens"]
        return completion("<think>Let me see. " + "Hm. " * limit, limit, "length")

    served = serve(answer)
    with pytest.raises(TeacherError, match="BIOINSTRUCT_REASONING_TOKENS"):
        probed(served.url, store)
    assert len(served.bodies) == 2


def test_an_answer_in_the_place_of_reasoning_is_found(serve, store):
    # vllm-project/vllm#48863
    async def answer(body):
        if "limit-probe" in body["messages"][-1]["content"]:
            return written(body)
        return completion(None, 30, reasoning_content=JSON)

    assert probed(serve(answer).url, store).dialect.reply_format == "json_schema"


def test_blanks_without_end_speak_against_the_format(serve, store):
    # vllm-project/vllm#13260
    async def answer(body):
        if body.get("response_format", {}).get("type") == "json_schema":
            return completion(" \n" * 3_000, body["max_completion_tokens"], "length")
        return written(body)

    served = serve(answer)
    assert probed(served.url, store).dialect.reply_format == "json_object"
    assert len(served.bodies) == 2  # a reply at its limit shows that the limit is heeded


def test_openais_error_at_the_limit_gives_the_model_more_room(serve, store):
    said = (
        "Could not finish the message because max_tokens or model output limit was reached. "
        "Please try again with higher max_tokens."
    )

    def gateway(body):
        if body["max_completion_tokens"] < 5_000:
            return web.json_response(words(said), status=400)
        return None

    served = serve(behind(gateway))
    assert probed(served.url, store).dialect.reply_format == "json_schema"
    assert [body["max_completion_tokens"] for body in served.bodies] == [2_000, 8_000]


def test_a_server_that_writes_no_text_at_all_is_an_error(serve, store):
    async def answer(_body):
        return completion("", 0)

    served = serve(answer)
    with pytest.raises(TeacherError, match="no reply to a probe holds any text") as refused:
        probed(served.url, store)
    assert "OPENAI_BASE_URL" in str(refused.value)
    assert len(served.bodies) == 6  # each format twice
    assert column(store, "teacher_dialects", "reply_format") == []


def test_a_body_that_breaks_off_is_asked_for_again(serve, store):
    numbers = iter(range(9))

    async def answer(body):
        if next(numbers) == 0:
            return web.Response(body=b'{"choices": [{"message": {"con')
        return written(body)

    served = serve(answer)
    assert probed(served.url, store, Terms(max_tokens=50_000)).dialect.reply_format == "json_schema"
    assert [body.get("max_completion_tokens") for body in served.bodies] == [2_000, 2_000, 16]
    assert len(column(store, "completions", "completion_id")) == 3


def test_a_page_in_place_of_a_completion_is_shown(serve, store):
    async def answer(_body):
        return web.Response(text="<html><title>Sign in</title></html>", content_type="text/html")

    served = serve(answer)
    with pytest.raises(TeacherError, match="Sign in") as refused:
        probed(served.url, store)
    assert "OPENAI_BASE_URL" in str(refused.value)


def test_a_format_that_brings_text_is_kept_although_another_was_empty(serve, store):
    async def answer(body):
        return completion("", 0) if "response_format" in body else written(body)

    assert probed(serve(answer).url, store).dialect.reply_format == "text"


# Limits that are too large, and other parts.


@pytest.mark.parametrize(
    "said",
    [
        # ChatGPTNextWeb/NextChat#3195
        (
            "This model's maximum context length is 2048 tokens. However, you requested 2080 "
            "tokens (80 in the messages, 2000 in the completion)."
        ),
        "The input is too long for this model.",
    ],
)
def test_a_model_with_too_little_room_is_named_before_anything_is_paid(serve, store, said):
    served = serve(behind(lambda _body: web.json_response(words(said), status=400)))
    with pytest.raises(TeacherError, match="longer context") as refused:
        probed(served.url, store)
    for part in (said[:40], "3,000 output tokens", "BIOINSTRUCT_TASKS_PER_REQUEST"):
        assert part in str(refused.value)
    assert len(served.bodies) == 1


def test_a_reasoning_effort_that_is_refused_is_left_out_with_a_warning(serve, store, requests_of):
    # Kilo-Org/cloud#3807
    said = (
        "Unsupported value: 'reasoning_effort' does not support 'none' with this model. Supported "
        "values are: 'minimal', 'low', 'medium', and 'high'."
    )
    served = serve(behind(refusing("reasoning_effort", 400, words(said))))
    lines = []
    dialect = probed(served.url, store, lines=lines, reasoning_effort="none").dialect
    assert served.bodies[0]["reasoning_effort"] == "none"
    assert dialect.left_out == {"reasoning_effort"}
    [warning] = [line for line in lines if "BIOINSTRUCT_REASONING_EFFORT" in line]
    assert "Supported values are: 'minimal', 'low', 'medium', and 'high'." in warning
    # Another effort is another question.
    probed(served.url, store, reasoning_effort="low")
    assert served.bodies[-1].get("reasoning_effort") != "none"
    assert column(store, "teacher_dialects", "reasoning_effort") == ["low", "none"]
