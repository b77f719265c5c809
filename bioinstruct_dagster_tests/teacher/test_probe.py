"""The probe: every kind of server is asked in its own way, for one small price, within the caps."""

import json
import threading

import pytest
from aiohttp import web

from bioinstruct_dagster.settings import Settings
from bioinstruct_dagster.store.database import StoreBusyError
from bioinstruct_dagster.store.journal import fold
from bioinstruct_dagster.teacher.asking_lock import asking_alone
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.flow.pacing import Pacer
from bioinstruct_dagster.teacher.money.budget import BudgetError
from bioinstruct_dagster.teacher.money.prices import price_of
from bioinstruct_dagster.teacher.probe import with_dialect
from bioinstruct_dagster.teacher.probe_request import MAX_PROBE_TOKENS
from bioinstruct_dagster.teacher.terms import Terms
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.rehearsal_servers import (
    KEY,
    MODEL,
    column,
    cost,
    live,
    spent,
)


@pytest.fixture
def probe(store, tmp_path):
    """Find the dialect of a server; further settings and terms are named."""

    def find(server, terms=None, **changed):
        usual = {"teacher": "openai", "teacher_model": MODEL, "data_dir": tmp_path / "data"}
        settings = Settings.of(**{**usual, **changed})
        endpoint = server if isinstance(server, Endpoint) else server.endpoint
        lines = [] if isinstance(server, Endpoint) else server.lines
        return with_dialect(terms or Terms(), settings, endpoint, store, lines.append)

    return find


def refusing(**messages):
    """A server that refuses requests with these parameters, in these words."""

    async def around(request, handler):
        if request.method == "POST":
            body = await request.json()
            for name, message in messages.items():
                if name in body:
                    error = {"message": message, "type": "invalid_request_error", "param": name}
                    return web.json_response({"error": error}, status=400)
        return await handler(request)

    return around


def answering(status, times=10**9, headers=None, **error):
    """A server that answers so at first."""
    left = [times]

    async def around(request, handler):
        if left[0] <= 0:
            return await handler(request)
        left[0] -= 1
        body = {"error": {"message": "No.", "param": None, "code": None, **error}}
        return web.json_response(body, status=status, headers=headers)

    return around


def probes(server) -> int:
    return server.count("POST", "/chat/completions") + server.count("POST", "/responses")


@pytest.mark.parametrize(
    ("formats", "expected"),
    [
        ({"json_schema", "json_object"}, "json_schema"),
        ({"json_object"}, "json_object"),
        (set(), "text"),
    ],
)
@pytest.mark.parametrize("api", ["chat", "responses"])
def test_the_best_format_that_a_server_has_is_found(probe, store, formats, expected, api):
    with live(formats=frozenset(formats)) as server:
        dialect = probe(server, api=api).dialect
    assert (dialect.reply_format, dialect.api) == (expected, api)
    assert column(store, "teacher_dialects", "reply_format") == [expected]
    assert (server.billed, any(expected in line for line in server.lines)) == (2, True)
    assert column(store, "teacher_dialects", "output_limit") == ["heeded"]


def test_a_probe_is_stored_and_never_repeated(probe, store):
    with live() as server:
        first = probe(server)
        assert probes(server) == 2  # the form, and the output limit
        assert probe(server) == first
        assert probes(server) == 2
    rows = store.rows("select purpose, finish_reason, usd, service from completions")
    assert {(row["purpose"], row["service"]) for row in rows} == {("probe", "online")}
    assert sum(row["usd"] for row in rows) == pytest.approx(cost(server, "online"))
    assert spent(store) == {"settled": pytest.approx(cost(server, "online"))}


def test_each_model_api_and_server_gets_its_own_probe(probe, store):
    with live() as server, live() as other:
        probe(server)
        probe(server, teacher_model="gpt-4o")
        probe(server, api="responses")
        probe(other)
        assert (probes(server), probes(other)) == (6, 2)
    assert len(column(store, "completions", "completion_id")) == 8
    assert set(spent(store)) == {"settled"}


def test_the_embedded_teacher_is_not_probed(probe, store):
    with live() as server:
        assert probe(server, teacher="rehearsal").dialect.reply_format == "json_schema"
        assert probe(server, teacher="rehearsal", reply_format="text").dialect.reply_format == (
            "text"
        )
        assert probes(server) == 0
    assert not store.path.exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("seed", "Unsupported parameter: 'seed' is not supported with this model."),
        ("temperature", "Unsupported value: 'temperature' does not support 0.0 with this model."),
    ],
)
def test_a_parameter_that_is_refused_is_left_out(probe, requests_of, name, message):
    with live(refusing(**{name: message})) as server:
        dialect = probe(server).dialect
    assert dialect.left_out == {name}
    body = dialect.body(requests_of(1)[0])
    assert name not in body
    assert server.billed == 2
    assert any(f"refuses {name}" in line for line in server.lines)


def test_the_older_name_of_the_token_limit_is_found(probe, requests_of):
    message = "Unrecognized request argument supplied: max_completion_tokens"
    with live(refusing(max_completion_tokens=message)) as server:
        dialect = probe(server).dialect
    body = dialect.body(requests_of(1)[0])
    assert body["max_tokens"] > 0
    assert "max_completion_tokens" not in body


def test_a_server_that_takes_only_plain_text_is_found(probe):
    around = refusing(
        seed="seed: extra inputs are not permitted",
        temperature="temperature: extra inputs are not permitted",
        max_completion_tokens="max_completion_tokens: extra inputs are not permitted",
        response_format="response_format: extra inputs are not permitted",
    )
    with live(around) as server:
        dialect = probe(server).dialect
    assert dialect.left_out == {"seed", "temperature"}
    assert (dialect.reply_format, dialect.token_limit_name) == ("text", "max_tokens")
    assert (probes(server), server.billed) == (7, 2)


def test_a_refusal_in_another_form_of_error_is_understood(probe):
    async def around(request, handler):
        if "seed" in await request.json():
            return web.json_response(
                {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs"}]}, status=422
            )
        return await handler(request)

    with live(around) as server:
        assert probe(server).dialect.left_out == {"seed"}


@pytest.mark.parametrize("fault", ["malformed", "wrong_schema"])
def test_a_server_that_ignores_the_format_is_asked_in_the_next(probe, store, fault):
    with live(faults={fault: 1.0}, fault_attempts=1) as server:
        assert probe(server).dialect.reply_format == "text"
        assert server.billed == 4
    [evidence] = column(store, "teacher_dialects", "evidence")
    assert evidence.startswith(f"json_schema: {fault}; json_object: {fault}; text: ")
    assert len(column(store, "completions", "completion_id")) == 4


def test_an_empty_reply_says_nothing_against_a_format(probe, store):
    with live(faults={"empty": 1.0}, fault_attempts=1) as server:
        assert probe(server).dialect.reply_format == "json_schema"
    [evidence] = column(store, "teacher_dialects", "evidence")
    assert evidence.startswith("json_schema: empty; json_schema: parsed; ")
    # Each of the replies was paid for, and each is stored.
    assert len(column(store, "completions", "completion_id")) == server.billed


@pytest.mark.parametrize("fault", ["refusal", "length"])
def test_a_refusal_or_a_cut_says_nothing_against_a_format(probe, fault):
    with live(faults={fault: 1.0}) as server:
        assert probe(server).dialect.reply_format == "json_schema"
        assert server.billed == 2


@pytest.mark.parametrize("form", ["json_schema", "json_object", "text"])
def test_a_set_format_is_used_and_parameters_are_probed(probe, form):
    with live(refusing(seed="No seed here.")) as server:
        dialect = probe(server, reply_format=form).dialect
    assert (dialect.reply_format, dialect.left_out, server.billed) == (form, {"seed"}, 2)


def test_a_format_that_is_set_and_refused_is_an_error(probe, store):
    with live(formats=frozenset()) as server:
        with pytest.raises(TeacherError, match="BIOINSTRUCT_REPLY_FORMAT=text"):
            probe(server, reply_format="json_schema")
        assert server.billed == 0
    assert column(store, "teacher_dialects", "reply_format") == []


def test_a_format_that_was_set_once_is_no_finding(probe):
    with live() as server:
        assert probe(server, reply_format="text").dialect.reply_format == "text"
        assert probe(server, reply_format="text").dialect.reply_format == "text"
        assert probes(server) == 2
        assert probe(server).dialect.reply_format == "json_schema"
        assert probe(server, reply_format="json_object").dialect.reply_format == "json_object"
        assert probes(server) == 4


def test_a_server_without_flex_is_named_at_once(probe):
    with live(refusing(service_tier="service_tier flex is unknown")) as server:
        with pytest.raises(TeacherError, match="BIOINSTRUCT_SERVICE=online"):
            probe(server, Terms(service="flex"), service="flex")
        assert len(server.teacher.calls) == 1


def test_a_refusal_that_fits_every_form_ends_with_its_words(probe, store):
    with live(answering(400, message="I do not like you.")) as server:
        with pytest.raises(TeacherError, match="I do not like you") as refused:
            probe(server)
        # json_schema, json_object, text, and at last the fewest parameters.
        assert len(server.teacher.calls) == 4
    for word in (server.endpoint.base_url, "/chat/completions", "BIOINSTRUCT_API", MODEL):
        assert word in str(refused.value)
    fold(store)
    assert (column(store, "completions", "purpose"), spent(store)) == ([], {})


# Errors and faults.


def test_a_wrong_key_stops_at_once_and_is_not_shown(probe, store):
    with live(key="sk-another") as server:
        with pytest.raises(TeacherError, match="rejects the key") as refused:
            probe(server)
        assert probes(server) == 1
    assert KEY not in str(refused.value)
    fold(store)
    assert spent(store) == {}


@pytest.mark.parametrize(
    ("around", "message"),
    [
        (answering(404), "no model"),
        (answering(429, code="insufficient_quota"), "insufficient_quota"),
        (answering(403), "rejects the key"),
        (answering(429, headers={"retry-after": "7200"}), "HTTP 429"),
    ],
)
def test_what_can_not_pass_stops_at_once_and_costs_nothing(probe, store, around, message):
    with live(around) as server:
        with pytest.raises(TeacherError, match=message):
            probe(server)
        assert len(server.teacher.calls) == 1
    fold(store)
    assert (column(store, "completions", "purpose"), spent(store)) == ([], {})


def test_a_rate_limit_is_waited_out(probe):
    hint = {"retry-after-ms": "5"}
    with live(answering(429, 12, hint, code="rate_limit_exceeded")) as server:
        assert probe(server).dialect.reply_format == "json_schema"
        assert probes(server) == 14
        assert sum("sent again in" in line for line in server.lines) == 1


def test_a_server_error_is_tried_again_in_the_same_format(probe, store):
    with live(answering(503, 2, {"retry-after-ms": "5"})) as server:
        assert probe(server).dialect.reply_format == "json_schema"
    assert set(spent(store)) == {"settled"}


def test_a_probe_with_a_lost_reply_is_presumed_and_sent_again(probe, store, monkeypatch):
    monkeypatch.setattr("bioinstruct_dagster.teacher.flow.retries.FIRST_SECONDS", 0.01)
    with live(faults={"reset": 1.0}, fault_attempts=1) as server:
        probe(server)
        assert server.billed == 3
    [probed] = store.rows("select usd from completions")
    price = price_of(MODEL)
    assert spent(store)["settled"] == pytest.approx(probed["usd"])
    assert spent(store)["presumed"] > price.usd(0, MAX_PROBE_TOKENS)


def test_a_server_that_is_down_is_named_and_counts_for_nothing(probe, store, monkeypatch):
    monkeypatch.setattr("bioinstruct_dagster.teacher.flow.retries.FIRST_SECONDS", 0.01)
    down = Endpoint("http://127.0.0.1:9/v1", KEY, rehearsal=False)
    for _ in range(2):
        with pytest.raises(TeacherError, match="OPENAI_BASE_URL and that the server runs"):
            probe(down, Terms(max_tokens=MAX_PROBE_TOKENS + 5_000))
    assert spent(store) == {}
    assert column(store, "presumed_spend", "tokens") == []


# Money.


def test_a_cap_that_leaves_no_room_for_the_probe_sends_nothing(probe):
    with live() as server:
        for cap in ({"max_usd": 0.001}, {"max_tokens": 100}, {"run_max_tokens": 100}):
            with pytest.raises(BudgetError, match="leaves no room to probe"):
                probe(server, Terms(run_id="r", **cap))
        assert server.teacher.calls == []


def test_a_probe_of_an_unpriced_model_needs_no_dollar_cap(probe):
    with live() as server:
        with pytest.raises(BudgetError, match="no price"):
            probe(server, Terms(max_usd=5.0), teacher_model="unheard-of")
        assert server.teacher.calls == []
        assert probe(server, teacher_model="unheard-of").dialect


def test_the_caps_count_the_probe(probe, store, requests_of):
    with live() as server:
        probe(server)
        used = server.teacher.ledger.prompt_tokens + server.teacher.ledger.completion_tokens
        requests = requests_of(1, teacher="openai", model=MODEL)
        tally = server.ask(requests, store, Terms(max_tokens=used))
        assert "BIOINSTRUCT_MAX_TOKENS is reached" in tally.stopped


def test_with_the_batch_api_the_probe_goes_online_at_its_price(probe, store):
    with live() as server:
        probe(server, Terms(service="batch"), service="batch")
        assert (server.count("POST", "/files"), server.billed) == (0, 2)
    assert spent(store) == {"settled": pytest.approx(cost(server, "online"))}
    assert set(column(store, "completions", "service")) == {"online"}


def test_a_reply_without_usage_counts_at_its_most(probe, store):
    async def around(request, handler):
        response = await handler(request)
        body = json.loads(response.body)
        del body["usage"]
        return web.json_response(body)

    with live(around) as server:
        probe(server)
    assert spent(store)["presumed"] > price_of(MODEL).usd(0, MAX_PROBE_TOKENS)


def test_a_probe_waits_for_a_run_under_the_same_cap(probe, store):
    store.timeout = 0.2
    held, done = threading.Event(), threading.Event()

    def other_run() -> None:
        with asking_alone(store):
            held.set()
            done.wait(60)

    thread = threading.Thread(target=other_run)
    thread.start()
    try:
        held.wait(60)
        with live() as server, pytest.raises(StoreBusyError):
            probe(server)
        assert server.teacher.calls == []
    finally:
        done.set()
        thread.join()


# Limits.


def test_the_limits_that_the_probe_saw_seed_the_pacer(probe, store):
    with live(rpm=3_000, tpm=400_000) as server:
        terms = probe(server)
        assert terms.known_limits == (3_000, 400_000)
        assert probe(server).known_limits == (3_000, 400_000)
    pacer = Pacer(4, known_limits=terms.known_limits)
    assert (pacer.requests.per_minute, pacer.tokens.per_minute) == (3_000, 400_000)


@pytest.mark.parametrize(
    ("stated", "seen"),
    [("9223372036854775807", None), ("1e30", None), ("59.5", 60), ("none", None), ("-3", None)],
)
def test_odd_limits_are_survived(probe, stated, seen):
    async def around(request, handler):
        response = await handler(request)
        response.headers["x-ratelimit-limit-requests"] = stated
        response.headers["x-ratelimit-limit-tokens"] = stated
        return response

    with live(around) as server:
        assert probe(server).known_limits == (seen, seen)


def test_flex_is_asked_for_and_billed_as_the_server_says(probe, store):
    with live() as server:
        probe(server, Terms(service="flex"), service="flex")
    assert set(column(store, "completions", "service_tier")) == {"flex"}
    assert spent(store) == {"settled": pytest.approx(cost(server, "flex"))}
