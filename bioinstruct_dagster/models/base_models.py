"""Base models, each with its fingerprint: the embedded model, a local folder or a hub model.

Belongs here: loading model and tokenizer. Does not: adapters (models.adapters).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bioinstruct_dagster.errors import StatedError
from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.prompts import PromptTemplate, stops_of, template_of
from bioinstruct_dagster.rehearsal import base_model as rehearsal
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# The files that determine a model.
_MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "merges.txt", "tokenizer.model")
NO_LIMIT = 1_000_000  # tokens of the context if the model states none


class BaseModelError(StatedError):
    """The base model can't be found or loaded."""


class TokenizingBase(Protocol):
    """What turns rows into tokens: a loaded base model, or a checked one without its weights."""

    @property
    def tokenizer(self) -> "PreTrainedTokenizerBase": ...  # noqa: D102
    @property
    def prompt(self) -> PromptTemplate: ...  # noqa: D102
    @property
    def context(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class LoadedBaseModel:
    """A base model in memory. An adapter's config names `path` as its base model."""

    model: Any
    tokenizer: "PreTrainedTokenizerBase"
    path: str
    fingerprint: str
    device: str
    prompt: PromptTemplate
    context: int  # tokens


def local_fingerprint(spec: BaseModelSpec) -> str | None:
    """The fingerprint that is known without loading the model; None for an unpinned hub model.

    For the embedded model, it covers the code and shape that the model is built from; for a local
    folder, its files. For a hub model, it is the pinned revision.
    """
    if spec.rehearsal:
        return rehearsal.fingerprint(_shape(spec))
    folder = local_folder(spec.source)
    if folder:
        files = sorted({path for pattern in _MODEL_FILES for path in folder.glob(pattern)})
        if not any(path.suffix == ".safetensors" for path in files):
            raise BaseModelError(
                f"{folder} holds no .safetensors weights, and other formats are not loaded. "
                "Convert the weights, or name another folder in data/experiments.yaml."
            )
        return sha256_of([[path.name, sha256_of_file(path)] for path in files])
    return f"{spec.source}@{spec.revision}" if spec.revision else None


def local_folder(source: str) -> Path | None:
    """The folder that a source names; None if the source is a hub id.

    Raises:
        BaseModelError: the source is a path, but there is no such folder.
    """
    folder = (PROJECT_ROOT / Path(source).expanduser()).resolve()
    if folder.is_dir():
        return folder
    if source.startswith((".", "/", "~")):
        raise BaseModelError(
            f"Base model: {folder} is not a folder. Correct `source` in data/experiments.yaml."
        )
    return None


def load(spec: BaseModelSpec, models_dir: Path, log: Callable[[str], None]) -> LoadedBaseModel:
    """Load model and tokenizer, in bfloat16 on a GPU if there is one, else in float32 on the CPU.

    Raises:
        BaseModelError: the source is neither a model folder nor an accessible hub model.
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
            f"Base model {spec.source!r} ({path}) can't be loaded: it is neither a complete model "
            "in a local folder nor a hub model that can be downloaded. Correct `source` in "
            f"data/experiments.yaml. {type(error).__name__}: {error}"
        ) from error
    if tokenizer.pad_token_id is None:
        # The loss ignores padding, so any token can serve.
        tokenizer.pad_token = tokenizer.eos_token
    if fingerprint is None:
        commit = getattr(model.config, "_commit_hash", None)
        fingerprint = f"{spec.source}@{commit or 'unknown'}"
    device = "cuda" if cuda else "cpu"
    stops = stops_of(model.generation_config, model.config)
    prompt = template_of(spec, tokenizer, stops)
    for note in prompt.notes:
        log(note)
    stated = getattr(model.config, "max_position_embeddings", None)
    context = spec.context or (stated if isinstance(stated, int) else NO_LIMIT)
    return LoadedBaseModel(model.to(device), tokenizer, path, fingerprint, device, prompt, context)


def _shape(spec: BaseModelSpec) -> rehearsal.ModelShape:
    return rehearsal.ModelShape(steps=spec.pretraining_steps)
