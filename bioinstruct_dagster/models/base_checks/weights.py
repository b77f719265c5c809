"""Checks that a checkpoint holds exactly the weights of its architecture, without reading them.

transformers fills a missing weight with random numbers and trains on. Here it loads the model onto
the meta device, on which weights have shapes but no values, and reports what is missing.
Belongs here: names and shapes of weights. Does not: whether the files are whole
(models.base_checks.weight_files), or what the loaded model computes (models.base_checks.behaviour).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bioinstruct_dagster.models.base_checks.findings import Findings, some

# Buffers that old checkpoints of Llama and GPT-2 hold; transformers computes them itself.
_COMPUTED = ("rotary_emb.inv_freq", ".attn.masked_bias", ".attn.bias", ".attention.masked_bias")
# Names that a checkpoint's weights get when a wrapped model is saved.
_WRAPPERS = ("module.", "_orig_mod.", "base_model.model.", "_fsdp_wrapped_module.", "model.model.")


@contextmanager
def silent_transformers() -> Iterator[None]:
    """Keep transformers from printing a progress bar, load report or advice in the block."""
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity(logging.CRITICAL)
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)


def check_weights(folder: Path, findings: Findings) -> Any:
    """The model on the meta device; None if it can't be built.

    Adds weights that are missing, unexpected or of another shape to the findings.
    """
    from transformers import AutoModelForCausalLM

    try:
        with silent_transformers():
            model, info = AutoModelForCausalLM.from_pretrained(
                folder,
                device_map="meta",
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                use_safetensors=True,
                trust_remote_code=False,
                local_files_only=True,
            )
    except Exception as error:  # noqa: BLE001  # building an architecture raises errors of any type
        findings.fault(
            "transformers can't build the model from its configuration and weights "
            f"({type(error).__name__}: {error}). Copy or download all files of the model again."
        )
        return None
    report(info, len(model.state_dict()), findings)
    return model


def report(info: dict[str, Any], count: int, findings: Findings) -> None:
    """Turn transformers' report of a loaded model into findings.

    Args:
        info: what `from_pretrained(output_loading_info=True)` returns.
        count: the number of weights that the architecture has.
        findings: gets the faults.
    """
    missing = set(info.get("missing_keys", ()))
    unexpected = {name for name in info.get("unexpected_keys", ()) if not name.endswith(_COMPUTED)}
    if missing and unexpected:
        findings.fault(
            f"{len(missing)} of {count} weights are missing, and {len(unexpected)} have other "
            f"names{_renamed(missing, unexpected)}. transformers would train on random numbers in "
            f"their place. Missing: {some(missing)}. Not of this architecture: {some(unexpected)}. "
            f"Rename the weights, or correct config.json."
        )
    elif missing:
        head = all("lm_head" in name or "embed_out" in name for name in missing)
        advice = (
            "Set `tie_word_embeddings` to true in config.json if the model shares its embedding "
            "with its head; else copy all files again."
            if head
            else "Copy or download all files of the model again, or correct config.json."
        )
        findings.fault(
            f"{len(missing)} of {count} weights are missing: {some(missing)}. transformers would "
            f"put random numbers in their place. {advice}"
        )
    elif unexpected:
        findings.fault(
            f"{len(unexpected)} weights are not of this architecture: {some(unexpected)}. The "
            "configuration belongs to another model, or describes only a part of it (such as fewer "
            "layers). Copy config.json and the weights from the same model."
        )
    for name, held, wanted in sorted(info.get("mismatched_keys", ()), key=lambda one: one[0])[:5]:
        findings.fault(
            f"The weight {name} has the shape {tuple(held)}, and config.json asks for "
            f"{tuple(wanted)}. Copy config.json and the weights from the same model."
        )
    for text in info.get("error_msgs", ()) or ():
        findings.fault(f"transformers reports: {text}. Copy the model again.")


def _renamed(missing: set[str], unexpected: set[str]) -> str:
    """What turns the names that are there into those that are wanted, if one prefix does."""
    for prefix in _WRAPPERS:
        if {name.removeprefix(prefix) for name in unexpected} >= missing:
            return f" (they begin with {prefix!r}, as those of a wrapped model do)"
    if len(missing) == len(unexpected):
        return f" ({min(unexpected)!r} seems to stand for {min(missing)!r})"
    return ""
