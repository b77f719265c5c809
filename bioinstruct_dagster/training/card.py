"""The card of an adapter: the text of the `README.md` beside its weights.

Belongs here: the card's text and its YAML header. Does not: the card of the data set
(dataset.card), or the card of a merged model (models.commands).
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bioinstruct_dagster.dataset.card.licence import software_entry
from bioinstruct_dagster.dataset.card.parts import facts_list, section
from bioinstruct_dagster.markdown import code, one_line
from bioinstruct_dagster.models.adapters import CONFIG_FILE, base_in_models
from bioinstruct_dagster.models.card_text import (
    adapter_in_words,
    adapter_tags,
    hub_id,
    licence_fields,
    rehearsal_note,
    shown_source,
)
from bioinstruct_dagster.models.score_place import score_place
from bioinstruct_dagster.training.memory.estimate import size
from bioinstruct_dagster.training.spec import TrainingSpec

_PACKING = {
    True: "several rows in one pass, none of which attends to another",
    False: "none: one row in a pass",
}
# What a value of the recipe that is not set means (models.experiments.recipe).
_NOT_SET = {
    "rows": "all rows of the train split",
    "lora_plus_ratio": "none: A and B have the same learning rate",
    "patience": "none: training never ends early",
}


def render_card(spec: TrainingSpec, result: Mapping[str, Any]) -> str:
    """The card as Markdown: what was trained, on what, how, what proves it, and how to load it.

    Args:
        spec: what determined the adapter.
        result: the values of the result file. Those that it does not hold are left out.
    """
    sections = [
        _header(spec),
        f"# {spec.experiment}\n\n",
        rehearsal_note(spec.rehearsal_parts),
        f"This is {adapter_in_words(imported=spec.dataset_imported)}. Not for clinical use.\n\n",
        _loading(spec, result),
        score_place(),
        section("Origin and licences", facts_list(_origin(spec, result))),
        section("Training", facts_list(_result(result))),
        section("Proof that it acts", facts_list(_proof(result.get("proof") or {}))),
        section("Recipe", facts_list(_recipe(spec, result))),
        section("Hardware and speed", facts_list(_run(result))),
        section("Libraries", facts_list((result.get("run_facts") or {}).get("libraries") or {})),
        _citation(result),
    ]
    return "".join(sections).rstrip() + "\n"


def _header(spec: TrainingSpec) -> str:
    """The YAML header, written by the hub's own library, so that no name can break it."""
    from huggingface_hub import ModelCardData

    data = ModelCardData(
        base_model=hub_id(spec.base.source),
        library_name="peft",
        model_name=spec.experiment,
        pipeline_tag="text-generation",
        tags=["lora", *adapter_tags(imported=spec.dataset_imported, rehearsal=spec.rehearsal)],
        **licence_fields(spec.base.licence),
    )
    return f"---\n{data.to_yaml()}\n---\n\n"


def _origin(spec: TrainingSpec, result: Mapping[str, Any]) -> dict[str, Any]:
    revision = f", revision {code(spec.base.revision)}" if spec.base.revision else ""
    unknown = "not stated in the experiment file; read it before you publish the adapter"
    facts = result.get("run_facts") or {}
    return {
        "base model": f"{code(shown_source(spec.base.source))}{revision}",
        "fingerprint of the base model": _code(result.get("base_fingerprint")),
        "licence of the base model": (spec.base.licence and code(spec.base.licence)) or unknown,
        "data set": spec.dataset_origin or None,
        "data set (fingerprint)": code(spec.dataset_fingerprint),
        "rows trained on (sha256 of their ids and texts)": _code(facts.get("rows_sha256")),
        "licence of the data": _licence_of_data(Path(spec.dataset_path)),
        "rehearsal": f"yes: {' and '.join(spec.rehearsal_parts)}" if spec.rehearsal else "no",
        "trained at": _code(result.get("trained_at")),
        "version of bioinstruct-dagster": facts.get("project_version"),
    }


def _licence_of_data(folder: Path) -> str:
    """The licence that the data set's card names, or what to read instead."""
    import yaml
    from huggingface_hub import DatasetCard

    try:
        named = DatasetCard.load(folder / "README.md").data.to_dict().get("license")
    # A remote computer may hold the rows without the card, and a person may have spoilt its header.
    # The adapter is trained by now, so no card may stop it.
    except (OSError, ValueError, yaml.YAMLError):
        named = None
    return (
        code(str(named))
        if named
        else "not chosen yet: see the section Licence of the data set's card"
    )


def _result(result: Mapping[str, Any]) -> dict[str, Any]:
    validations = result.get("validation_losses") or []
    facts = result.get("run_facts") or {}
    losses = [one["loss"] if isinstance(one, Mapping) else one[1] for one in validations]
    return {
        "adapter (sha256)": _code(result.get("adapter_sha256")),
        "rows trained on": _count(result.get("train_rows")),
        "rows left out, because they are too long": _count(result.get("rows_left_out")),
        "rows whose input was shortened": _count(result.get("rows_shortened")),
        "tokens over all epochs": _count(result.get("train_tokens")),
        "updates": _count(result.get("steps")),
        "update whose weights were kept": _count(result.get("kept_update")),
        "unit of all losses": "nats per response token",
        "first training loss": _number(result.get("first_loss")),
        "last training loss": _number(result.get("last_loss")),
        "validation loss, lowest": _number(min(losses, default=None)),
        "rows validated on": _count(facts.get("validation_rows")),
        "validation losses": ", ".join(f"{loss:.4f}" for loss in losses) or None,
    }


def _proof(proof: Mapping[str, Any]) -> dict[str, Any]:
    if not proof:
        return {}
    return {
        "layers adapted": len(proof["modules"]),
        "scaling": _number(proof["scaling"]),
        "least norm of a matrix B": _number(proof["least_b_norm"]),
        f"greatest change of a logit on {len(proof['changes'])} canary prompts": _number(
            proof["change"]
        ),
        "change that rounding alone can make": f"{proof['noise']:.1e}",
    }


def _recipe(spec: TrainingSpec, result: Mapping[str, Any]) -> dict[str, Any]:
    facts = result.get("run_facts") or {}
    values = {
        (f"{name} (the recipe's)" if name == "seed" else name): _with_origin(
            _NOT_SET.get(name, "none") if value is None else _value(value), spec.origins.get(name)
        )
        for name, value in spec.recipe.model_dump().items()
    }
    source = one_line(spec.hyperparameters) or "values of the experiment file, without a named set"
    packed = facts.get("packed")
    return {
        "source of the hyper-parameters": source,
        "seed of the run (BIOINSTRUCT_SEED)": spec.seed,
        **values,
        "optimizer": facts.get("optimizer"),
        "type of the base model's weights": facts.get("dtype"),
        "number of trained weights": _count(facts.get("trained_weights")),
        "packing": None if packed is None else _PACKING[bool(packed)],
    }


def _with_origin(value: str, origin: str | None) -> str:
    return f"{value} ({one_line(origin)})" if origin else value


def _run(result: Mapping[str, Any]) -> dict[str, Any]:
    facts = result.get("run_facts") or {}
    machine = facts.get("hardware") or {}
    share, limit = facts.get("flop_utilisation"), facts.get("speed_limit") or {}
    return {
        "device": result.get("device"),
        "GPUs": ", ".join(machine.get("gpus") or []) or None,
        "processor": machine.get("processor"),
        "threads": machine.get("threads"),
        "seconds of training": _number(result.get("train_seconds")),
        "useful tokens a second": _count(facts.get("useful_tokens_per_second")),
        "model-FLOP utilisation": f"{share:.1%} of {limit.get('name')}" if share else None,
        "padding": f"{facts['padding_share']:.2%}" if "padding_share" in facts else None,
        "peak memory above the process after its imports": _peak(facts),
        "peak memory of the process": _size(facts.get("peak_memory_bytes")),
    }


def _peak(facts: Mapping[str, Any]) -> str | None:
    measured = _size(facts.get("peak_above_imports_bytes"))
    estimated = _size(facts.get("estimated_bytes"))
    return f"{measured} (estimated: {estimated})" if measured and estimated else measured


def _size(count: int | None) -> str | None:
    return None if count is None else size(count)


def run_table(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """How long training took, on what, and how well: a row for each fact that is known."""
    facts = result.get("run_facts") or {}
    resumed = facts.get("resumed_from")
    known = {
        "updates": _count(result.get("steps")),
        "update whose weights were kept": _count(result.get("kept_update")),
        "ended early": "yes, the validation loss rose" if facts.get("ended_early") else None,
        "went on from the checkpoint of update": None if resumed is None else str(resumed),
        **_run(result),
        "rows packed": "yes" if facts.get("packed") else "no, trained row by row",
        "tokens of a pass": _count(facts.get("tokens_per_pass")),
        "processes that share an update": _count(facts.get("ranks")),
    }
    return [{"fact": name, "value": value} for name, value in known.items() if value is not None]


def proof_table(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What proves that the adapter acts: a row for each fact."""
    facts = _proof(result.get("proof") or {})
    return [{"fact": name, "value": value} for name, value in facts.items()]


def _loading(spec: TrainingSpec, result: Mapping[str, Any]) -> str:
    prompt = code(str(result.get("prompt_version", spec.base.prompt)))
    source, revision = shown_source(spec.base.source), spec.base.revision
    folder = f"<the folder {CONFIG_FILE} is in>"
    note = ""
    if "base_fingerprint" in result:
        adapter = spec.folder(str(result["base_fingerprint"]))
        folder = adapter.relative_to(Path(spec.adapters_dir).parent).as_posix()
        note = "Run it in the folder of outputs (BIOINSTRUCT_DATA_DIR), or correct the paths.\n\n"
    if own := base_in_models(str(result.get("base_path", ""))):
        source, revision = f"models/{own}", None
    pinned = f", revision={revision!r}" if revision else ""
    fence = "`" * 3
    return (
        f"## How to load it\n\n{note}"
        f"{fence}python\n"
        "from peft import PeftModel\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        f"tokenizer = AutoTokenizer.from_pretrained({source!r}{pinned})\n"
        f"base = AutoModelForCausalLM.from_pretrained({source!r}{pinned})\n"
        f"model = PeftModel.from_pretrained(base, {folder!r}).eval()\n"
        f"{fence}\n\n"
        f"It was trained with the prompt {prompt}. Use it with that prompt only. In the project, "
        f"this command compares it with its base model:\n\n{fence}sh\n"
        f"python -m bioinstruct_dagster.models chat '{spec.experiment}'\n{fence}\n\n"
    )


def _citation(result: Mapping[str, Any]) -> str:
    version = (result.get("run_facts") or {}).get("project_version")
    return f"## Citation\n\n```bibtex\n{software_entry(version or '')}```\n"


def _value(value: Any) -> str:
    if isinstance(value, str):
        return code(value)
    if isinstance(value, Iterable):
        return ", ".join(code(str(one)) for one in value)
    return str(value)


def _code(value: Any) -> str | None:
    return None if value is None else code(str(value))


def _count(value: float | None) -> str | None:
    return None if value is None else f"{value:,.0f}"


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.4g}"
