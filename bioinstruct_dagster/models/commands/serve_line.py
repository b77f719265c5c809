"""The line that serves adapters by vLLM beside their base model.

Belongs here: the words of the line. Does not: starting a server. vLLM is not needed for it.
"""

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.adapter_proof import check_trained, stored_expectation
from bioinstruct_dagster.models.adapters import base_in_models
from bioinstruct_dagster.models.base_models import local_fingerprint, local_folder
from bioinstruct_dagster.models.commands.found_adapter import (
    AdapterCommandError,
    FoundAdapter,
    Log,
)

# The values that `--max-lora-rank` takes (vllm/config/lora.py, MaxLoRARanks).
RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)


def serve_line(adapters: Sequence[FoundAdapter], log: Log) -> str:
    """The command `vllm serve` for adapters of one base model, quoted for a shell.

    Args:
        adapters: the files of each are checked, and that it has passed the proof after training on
            this base model. No model is loaded.
        log: receives what the user should know beside the line.

    Raises:
        AdapterCommandError: the adapters have several base models, or a rank that vLLM can't serve.
        AdapterFaultError: an adapter is refused.
    """
    bases = {found.base_model for found in adapters}
    if len(bases) != 1:
        raise AdapterCommandError(
            f"One server has one base model, but these are adapters of {', '.join(sorted(bases))}. "
            "Name experiments of one of them."
        )
    base = adapters[0].base
    fingerprint = local_fingerprint(base, adapters[0].models_dir)
    results = [check_trained(found.folder, fingerprint) for found in adapters]
    ranks = [
        stored_expectation(found.folder, one).rank
        for found, one in zip(adapters, results, strict=True)
    ]
    for found, result in zip(adapters, results, strict=True):
        if result.get("rehearsal"):
            log(f"{found.experiment} is a rehearsal: serve it for a trial only.")
    path = _base_path(adapters[0], results[0])
    words = ["vllm", "serve", path]
    if base.revision and not Path(path).is_dir():
        words += ["--revision", base.revision]
    if base.context:
        words += ["--max-model-len", str(base.context)]
    words += ["--enable-lora", "--max-lora-rank", str(_served_rank(max(ranks)))]
    words += ["--max-loras", str(len(adapters)), "--lora-modules"]
    words += [_module(found.experiment, found.folder.resolve()) for found in adapters]
    prompts = ", ".join(dict.fromkeys(str(one.get("prompt_version")) for one in results))
    log(
        f"The adapters were trained with the prompt {prompts}. Send prompts of that form to "
        "/v1/completions, with the experiment's name as `model`."
    )
    log(
        "Files and stored proof were checked, and no model was loaded. The commands chat and merge "
        "load the model and prove again that an adapter acts."
    )
    return shlex.join(words)


def _base_path(found: FoundAdapter, result: Mapping[str, Any]) -> str:
    """What vLLM loads: the folder of the base model where it now lies, or its hub id."""
    named = str(result["base_path"])
    inside = base_in_models(named) or Path(named).name  # an older adapter names an absolute path
    folders = [found.models_dir / inside]
    if own := local_folder(found.base.source):
        folders.insert(0, own)
    elif not Path(named).is_absolute() and not named.startswith("."):
        return named
    if there := next((folder for folder in folders if folder.is_dir()), None):
        return str(there)
    raise AdapterCommandError(
        f"The base model of {found.experiment} is not at {folders[0]}. Put its folder back, or let "
        "the command chat load the model once."
    )


def _served_rank(rank: int) -> int:
    served = next((one for one in RANKS if one >= rank), None)
    if served is None:
        raise AdapterCommandError(
            f"vLLM serves ranks of at most {RANKS[-1]}, and the adapter has {rank}. Merge the "
            "adapter instead, and serve the merged model."
        )
    return served


def _module(name: str, path: Path) -> str:
    """An adapter as `--lora-modules` reads it: `name=path`, or JSON if the path would break it."""
    if "=" in str(path) or "," in str(path):
        return json.dumps({"name": name, "path": str(path)})
    return f"{name}={path}"
