"""Base models: the embedded one, a local folder, or a model on the hub, each with its fingerprint.

Belongs here: getting model and tokenizer ready to train or score. Does not: adapters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.rehearsal import base_model as rehearsal
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_FILES = ("*.safetensors", "*.json", "merges.txt", "tokenizer.model")  # what makes a model


class BaseModelError(StatedError):
    """The base model can't be had; the message says what was tried."""


@dataclass(frozen=True)
class LoadedBaseModel:
    """A base model in memory. `path` is what an adapter's config names as its base."""

    model: Any
    tokenizer: "PreTrainedTokenizerBase"
    path: str
    fingerprint: str
    device: str


def local_fingerprint(spec: BaseModelSpec) -> str | None:
    """The fingerprint where it can be told without loading; None for a hub model not pinned.

    It covers what the embedded model is built from, or the files of a local folder; of a hub model
    it is the pinned revision.
    """
    if spec.rehearsal:
        return rehearsal.fingerprint(_shape(spec))
    folder = local_folder(spec.source)
    if folder:
        files = sorted({path for pattern in _FILES for path in folder.glob(pattern)})
        if not any(path.suffix == ".safetensors" for path in files):
            raise BaseModelError(
                f"{folder} holds no .safetensors weights; other formats are not loaded."
            )
        return sha256_of([[path.name, sha256_of_file(path)] for path in files])
    return f"{spec.source}@{spec.revision}" if spec.revision else None


def local_folder(source: str) -> Path | None:
    """The folder a source names, or None where it can only be a hub id.

    Raises:
        BaseModelError: the source is written as a path and there is no such folder.
    """
    folder = (PROJECT_ROOT / Path(source).expanduser()).resolve()
    if folder.is_dir():
        return folder
    if source.startswith((".", "/", "~")):
        raise BaseModelError(f"Base model: {folder} is not a folder.")
    return None


def load(spec: BaseModelSpec, models_dir: Path, log: Callable[[str], None]) -> LoadedBaseModel:
    """Load model and tokenizer, in bfloat16 on a GPU if there is one, else in float32 on the CPU.

    Raises:
        BaseModelError: neither a folder nor a model that the hub gives.
    """
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()
    fingerprint = local_fingerprint(spec)
    if spec.rehearsal:
        path = str(rehearsal.build(models_dir, _shape(spec), log))
    else:
        path = str(local_folder(spec.source) or spec.source)
    cuda = torch.cuda.is_available()
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, revision=spec.revision)
        model = AutoModelForCausalLM.from_pretrained(
            path,
            revision=spec.revision,
            dtype=torch.bfloat16 if cuda else torch.float32,
            use_safetensors=True,
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise BaseModelError(
            f"Base model {spec.source!r} ({path}) can't be loaded: neither a whole model in a "
            f"folder here nor one that the hub would give. {type(error).__name__}: {error}"
        ) from error
    if tokenizer.pad_token_id is None:
        # Never seen by the loss: labels are masked over padding.
        tokenizer.pad_token = tokenizer.eos_token
    if fingerprint is None:
        commit = getattr(model.config, "_commit_hash", None)
        fingerprint = f"{spec.source}@{commit or 'unknown'}"
    device = "cuda" if cuda else "cpu"
    return LoadedBaseModel(model.to(device), tokenizer, path, fingerprint, device)


def _shape(spec: BaseModelSpec) -> rehearsal.ModelShape:
    return rehearsal.ModelShape(steps=spec.pretraining_steps)
