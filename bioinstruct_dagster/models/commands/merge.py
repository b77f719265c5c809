"""Merge an adapter into its base model: a model folder that needs no peft.

Belongs here: merging, what it changes, and the merged model's card. Does not: the proof of the
adapter (models.adapter_proof).
"""

from pathlib import Path
from typing import Any

from bioinstruct_dagster.markdown import code
from bioinstruct_dagster.models.adapter_proof.canaries import greatest_difference, logits_of
from bioinstruct_dagster.models.adapters import intact_result
from bioinstruct_dagster.models.card_text import (
    adapter_in_words,
    adapter_tags,
    hub_id,
    licence_fields,
    rehearsal_note,
    shown_source,
)
from bioinstruct_dagster.models.commands.found_adapter import (
    AdapterCommandError,
    FoundAdapter,
    Log,
    OpenedAdapter,
)
from bioinstruct_dagster.new_folders import new_folder

# Above this share of the adapter's own change, the merged model is another model.
_MOST_SHARE = 0.25


def merge(found: FoundAdapter, target: Path, log: Log) -> float:
    """Write the merged model to a new folder, with tokenizer and card.

    Args:
        found: the adapter. It is proven first.
        target: a path where nothing is yet.
        log: receives what the user should know.

    Returns:
        The greatest difference of a logit on the canary prompts between the adapter on its base
        model and the merged model, as it was read back from the folder.

    Raises:
        AdapterCommandError: the folder is there, or merging would damage the model.
        AdapterFaultError: the adapter is refused.
    """
    if target.exists() or target.is_symlink():
        raise AdapterCommandError(
            f"{target} is there already, and nothing is overwritten. Name another folder, or "
            "delete this one first."
        )
    opened = found.open(log)
    dtype = str(opened.base.model.dtype).removeprefix("torch.")
    if dtype != "float32":
        log(
            f"Warning: merging in {dtype} rounds each merged weight to few digits, so that a part "
            "of the adapter is lost. Merge with --dtype float32 for an exact model."
        )
    before = logits_of(opened.model, opened.base)
    try:
        merged = opened.model.merge_and_unload(safe_merge=True)
    except ValueError as error:
        raise AdapterCommandError(
            f"{found.experiment}: merging gives weights that are no numbers ({error}). Nothing was "
            "written. Merge with --dtype float32, or train again with a lower learning rate."
        ) from error
    _refuse_damage(found, opened, greatest_difference(before, logits_of(merged, opened.base)))
    _end_answers(merged, opened)
    with new_folder(target, replace=False) as fresh:
        merged.save_pretrained(fresh, safe_serialization=True)
        opened.base.tokenizer.save_pretrained(fresh)
        difference = greatest_difference(before, _read_back(fresh, opened))
        _refuse_damage(found, opened, difference)
        (fresh / "README.md").write_text(_card(opened, dtype, difference), "utf-8")
    log(
        f"{found.experiment} is merged into {target} in {dtype}. Greatest difference of a logit on "
        f"the canary prompts: {difference:.2g}; the adapter itself changes a logit by up to "
        f"{opened.proof.change:.2g}."
    )
    return difference


def _refuse_damage(found: FoundAdapter, opened: OpenedAdapter, difference: float) -> None:
    if difference <= max(opened.proof.noise, _MOST_SHARE * opened.proof.change):
        return
    raise AdapterCommandError(
        f"{found.experiment}: merging changes a logit by {difference:.2g}, and the adapter itself "
        f"by {opened.proof.change:.2g}, so the merged model would be another one. Nothing was "
        "written. Merge with --dtype float32. If the recipe adapts the output layer and the model "
        "shares its weights with the embedding, serve the adapter without merging."
    )


def _end_answers(merged: Any, opened: OpenedAdapter) -> None:
    """Let the merged model's own generation stop where the trained rows end."""
    stops = list(opened.base.prompt.stop_ids)
    merged.generation_config.eos_token_id = stops if len(stops) > 1 else stops[0]


def _read_back(folder: Path, opened: OpenedAdapter) -> list[Any]:
    """The canary logits of the saved model."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        folder, dtype=opened.base.model.dtype, use_safetensors=True
    )
    return logits_of(model.to(opened.base.device), opened.base)


def _card(opened: OpenedAdapter, dtype: str, difference: float) -> str:
    from huggingface_hub import ModelCardData

    found, result = opened.found, intact_result(opened.found.folder) or {}
    rehearsal = bool(result.get("rehearsal", found.base.rehearsal))
    imported = bool(result.get("dataset_imported"))
    # An adapter of an earlier version does not say which part is rehearsal-made.
    parts = result.get("rehearsal_parts") or ["base model or data set are rehearsal-made"]
    data = ModelCardData(
        base_model=hub_id(found.base.source),
        library_name="transformers",
        model_name=found.experiment,
        pipeline_tag="text-generation",
        tags=["merged", *adapter_tags(imported=imported, rehearsal=rehearsal)],
        **licence_fields(found.base.licence),
    )
    note = rehearsal_note(parts if rehearsal else ())
    facts = {
        "base model": code(shown_source(found.base.source)),
        "fingerprint of the base model": code(opened.proof.base_fingerprint),
        "licence of the base model": code(found.base.licence or "not stated"),
        "adapter (sha256)": code(opened.proof.adapter_sha256),
        "data set": result.get("dataset_origin") or "of unknown origin",
        "data set (fingerprint)": code(str(result.get("dataset_fingerprint", "unknown"))),
        "prompt": code(opened.base.prompt.version),
        "type of the weights": dtype,
        "greatest difference of a logit to the adapter": f"{difference:.2g}",
        "rehearsal": "yes" if rehearsal else "no",
    }
    lines = "".join(f"- {name}: {value}\n" for name, value in facts.items())
    return (
        f"---\n{data.to_yaml()}\n---\n\n# {found.experiment}, merged\n\n{note}"
        f"A base model with {adapter_in_words(imported=imported)}, merged into its weights. "
        f"Not for clinical use. The adapter's own card has the recipe.\n\n{lines}"
    )
