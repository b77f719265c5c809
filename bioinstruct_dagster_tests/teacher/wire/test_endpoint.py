"""What identifies a server holds no secret, and each server gets its key in the header it reads."""

import pytest

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.wire.endpoint import Endpoint
from bioinstruct_dagster_tests.teacher.wire.exchanges import KEY

AZURE = "https://x.openai.azure.com/openai"
TOKEN = "eyJ0eXAi.of-entra.signature"  # noqa: S105


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, "https://api.openai.com/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("https://host/v1?key=secret", "https://host/v1"),
    ],
)
def test_the_address_that_is_stored_and_shown_holds_no_secret(url, shown):
    endpoint = Endpoint(url, KEY, rehearsal=False)
    assert endpoint.address == shown
    assert KEY not in f"{endpoint!r} {endpoint}"


def test_an_address_with_a_password_is_refused_without_showing_it():
    with pytest.raises(TeacherError, match="OPENAI_BASE_URL holds a user name") as caught:
        _ = Endpoint("https://user:secret@host/v1", KEY, rehearsal=False).address
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "key", "names"),
    [
        (None, KEY, {"Authorization"}),
        ("http://localhost:8000/v1", KEY, {"Authorization"}),
        (f"{AZURE}/deployments/D?api-version=1", KEY, {"api-key"}),
        (f"{AZURE}/v1", KEY, {"api-key"}),
        (f"{AZURE}/v1", TOKEN, {"Authorization"}),
        ("https://gateway.example/openai?api-version=1", KEY, {"Authorization", "api-key"}),
    ],
)
def test_the_key_stands_in_the_header_that_the_server_reads(url, key, names):
    headers = Endpoint(url, key, rehearsal=False).authentication
    assert set(headers) == names
    assert all(key in value for value in headers.values())
