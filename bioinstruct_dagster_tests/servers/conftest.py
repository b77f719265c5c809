"""The servers of these tests: each is installed and started once, for all of its tests.

`make test-servers` selects the marker `servers`. Any other command skips these tests, because they
install other software. Where a server can't be had, its tests skip with the reason.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from benchmarks.environments import PeerInstallError
from bioinstruct_dagster_tests.servers.running import (
    RunningServer,
    litellm_proxy,
    llama_cpp,
    transformers_serve,
)

CONTEXT = 4_096  # tokens of a request; the longest prompt has 2,000
SMALL_CONTEXT = 512  # room for the probe, but for no prompt of generation


@contextmanager
def _or_skip(server: AbstractContextManager) -> Iterator:
    with ExitStack() as stack:
        try:
            started = stack.enter_context(server)
        except PeerInstallError as error:
            pytest.skip(f"The server can't be had here: {error}")
        yield started


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marker
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark the tests of this folder, and skip them unless they are asked for."""
    here = Path(__file__).parent
    asked = "servers" in config.option.markexpr
    for item in items:
        if here in item.path.parents:
            item.add_marker("servers")
            item.add_marker(pytest.mark.timeout(3_600))  # the first use installs
            if not asked:
                item.add_marker(pytest.mark.skip(reason="`make test-servers` runs it"))


@pytest.fixture(scope="session")
def llama_server() -> Iterator[RunningServer]:
    """llama.cpp's server with room for every prompt."""
    with _or_skip(llama_cpp(CONTEXT)) as server:
        yield server


@pytest.fixture(scope="session")
def small_llama_server() -> Iterator[RunningServer]:
    """llama.cpp's server whose context is too small for a prompt of generation."""
    with _or_skip(llama_cpp(SMALL_CONTEXT, name="llama.cpp-small")) as server:
        yield server


@pytest.fixture
def stopped_llama_server() -> RunningServer:
    """llama.cpp's server, after it has stopped."""
    with _or_skip(llama_cpp(SMALL_CONTEXT, name="llama.cpp-stopped")) as server:
        pass
    return server


@pytest.fixture(scope="session")
def transformers_server() -> Iterator[RunningServer]:
    """`transformers serve`."""
    with _or_skip(transformers_serve()) as server:
        yield server


@pytest.fixture(scope="session")
def litellm_servers(
    llama_server: RunningServer,
    small_llama_server: RunningServer,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Mapping[str, RunningServer]]:
    """A LiteLLM proxy in front of both servers of llama.cpp."""
    behind = {"smollm2": llama_server, "smollm2-small": small_llama_server}
    with _or_skip(litellm_proxy(behind, tmp_path_factory.mktemp("litellm"))) as servers:
        yield servers
