"""The Batch API's client: every refusal in the server's words, whatever its form."""

import pytest
from aiohttp import web

from bioinstruct_dagster.teacher.batch_api.connection import batch_client
from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.rehearsal_servers import KEY, live


@pytest.mark.parametrize(
    "answer",
    [
        {"error": {"message": "No batches here.", "code": None}},
        {"error": "No batches here."},
        {"detail": "No batches here."},
        {"detail": [{"msg": "No batches here."}]},
        "<p>No batches here.</p>",
    ],
)
def test_a_refusal_of_any_form_is_told_in_its_words(answer):
    async def around(_request, _handler):
        if isinstance(answer, str):
            return web.Response(status=400, text=answer)
        return web.json_response(answer, status=400)

    with (
        live(around) as server,
        pytest.raises(TeacherError, match="No batches here") as refused,
        batch_client(server.endpoint, "m") as client,
    ):
        client.batches.list()
    assert server.endpoint.address in str(refused.value)
    assert "HTTP 400" in str(refused.value)
    assert "BIOINSTRUCT_SERVICE=online" in str(refused.value)


@pytest.mark.parametrize(
    ("around", "words"),
    [(None, "no server listens at this port"), ("closes", "the connection closed before")],
)
def test_a_connection_that_fails_is_told_in_words(around, words):
    async def close(request, _handler):
        request.transport.abort()
        return web.Response()

    with live(close if around else None) as server:
        endpoint = server.endpoint if around else Endpoint("http://127.0.0.1:9/v1", KEY, False)
        with (
            pytest.raises(TeacherError) as refused,
            batch_client(endpoint, "m") as client,
        ):
            client.with_options(max_retries=0).batches.list()
    assert words in str(refused.value)
    assert "Error" not in str(refused.value)


def test_a_refusal_that_repeats_the_key_does_not_show_it():
    async def around(_request, _handler):
        return web.json_response({"error": {"message": f"Not with {KEY}."}}, status=403)

    with (
        live(around) as server,
        pytest.raises(TeacherError, match=r"Not with \[key\]") as refused,
        batch_client(server.endpoint, "m") as client,
    ):
        client.batches.list()
    assert KEY not in str(refused.value)


def test_a_wrong_key_is_told_as_such():
    with (
        live(key="another-key-0123456789") as server,
        pytest.raises(TeacherError, match="rejects the key") as refused,
        batch_client(server.endpoint, "some-model") as client,
    ):
        client.batches.list()
    for part in (server.endpoint.address, "'batch'", "'some-model'", "HTTP 401: "):
        assert part in str(refused.value)


def test_an_empty_account_is_told_with_the_words_and_without_a_part_of_the_key():
    async def around(_request, _handler):
        said = "Key limit exceeded for sk-abc123****"
        return web.json_response({"error": {"message": said}}, status=403)

    with (
        live(around) as server,
        pytest.raises(TeacherError, match="Add credit") as refused,
        batch_client(server.endpoint, "m") as client,
    ):
        client.batches.list()
    assert "Key limit exceeded for [key]" in str(refused.value)
