"""Starts and stops the servers, each in a process of its own with one thread.

Their output is kept in `.servers/logs/`. Belongs here: commands, ports, waiting until a server is
up. Does not: installing them (installing).
"""

import os
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from bioinstruct_dagster_tests.servers.installing import (
    HERE,
    HOME,
    SERVERS,
    gguf_model,
    safetensors_model,
)

_UP_WITHIN = 240.0  # seconds; LiteLLM imports hundreds of modules
_QUIET = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
_OURS = ("BIOINSTRUCT_", "OPENAI_", "DAGSTER_")


@dataclass(frozen=True)
class RunningServer:
    """A server that is up.

    Attributes:
        url: the address of its API, for OPENAI_BASE_URL.
        model: the model's name there.
        key: a key that it takes.
        log: the file of its output.
    """

    url: str
    model: str
    key: str
    log: Path


@contextmanager
def llama_cpp(tokens: int, slots: int = 2, *, name: str = "llama.cpp") -> Iterator[RunningServer]:
    """llama.cpp's server.

    Args:
        tokens: the context of one request: prompt and reply together.
        slots: requests that it processes at once.
        name: of its log.
    """
    python, port = SERVERS.interpreter("xllamacpp"), _free_port()
    script = HERE / "scripts" / "llama_cpp_server.py"
    command = [python, script, gguf_model(), port, tokens, slots]
    with _running(name, command, f"http://127.0.0.1:{port}/health") as log:
        yield RunningServer(f"http://127.0.0.1:{port}/v1", "smollm2", "any", log)


@contextmanager
def transformers_serve() -> Iterator[RunningServer]:
    """`transformers serve` with the model preloaded, so that it refuses other models."""
    python, port = SERVERS.interpreter("transformers"), _free_port()
    model = safetensors_model(python)
    command = [python, "-m", "transformers.cli.transformers", "serve", model]
    command += ["--device", "cpu", "--host", "127.0.0.1", "--port", port]
    with _running("transformers", command, f"http://127.0.0.1:{port}/health") as log:
        yield RunningServer(f"http://127.0.0.1:{port}/v1", str(model), "any", log)


@contextmanager
def litellm_proxy(
    behind: Mapping[str, RunningServer], folder: Path
) -> Iterator[Mapping[str, RunningServer]]:
    """A LiteLLM proxy in front of other servers.

    Args:
        behind: the servers, by the name that the proxy gives their model.
        folder: for its configuration.

    Yields:
        The proxy as a server of each of these models.
    """
    models = [
        {
            "model_name": name,
            "litellm_params": {
                "model": f"openai/{server.model}",
                "api_base": server.url,
                "api_key": server.key,
            },
        }
        for name, server in behind.items()
    ]
    configuration = folder / "litellm.yaml"
    configuration.write_text(yaml.safe_dump({"model_list": models}), "utf-8")
    python, port = SERVERS.interpreter("litellm"), _free_port()
    key = f"sk-servers-{secrets.token_hex(24)}"
    command = [python, "-m", "litellm.proxy.proxy_cli", "--config", configuration]
    command += ["--host", "127.0.0.1", "--port", port, "--telemetry", "False"]
    own = {"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    health = f"http://127.0.0.1:{port}/health/liveliness"
    with _running("litellm", command, health, own) as log:
        url = f"http://127.0.0.1:{port}/v1"
        yield {name: RunningServer(url, name, key, log) for name in behind}


@contextmanager
def _running(
    name: str, command: Sequence[object], health: str, own: Mapping[str, str] = {}
) -> Iterator[Path]:
    """The process of a server, from the time that it is up. Yields the file of its output."""
    log = HOME / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if not k.startswith(_OURS)}
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            env=environment | _QUIET | own,
            cwd=HOME,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait_until_up(process, health, log)
            yield log
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_up(process: "subprocess.Popen[bytes]", health: str, log: Path) -> None:
    until = time.monotonic() + _UP_WITHIN
    # A proxy of the shell is for other machines.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            with opener.open(health, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise AssertionError(f"The server is not up. Its output ends:\n{log.read_text()[-2_000:]}")


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])
