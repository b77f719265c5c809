"""Base models, each with its fingerprint: the embedded model, a local folder or a hub model.

`check` finds all faults of a model without reading its weights, and `CheckedBaseModel.load` reads
them. Between the two, rows become tokens and the memory of training is estimated. Belongs here:
finding and loading model and tokenizer. Does not: what is checked (models.base_checks), or adapters
(models.adapters).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from bioinstruct_dagster.models.base_checks.behaviour import check_behaviour
from bioinstruct_dagster.models.base_checks.configuration import (
    NO_LIMIT,
    check_configuration,
    context_of,
)
from bioinstruct_dagster.models.base_checks.findings import BaseModelError, Findings
from bioinstruct_dagster.models.base_checks.hub import HubModel, find
from bioinstruct_dagster.models.base_checks.values import check_values, stored_weights
from bioinstruct_dagster.models.base_checks.vocabulary import load_tokenizer, usable_stops
from bioinstruct_dagster.models.base_checks.weight_files import check_weight_files
from bioinstruct_dagster.models.base_checks.weights import (
    check_weights,
    report,
    silent_transformers,
)
from bioinstruct_dagster.models.experiments import BaseModelSpec
from bioinstruct_dagster.models.precision import (
    Quantization,
    dtype_of,
    four_bit_arguments,
    four_bit_fault,
    prepared_for_training,
)
from bioinstruct_dagster.models.prompts import (
    PromptTemplate,
    PromptTemplateError,
    stops_of,
    template_of,
)
from bioinstruct_dagster.models.real_base import ORIGIN_FILE
from bioinstruct_dagster.rehearsal import base_model as rehearsal
from bioinstruct_dagster.settings import PROJECT_ROOT
from bioinstruct_dagster.store.fingerprints import sha256_of, sha256_of_file

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

__all__ = [
    "NO_LIMIT",
    "BaseModelError",
    "CheckedBaseModel",
    "LoadedBaseModel",
    "TokenizingBase",
    "check",
    "load",
    "local_fingerprint",
    "local_folder",
]

# The files that determine a model. The chat template decides the prompt.
_MODEL_FILES = ("*.safetensors", "*.json", "*.jinja", "merges.txt", "tokenizer.model")

Log = Callable[[str], None]


class TokenizingBase(Protocol):
    """What turns rows into tokens. A checked model has it before its weights are loaded."""

    @property
    def tokenizer(self) -> "PreTrainedTokenizerBase": ...  # noqa: D102
    @property
    def prompt(self) -> PromptTemplate: ...  # noqa: D102
    @property
    def context(self) -> int: ...  # noqa: D102


@dataclass(frozen=True)
class LoadedBaseModel:
    """A base model in memory. An adapter's config names `path` as its base model.

    Attributes:
        context: the most tokens of a row; NO_LIMIT if the model has no limit.
    """

    model: Any
    tokenizer: "PreTrainedTokenizerBase"
    path: str
    fingerprint: str
    device: str
    prompt: PromptTemplate
    context: int


@dataclass(frozen=True)
class CheckedBaseModel:
    """A base model without faults, whose weights are not read yet.

    Attributes:
        spec: as the experiment file names it.
        folder: its files, complete.
        path: what an adapter's config names as its base model: the folder, or the hub id.
        config: transformers' config of the model.
        dtype: the name of torch's dtype for the weights, such as `bfloat16`.
        context: the most tokens of a row; NO_LIMIT if the model has no limit.
    """

    spec: BaseModelSpec
    folder: Path
    path: str
    fingerprint: str
    config: Any
    tokenizer: "PreTrainedTokenizerBase"
    prompt: PromptTemplate
    context: int
    device: str
    dtype: str
    quantization: Quantization

    def load(self, log: Log) -> LoadedBaseModel:
        """Read the weights, and run the model on one sentence.

        Raises:
            BaseModelError: weights are missing or not finite, or the model is not causal.
        """
        import torch
        from transformers import AutoModelForCausalLM

        findings = Findings(self.spec.source, self.path)
        quantised = self.quantization == "nf4"
        options = four_bit_arguments(self.dtype) if quantised else {}
        if self.device == "cuda":
            # The weights go straight to the GPU that torch uses, without a copy in main memory.
            options["device_map"] = {"": torch.cuda.current_device()}
        try:
            with silent_transformers():
                model, info = AutoModelForCausalLM.from_pretrained(
                    self.folder,
                    dtype=getattr(torch, self.dtype),
                    use_safetensors=True,
                    trust_remote_code=False,
                    local_files_only=True,
                    output_loading_info=True,
                    **options,
                )
        except (torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as error:
            findings.fault(
                f"transformers can't load it ({type(error).__name__}: {error}). Copy or download "
                "all files of the model again."
            )
            findings.refuse(log)
            raise
        if quantised:
            check_values(stored_weights(self.folder, self.device), findings)
        else:
            report(info, len(model.state_dict()), findings)
            check_values(model.named_parameters(), findings)
        model.eval()
        if not findings.faults:
            check_behaviour(model, self.tokenizer, findings)
        findings.refuse(log)
        if quantised:
            model = prepared_for_training(model)
        return LoadedBaseModel(
            model,
            self.tokenizer,
            self.path,
            self.fingerprint,
            self.device,
            self.prompt,
            self.context,
        )


def load(
    spec: BaseModelSpec, models_dir: Path, log: Log, quantization: Quantization = "none"
) -> LoadedBaseModel:
    """Check a base model and read its weights, onto the GPU if there is one.

    Raises:
        BaseModelError: lists all faults of the model.
    """
    return check(spec, models_dir, log, quantization).load(log)


def check(
    spec: BaseModelSpec, models_dir: Path, log: Log, quantization: Quantization = "none"
) -> CheckedBaseModel:
    """Find all faults of a base model before its weights are read, and mend those that are safe.

    Args:
        spec: the base model, as the experiment file names it.
        models_dir: the folder of models; the embedded model is built in it.
        log: gets a line for each fault that was mended.
        quantization: `nf4` for QLoRA.

    Raises:
        BaseModelError: lists all faults of the model.
    """
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    folder, hub = _folder(spec, models_dir, log)
    findings = Findings(spec.source, str(folder))
    if quantization == "nf4" and (fault := four_bit_fault(device)):
        findings.fault(fault)
    if hub:
        if check_configuration(folder, findings) is None or findings.faults:
            findings.refuse(log)
        folder = hub.with_weights(findings, log)
    tokenizer, prompt, config, context = _check_folder(spec, folder, findings)
    dtype, note = dtype_of(spec.dtype, device)
    if note:
        findings.mend(note)
    findings.refuse(log)
    for line in prompt.notes:
        log(f"base model {spec.source!r}: {line}")
    return CheckedBaseModel(
        spec=spec,
        folder=folder,
        path=spec.source if hub else str(folder),
        fingerprint=local_fingerprint(spec, models_dir)
        or f"{spec.source}@{hub.commit if hub else ''}",
        config=config,
        tokenizer=tokenizer,
        prompt=prompt,
        context=context,
        device=device,
        dtype=dtype,
        quantization=quantization,
    )


def local_fingerprint(spec: BaseModelSpec, models_dir: Path | None = None) -> str | None:
    """The fingerprint that is known without loading the model; None for an unpinned hub model.

    For the embedded model, it covers the code and shape that the model is built from; for a local
    folder, its files. For a hub model, it is the pinned revision.

    Args:
        spec: the base model, as the experiment file names it.
        models_dir: the folder of models, where the folder `local` of the specification may be.
    """
    if spec.rehearsal:
        return rehearsal.fingerprint(_shape(spec))
    folder = _own_folder(spec, models_dir)
    if folder:
        files = sorted({path for pattern in _MODEL_FILES for path in folder.glob(pattern)})
        try:
            if any(path.suffix == ".safetensors" for path in files):
                return sha256_of([[path.name, _sha256_of(path)] for path in files])
        except OSError as error:
            raise BaseModelError(
                f"Base model {spec.source!r}: {error.filename or folder} can't be read "
                f"({error.strerror}). Correct its permissions."
            ) from error
        raise BaseModelError(
            f"{folder} holds no .safetensors weights, and other formats are not loaded. "
            "Convert the weights, or name another folder in the experiment file "
            "(BIOINSTRUCT_EXPERIMENTS)."
        )
    return f"{spec.source}@{spec.revision}" if spec.revision else None


def _sha256_of(path: Path) -> str:
    """The hash of a file; in one process, a file is read once as long as it is the same.

    Each experiment of a study asks for the fingerprint of its base model, whose weights may have
    many gigabytes.
    """
    now = path.stat()
    return _hash_in_state(
        path, (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns, now.st_ctime_ns)
    )


@lru_cache(maxsize=256)
def _hash_in_state(path: Path, _state: tuple[int, ...]) -> str:
    return sha256_of_file(path)


def local_folder(source: str) -> Path | None:
    """The folder that a source names; None if the source is a hub id.

    Raises:
        BaseModelError: the source is a path, but there is no such folder, or it can't be read.
    """
    try:
        folder = (PROJECT_ROOT / Path(source).expanduser()).resolve()
        if folder.is_dir():
            next(folder.iterdir(), None)  # raises if the folder may not be read
            return folder
    except (OSError, ValueError, RuntimeError) as error:
        # A NUL, a user without a home folder, a loop of links, or no permission.
        raise BaseModelError(
            f"Base model {source!r} can't be opened as a folder ({error}). Correct `source` in "
            "the experiment file (BIOINSTRUCT_EXPERIMENTS), or the folder's permissions."
        ) from error
    if source.startswith((".", "/", "~")):
        raise BaseModelError(
            f"Base model: {folder} is not a folder. Correct `source` in the experiment file "
            "(BIOINSTRUCT_EXPERIMENTS)."
        )
    return None


def _own_folder(spec: BaseModelSpec, models_dir: Path | None) -> Path | None:
    """The folder of a model that lies on this machine; None for a hub model."""
    if spec.local and models_dir and (models_dir / spec.local).is_dir():
        return (models_dir / spec.local).resolve()
    return local_folder(spec.source)


def _folder(spec: BaseModelSpec, models_dir: Path, log: Log) -> tuple[Path, HubModel | None]:
    """The folder of a model, and the hub model whose small files it holds if it is one."""
    if spec.rehearsal:
        return rehearsal.build(models_dir, _shape(spec), log), None
    folder = _own_folder(spec, models_dir)
    if folder:
        if spec.local:
            origin = folder / ORIGIN_FILE
            said = f": {origin.read_text('utf-8').strip()}" if origin.is_file() else ""
            log(f"base model {spec.source!r}: the folder {folder} is used{said}")
        return folder, None
    findings = Findings(spec.source, spec.source)
    hub = find(spec.source, spec.revision, findings, log)
    findings.refuse(log)
    if hub is None:
        raise BaseModelError(f"Base model {spec.source!r} can't be had from the hub.")
    return hub.folder, hub


def _check_folder(
    spec: BaseModelSpec, folder: Path, findings: Findings
) -> tuple[Any, Any, Any, int]:
    """Tokenizer, prompt, config and context of a complete model; faults are in the findings."""
    try:
        config = check_configuration(folder, findings)
        whole = check_weight_files(folder, findings)
    except OSError as error:
        findings.fault(f"Its files can't be read ({error}). Correct their permissions.")
        return None, None, None, 0
    model = None
    if config is not None and whole and not findings.faults:
        model = check_weights(folder, findings)
    context = context_of(config, spec.context, findings) if config is not None else 0
    rows = model.get_input_embeddings().weight.shape[0] if model is not None else None
    tokenizer = load_tokenizer(folder, rows, findings)
    prompt = None
    if tokenizer is not None and not findings.faults:
        generation = getattr(model, "generation_config", None)
        try:
            stops = usable_stops(stops_of(generation, config), rows, findings)
            prompt = template_of(spec, tokenizer, stops)
        except PromptTemplateError as error:
            findings.fault(str(error))
    return tokenizer, prompt, config, context


def _shape(spec: BaseModelSpec) -> rehearsal.ModelShape:
    return rehearsal.ModelShape(steps=spec.pretraining_steps)
