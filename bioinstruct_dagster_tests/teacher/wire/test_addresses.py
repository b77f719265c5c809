"""Addresses: which are taken, in which form, and which are refused in words."""

import pytest

from bioinstruct_dagster.teacher.errors import TeacherError
from bioinstruct_dagster.teacher.wire.addresses import read_address, redirect_advice

PASSWORD = "hunter2-hunter2"  # noqa: S105


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (None, "https://api.openai.com/v1/chat/completions"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1/chat/completions"),
        (" http://localhost:8000/v1 ", "http://localhost:8000/v1/chat/completions"),
        ("http://HOST/V1", "http://host/V1/chat/completions"),
        ("http://host", "http://host/chat/completions"),
        ("http://host?", "http://host/chat/completions"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1/chat/completions"),
        ("http://host/v1/chat/completions", "http://host/v1/chat/completions"),
        ("http://host/v1/responses/", "http://host/v1/chat/completions"),
        ("http://host/v1/completions", "http://host/v1/chat/completions"),
        ("https://x.openai.azure.com/openai/deployments/D?api-version=2024-10-21",
         "https://x.openai.azure.com/openai/deployments/D/chat/completions?api-version=2024-10-21"),
        ("https://x.openai.azure.com/openai/deployments/D/chat/completions?api-version=1&a=%2F",
         "https://x.openai.azure.com/openai/deployments/D/chat/completions?api-version=1&a=%2F"),
    ],
)  # fmt: skip
def test_paths_are_put_before_the_query(address, url):
    assert read_address(address).url("/chat/completions") == url


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("localhost:8000/v1", "has no http:// or https://"),
        (PASSWORD, "has no http:// or https://"),
        ("", "api.openai.com"),
        ("ftp://host/v1", "begins with neither http:// nor https://"),
        ("http://", "names no host"),
        ("http:///v1", "names no host"),
        ("http://ho st/v1", "blank or a control character"),
        ("http://host/v1\x7f", "blank or a control character"),
        ("http://host:99999/v1", "port"),
        ("http://host:0/v1", "port"),
        ("http://host:x/v1", "port"),
        ("http://[::1/v1", "is no address"),
        (f"http://user:{PASSWORD}@host/v1", "user name or password"),
        (f"http://{PASSWORD}@host/v1", "user name or password"),
        (f"http://user:{PASSWORD}@host:x/v1", "port"),
    ],
)
def test_an_address_that_does_not_work_is_refused_in_words(address, said):
    if not address:
        assert said in read_address(address).base
        return
    with pytest.raises(TeacherError, match=said) as caught:
        read_address(address)
    assert str(caught.value).startswith("OPENAI_BASE_URL")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True), ("teacher.localhost", True), ("127.0.0.1", True),
        ("127.8.8.8", True), ("[::1]", True), ("0.0.0.0", True),  # noqa: S104
        ("[::ffff:127.0.0.1]", True),
        ("10.0.0.1", False), ("localhost.example", False), ("host", False), ("[fe80::1]", False),
    ],
)  # fmt: skip
def test_local_addresses_are_told_from_others(host, local):
    assert read_address(f"http://{host}:8000/v1").is_local is local


def test_a_redirect_to_the_same_path_elsewhere_names_the_base_to_set():
    said = redirect_advice(
        "http://host/v1/chat/completions", "https://host/v1/chat/completions?key=x"
    )
    assert (
        "redirects to https://host/v1/chat/completions. Set OPENAI_BASE_URL to https://host/v1."
        in said
    )
